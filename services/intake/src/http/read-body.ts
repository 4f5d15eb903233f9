/** Reads request bodies: bounded in size and time, of the announced type, uncompressed. */
import type { Json } from "@contingent/core/json";
import express, { type Request, type Response } from "express";
import { ApiError } from "./api-error.ts";
import { readJson } from "./json-text.ts";

export const BODY_BYTES_MAX = 256 * 1024;
/** How long a body may take to arrive. */
const BODY_TIMEOUT_MS = 30_000;

const readBytes = express.raw({ limit: BODY_BYTES_MAX, inflate: false, type: () => true });

/**
 * The JSON value in the request's body.
 * @throws ApiError for every way in which there is none
 */
export async function readJsonBody(request: Request, response: Response, type: string): Promise<Json> {
  requireType(request, type);
  const bytes = await bytesOf(request, response);
  if (bytes.length === 0) throw new ApiError("missing_field", "The body is empty. Send a JSON object.", { param: "" });
  return readJson(bytes);
}

/** @throws ApiError unsupported_media_type unless the body is announced as this type, in UTF-8 and uncompressed */
export function requireType(request: Request, type: string): void {
  const given = request.get("content-type") ?? "";
  const [essence = "", ...parameters] = given.split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters.find((parameter) => parameter.startsWith("charset="))?.slice("charset=".length);
  const encoding = request.get("content-encoding") ?? "identity";
  const utf8 = charset === undefined || /^"?utf-?8"?$/.test(charset);
  if (essence === type && utf8 && encoding.toLowerCase() === "identity") return;
  const found = essence === "" ? "no Content-Type" : `${given}${encoding === "identity" ? "" : `, ${encoding}`}`;
  throw new ApiError(
    "unsupported_media_type",
    `Send Content-Type: ${type}, in UTF-8 and uncompressed; this has ${found}.`,
    {
      param: "content-type",
    },
  );
}

async function bytesOf(request: Request, response: Response): Promise<Uint8Array> {
  let timer: NodeJS.Timeout | undefined;
  const read = new Promise<Uint8Array>((resolve, reject) => {
    timer = setTimeout(() => {
      const message = `The body did not arrive within ${BODY_TIMEOUT_MS / 1_000} s. Send it in one go.`;
      reject(new ApiError("request_timeout", message));
    }, BODY_TIMEOUT_MS);
    readBytes(request, response, (error: unknown) => {
      if (error === undefined) resolve(request.body instanceof Uint8Array ? request.body : new Uint8Array());
      else reject(bodyError(error));
    });
  });
  try {
    return await read;
  } finally {
    clearTimeout(timer);
  }
}

/** What body-parser says, in our words. */
function bodyError(error: unknown): Error {
  const type = error instanceof Error && "type" in error ? error.type : null;
  switch (type) {
    case "entity.too.large":
      return new ApiError("body_too_large", `The body is larger than ${BODY_BYTES_MAX / 1024} kB. Send a smaller one.`);
    case "encoding.unsupported":
      return new ApiError("unsupported_media_type", "Send the body uncompressed.", { param: "content-encoding" });
    case "request.aborted":
    case "request.size.invalid":
      return new ApiError("malformed_json", "The body ended before the length that was announced.", { cause: error });
    default:
      return error instanceof Error ? error : new Error("the body could not be read");
  }
}
