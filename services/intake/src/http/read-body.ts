/** Reads request bodies: bounded in size and time, of the announced type, uncompressed. */
import type { Json } from "@contingent/core/json";
import type { Request } from "express";
import { ApiError } from "./api-error.ts";
import { readJson } from "./json-text.ts";

export const BODY_BYTES_MAX = 256 * 1024;
/** How long a body may take to arrive. */
const BODY_TIMEOUT_MS = 30_000;
/** How much of a body that is too large is read and thrown away: who is cut off while sending may never see the answer. */
const DISCARD_BYTES_MAX = 8 * 1024 * 1024;
const DISCARD_TIME_MAX_MS = 2_000;

/**
 * The JSON value in the request's body.
 * @throws ApiError for every way in which there is none
 */
export async function readJsonBody(request: Request, type: string): Promise<Json> {
  return readJson(await readBytes(request, type));
}

/**
 * The body as it came, for who must see that before it is read.
 * @throws ApiError for every way in which there is none
 */
export async function readBytes(request: Request, type: string): Promise<Uint8Array> {
  requireType(request, type);
  const bytes = await readAll(request);
  if (bytes.length === 0) throw new ApiError("missing_field", "The body is empty. Send a JSON object.", { param: "" });
  return bytes;
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

async function bytesOf(request: Request): Promise<Uint8Array> {
  // Not destroyed when reading ends early: the answer still needs the connection.
  const chunks: AsyncIterable<Uint8Array> = request.iterator({ destroyOnReturn: false });
  const giveUpAtMs = performance.now() + DISCARD_TIME_MAX_MS;
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size <= BODY_BYTES_MAX) pieces.push(chunk);
    else if (size > DISCARD_BYTES_MAX || performance.now() > giveUpAtMs) break;
  }
  if (size <= BODY_BYTES_MAX) return Buffer.concat(pieces);
  throw new ApiError("body_too_large", `The body is larger than ${BODY_BYTES_MAX / 1024} kB. Send a smaller one.`);
}

/** Rejects when the work is not done in time. */
async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const expired = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new ApiError(
          "request_timeout",
          `The body did not arrive within ${BODY_TIMEOUT_MS / 1_000} s. Send it in one go.`,
        ),
      );
    }, BODY_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}

async function readAll(request: Request): Promise<Uint8Array> {
  try {
    return await inTime(bytesOf(request));
  } catch (error) {
    if (error instanceof ApiError) throw error;
    throw new ApiError("malformed_json", "The body ended before the length that was announced.", { cause: error });
  }
}
