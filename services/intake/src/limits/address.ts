/** Whose requests are counted together where there is no key to count by. */
import type { Request } from "express";

/** Of an IPv6 address: whoever has one has all of such a network. */
const NETWORK_GROUPS = 4;
const GROUPS = 8;

/** The address that a request came from: the client's, as far as the proxies in front are known (TRUST_PROXY). */
export function addressOf(request: Request): string {
  return networkOf(request.ip ?? "");
}

/** As some proxies write it, with a port that is another one for each connection. */
const WITH_PORT = /^(?:\[(?<v6>[^\]]*)\](?::\d+)?|(?<v4>[\d.]+):\d+)$/;

/** An IPv4 address as it is, of an IPv6 address its /64. */
export function networkOf(address: string): string {
  const { v4, v6 } = WITH_PORT.exec(address)?.groups ?? {};
  const plain = (v4 ?? v6 ?? address).replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
  if (!plain.includes(":")) return plain;
  const [left = [], right = []] = plain.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const zeros = Array.from({ length: Math.max(0, GROUPS - left.length - right.length) }, () => "0");
  return `${[...left, ...zeros, ...right].slice(0, NETWORK_GROUPS).join(":")}::/64`;
}
