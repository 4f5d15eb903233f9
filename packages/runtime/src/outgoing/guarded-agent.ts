/**
 * An HTTP agent that only connects to addresses that may be reached. It looks at the address that is connected to, not at
 * the name: between a check of the name and the connection a name can come to mean another address.
 */
import { lookup as lookUp } from "node:dns";
import { isIP, type LookupFunction } from "node:net";
import { Agent, buildConnector, type Dispatcher, request } from "undici";
import { bare, mayReach, type Reach } from "./addresses.ts";

export interface AgentSettings extends Reach {
  /** Bytes of a response's body; a longer one is an error. */
  readonly responseBytesMax: number;
  /** Finds the addresses of a name; tests have one that changes its mind. */
  readonly resolve?: LookupFunction;
}

const CONNECT_TIMEOUT_MS = 5_000;
const CONNECTIONS_PER_HOST_MAX = 16;

/** There is no address behind this name that may be reached. */
export class UnreachableAddressError extends Error {
  override readonly name = "UnreachableAddressError";
  readonly code = "ADDRESS_REFUSED";
}

export function guardedAgent({ responseBytesMax, resolve = lookUp, ...reach }: AgentSettings): Agent {
  const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS, lookup: guarded(resolve, reach) });
  return new Agent({
    connections: CONNECTIONS_PER_HOST_MAX,
    maxResponseSize: responseBytesMax,
    connect(options, callback) {
      const host = bare(options.hostname);
      // A literal address is never looked up, so it would pass unseen below.
      if (isIP(host) !== 0 && !mayReach(host, reach)) callback(refused(), null);
      else connect(options, callback);
    },
  });
}

/** Requests by such an agent. */
export interface Guarded {
  request(url: string, options: Omit<Dispatcher.RequestOptions, "origin" | "path">): Promise<Dispatcher.ResponseData>;
  close(): Promise<void>;
}

export function openGuarded(settings: AgentSettings): Guarded {
  const dispatcher = guardedAgent(settings);
  return {
    request: (url, options) => request(url, { ...options, dispatcher }),
    close: () => dispatcher.close(),
  };
}

/** Looks names up, and knows only those of their addresses that may be reached. */
function guarded(resolve: LookupFunction, reach: Reach): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, "");
      const addresses = typeof found === "string" ? [] : found.filter(({ address }) => mayReach(address, reach));
      const [first] = addresses;
      if (first === undefined) return callback(refused(), "");
      if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function refused(): UnreachableAddressError {
  return new UnreachableAddressError("no public address is behind this name");
}
