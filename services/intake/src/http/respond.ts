/** Turns whatever went wrong into the one form of error that the API answers with. */
import { ERRORS, type ErrorBody } from "@contingent/contracts/http/errors";
import { isRefusal, sqlStateOf } from "@contingent/db/pool";
import { ServiceError } from "@contingent/runtime/errors";
import type { Log } from "@contingent/runtime/log";
import { recordError } from "@contingent/runtime/metrics";
import type { Request, Response } from "express";
import { ApiError } from "./api-error.ts";

/** When to come back after something was away, seconds. */
const RETRY_AFTER_S = "2";
const REST_BYTES_MAX = 1024 * 1024;

const AWAY_CODES = new Set(["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "ETIMEDOUT", "EPIPE", "EHOSTUNREACH"]);
/** The driver has no codes for these. */
const AWAY_MESSAGES =
  /^Connection terminated|^timeout exceeded when trying to connect|^Query read timeout|^Client was closed|not queryable/;

/** The error as the API shows it. */
export function apiErrorOf(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (isDatabaseAway(error)) {
    return new ApiError(
      "database_unavailable",
      "The database does not answer just now. Repeat the request in a moment.",
      {
        headers: { "Retry-After": RETRY_AFTER_S },
        cause: error,
      },
    );
  }
  return new ApiError(
    "internal_error",
    "Something went wrong on our side. Repeat the request; if it fails again, report the request_id.",
    {
      cause: error,
    },
  );
}

function isDatabaseAway(error: unknown): boolean {
  if (error instanceof ServiceError) return error.code === "database_unavailable";
  if (sqlStateOf(error) !== null) return !isRefusal(error);
  if (!(error instanceof Error)) return false;
  if (AWAY_MESSAGES.test(error.message)) return true;
  if (error instanceof AggregateError) return error.errors.some(isDatabaseAway);
  return "code" in error && typeof error.code === "string" && AWAY_CODES.has(error.code);
}

/** The error object, as it is told in an answer or in a line of a bulk answer. What is told is counted. */
export function tellError(
  error: ApiError,
  request: { readonly id: string; readonly docsUrl: string },
): ErrorBody["error"] {
  recordError(error);
  return {
    type: ERRORS[error.code].type,
    code: error.code,
    message: error.message,
    param: error.param,
    doc_url: `${request.docsUrl}#${error.code}`,
    request_id: request.id,
    ...(error.problems === null ? {} : { problems: [...error.problems] }),
  };
}

/** Answers with the error, or cuts the connection when an answer has begun. @returns the error as it was shown */
export function sendError(response: Response, thrown: unknown, log: Log): ApiError {
  const error = apiErrorOf(thrown);
  const { requestId, docsUrl } = localsOf(response);
  if (error.status >= 500)
    log.error({ err: error.cause ?? error, request_id: requestId, code: error.code }, "request failed");
  if (response.headersSent) {
    response.destroy();
    return error;
  }
  for (const [name, value] of Object.entries(error.headers)) response.setHeader(name, value);
  if (!isWorthReading(response.req)) response.setHeader("Connection", "close");
  response.status(error.status).json({ error: tellError(error, { id: requestId, docsUrl }) });
  return error;
}

/** A small rest of a body is read and thrown away, so that the connection can be used again. */
function isWorthReading(request: Request): boolean {
  if (request.complete) return true;
  const length = request.get("content-length");
  if (length !== undefined) return Number(length) <= REST_BYTES_MAX;
  return request.get("transfer-encoding") === undefined;
}

/** What every request has from its first moment on. */
export interface Locals {
  requestId: string;
  docsUrl: string;
}

export function localsOf(response: Response): Locals {
  return response.locals as Locals;
}

/** Where the error reference stands, as the caller sees this server. */
export function docsUrlOf(request: Request, publicUrl: string | undefined): string {
  const host = request.get("host");
  const base = publicUrl ?? (host === undefined ? "" : `${request.protocol}://${host}`);
  return `${base.replace(/\/$/, "")}/docs/errors`;
}
