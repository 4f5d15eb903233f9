/**
 * Where requests to addresses that others name may go: to public hosts. Everything else is somebody's inside: the cloud's
 * metadata, the database, the neighbour's router.
 */
import { BlockList, isIP } from "node:net";

/** What of the configuration decides where requests may go. */
export interface Reach {
  /** Whether this machine may be reached, over plain HTTP and on any port: for development and tests only. */
  readonly allowsLoopback: boolean;
}

/** IPv4 that is not public, by the IANA registry of special-purpose addresses. */
const SPECIAL_IPV4 = subnets("ipv4", [
  "0.0.0.0/8", // this network
  "10.0.0.0/8", // private
  "100.64.0.0/10", // shared by carriers; also one cloud's metadata
  "127.0.0.0/8", // loopback
  "168.63.129.16/32", // public by number, but one cloud's host on every virtual machine
  "169.254.0.0/16", // link-local: the clouds' metadata
  "172.16.0.0/12", // private
  "192.0.0.0/24", // protocol assignments
  "192.0.2.0/24", // documentation
  "192.31.196.0/24", // AS112
  "192.52.193.0/24", // AMT
  "192.88.99.0/24", // 6to4 relays
  "192.168.0.0/16", // private
  "192.175.48.0/24", // AS112
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // documentation
  "203.0.113.0/24", // documentation
  "224.0.0.0/4", // multicast
  "240.0.0.0/4", // reserved, broadcast
]);

/**
 * IPv6 that is public. Being a list of what is allowed it leaves out mapped and translated IPv4 (`::ffff:0:0/96`, `64:ff9b::/96`,
 * `64:ff9b:1::/48`), unique-local, link-local, loopback, and whatever is invented next.
 */
const GLOBAL_IPV6 = subnets("ipv6", ["2000::/3"]);
const SPECIAL_IPV6 = subnets("ipv6", [
  "2001::/23", // protocol assignments, Teredo among them
  "2001:db8::/32", // documentation
  "2002::/16", // 6to4: any IPv4 address
  "2620:4f:8000::/48", // AS112
  "3fff::/20", // documentation
]);
const LOOPBACK = subnets("ipv4", ["127.0.0.0/8"]);
LOOPBACK.addAddress("::1", "ipv6");

const PORTS: ReadonlySet<string> = new Set(["", "443", "8443"]);
const URL_CHARACTERS_MAX = 2_000;

/** Whether a request may be sent to this address. Whatever is no plain address is not. */
export function mayReach(address: string, { allowsLoopback }: Reach): boolean {
  if (allowsLoopback && isLoopback(address)) return true;
  const family = familyOf(address);
  if (family === "ipv4") return !SPECIAL_IPV4.check(address, family);
  return family === "ipv6" && GLOBAL_IPV6.check(address, family) && !SPECIAL_IPV6.check(address, family);
}

/** What is wrong with a URL that requests are to be sent to, as far as the URL itself tells; null: nothing. */
export function urlProblem(text: string, reach: Reach): string | null {
  if (text.length > URL_CHARACTERS_MAX) return `must have at most ${URL_CHARACTERS_MAX} characters`;
  if (!URL.canParse(text)) return 'must be a URL such as "https://checks.example.com/verify"';
  const { protocol, port, hostname, username, password } = new URL(text);
  const isLocal = reach.allowsLoopback && (hostname === "localhost" || isLoopback(bare(hostname)));
  if (protocol !== "https:" && !(protocol === "http:" && isLocal)) return "must begin with https://";
  if (username !== "" || password !== "") return "must not carry a user or a password: requests are signed";
  if (!PORTS.has(port) && !isLocal) return "must be on port 443 or 8443";
  // `127.1`, `0x7f000001` and their kind have become plain addresses by now: that is how URLs are read.
  if (isIP(bare(hostname)) !== 0 && !mayReach(bare(hostname), reach)) return "must name a public address";
  return null;
}

/** A URL's host without the brackets of IPv6. */
export function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}

function isLoopback(address: string): boolean {
  const family = familyOf(address);
  return family !== null && LOOPBACK.check(address, family);
}

/** Null for what is no address, and for one with a zone: those are never public. */
function familyOf(address: string): "ipv4" | "ipv6" | null {
  if (address.includes("%")) return null;
  const family = isIP(address);
  return family === 0 ? null : family === 4 ? "ipv4" : "ipv6";
}

function subnets(family: "ipv4" | "ipv6", list: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const subnet of list) {
    const [network = "", prefix] = subnet.split("/");
    blocks.addSubnet(network, Number(prefix), family);
  }
  return blocks;
}
