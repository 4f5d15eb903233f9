/** Tells a request that was never sent from one whose answer was lost: the first costs nothing, the second may. */

/** No connection was made, so that nothing of the request has left this machine. */
export class NotConnectedError extends Error {
  override readonly name = "NotConnectedError";
}

const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "ERR_TLS_CERT_ALTNAME_INVALID",
]);
const CAUSES_MAX = 8;

/**
 * `fetch`, which throws a NotConnectedError when no connection was made. The SDK cannot be asked afterwards: it turns a
 * connection that takes too long to open into the same error as an answer that takes too long to come.
 */
export async function fetchOrNotConnected(...args: Parameters<typeof fetch>): Promise<Response> {
  try {
    return await fetch(...args);
  } catch (error) {
    if (!neverConnected(error)) throw error;
    throw new NotConnectedError("no connection could be made", { cause: error });
  }
}

/** Whether the error, or the first cause of it that has a code, is about making the connection. */
function neverConnected(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < CAUSES_MAX && cause instanceof Error; depth++) {
    if (cause instanceof AggregateError && cause.errors.length > 0) return cause.errors.every(neverConnected);
    if ("code" in cause && typeof cause.code === "string") {
      const isConnecting = "syscall" in cause && cause.syscall === "connect";
      return isConnecting || NEVER_CONNECTED.has(cause.code);
    }
    cause = cause.cause;
  }
  return false;
}
