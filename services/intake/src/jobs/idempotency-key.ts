/** The Idempotency-Key header, and what it stands for. */
import type { CreateJobBody } from "@contingent/contracts/http/jobs";
import { createHash } from "node:crypto";
import { ApiError } from "../http/api-error.ts";

/** 1 to 255 printable characters; a quoted string, as the IETF draft has it, or bare. */
const KEY = /^(?:"([\x20-\x7e]{1,255})"|([\x21\x23-\x7e](?:[\x20\x21\x23-\x7e]{0,253}[\x21\x23-\x7e])?))$/;

/**
 * The key, without its quotes; null when there is none.
 * @throws ApiError invalid_idempotency_key
 */
export function idempotencyKeyOf(header: string | undefined): string | null {
  if (header === undefined) return null;
  const match = KEY.exec(header.trim());
  const key = match?.[1] ?? match?.[2];
  if (key !== undefined) return key;
  const message =
    "The Idempotency-Key must be 1 to 255 printable ASCII characters, for example a UUID in double quotes.";
  throw new ApiError("invalid_idempotency_key", message, { param: "idempotency-key" });
}

/** Equal for requests that ask for the same, whatever the order of their fields and their spacing. */
export function fingerprintOf(body: CreateJobBody): string {
  return createHash("sha256")
    .update(JSON.stringify(["POST /v1/jobs", sorted(body)]))
    .digest("hex");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return { members: members.map(([name, member]) => [name, sorted(member)]) };
}
