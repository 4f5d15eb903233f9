/**
 * Signatures of requests by Standard Webhooks (standardwebhooks.com, 1.0.0): an HMAC-SHA256 over id, time and body. A
 * request carries one signature per secret, so that secrets can be changed without a gap.
 */
import { createHmac, timingSafeEqual } from "node:crypto";

const PREFIX = "whsec_";
/** What the specification asks of a secret. */
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
/** How old, or how far ahead, a signed request may be. */
const TOLERANCE_S = 300;
/** Signatures of one request that are looked at. */
const SIGNATURES_MAX = 10;

export interface SigningSecret {
  readonly key: Buffer;
}

export interface SignedParts {
  readonly id: string;
  readonly timestampS: number;
  readonly body: string | Uint8Array;
}

/** What a receiver gets of a request's signature; headers that are absent are undefined. */
export interface SignatureHeaders {
  readonly "webhook-id"?: string | undefined;
  readonly "webhook-timestamp"?: string | undefined;
  readonly "webhook-signature"?: string | undefined;
}

/** Reads `whsec_<base64>`; null when it is none, or of another length than the specification allows. */
export function signingSecret(text: string): SigningSecret | null {
  if (!/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  const key = Buffer.from(text.slice(PREFIX.length), "base64");
  return key.length >= SECRET_BYTES_MIN && key.length <= SECRET_BYTES_MAX ? { key } : null;
}

export function signatureHeaders(
  secrets: readonly SigningSecret[],
  parts: SignedParts,
): Required<{ readonly [Name in keyof SignatureHeaders]: string }> {
  return {
    "webhook-id": parts.id,
    "webhook-timestamp": String(parts.timestampS),
    "webhook-signature": secrets.map((secret) => `v1,${digest(secret, parts).toString("base64")}`).join(" "),
  };
}

/** Whether one of the secrets signed this body, within five minutes of now. */
export function isSigned(
  secrets: readonly SigningSecret[],
  headers: SignatureHeaders,
  body: string | Uint8Array,
  nowS: number,
): boolean {
  const { "webhook-id": id, "webhook-timestamp": timestamp = "", "webhook-signature": signatures = "" } = headers;
  if (id === undefined || !/^\d{1,12}$/.test(timestamp)) return false;
  const timestampS = Number(timestamp);
  if (Math.abs(nowS - timestampS) > TOLERANCE_S) return false;
  const given = signatures
    .split(" ", SIGNATURES_MAX)
    .flatMap((each) => (each.startsWith("v1,") ? [Buffer.from(each.slice("v1,".length), "base64")] : []));
  return secrets.some((secret) => {
    const expected = digest(secret, { id, timestampS, body });
    return given.some((each) => each.length === expected.length && timingSafeEqual(each, expected));
  });
}

function digest({ key }: SigningSecret, { id, timestampS, body }: SignedParts): Buffer {
  return createHmac("sha256", key).update(`${id}.${timestampS}.`).update(body).digest();
}
