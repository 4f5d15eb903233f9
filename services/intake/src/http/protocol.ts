/** What HTTP asks of a request that Node's server has taken for one: refused here, in the form that all errors have. */
import type { Request } from "express";
import { ApiError } from "./api-error.ts";

/** A name or an address, and a port (RFC 9110, 7.2). Empty where the target has no authority. */
const HOST = /^(?:\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i;
/** As Node looks for the only expectation that there is. */
const CONTINUE = /(?:^|\W)100-continue(?:$|\W)/i;

/** @throws ApiError malformed_request or expectation_failed */
export function checkProtocol(request: Request): void {
  const [host, ...further] = request.headersDistinct["host"] ?? [];
  if (host === undefined && request.httpVersion !== "1.0") throw badHost("The request has no Host header. Send one.");
  if (further.length > 0) throw badHost("The request has more than one Host header. Send one.");
  if (host !== undefined && !HOST.test(host)) throw badHost("The Host header is not of the form: name or name:port.");
  const { expect } = request.headers;
  if (expect === undefined || CONTINUE.test(expect)) return;
  const message = "This server does nothing that the Expect header asks for. Leave it out.";
  throw new ApiError("expectation_failed", message, { param: "expect" });
}

function badHost(message: string): ApiError {
  return new ApiError("malformed_request", message, { param: "host" });
}
