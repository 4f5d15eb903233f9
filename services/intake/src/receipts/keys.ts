/**
 * The keys that receipts are signed with (Ed25519). They come from the environment as a JWK set: the first one signs, all
 * of them are published, so that a key can be made known before it signs and after it has ceased to.
 */
import { readFile } from "node:fs/promises";
import type { PublicKey } from "@contingent/db/receipts";
import { ServiceError } from "@contingent/runtime/errors";
import type { Log } from "@contingent/runtime/log";
import {
  calculateJwkThumbprint,
  CompactSign,
  compactVerify,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  importJWK,
} from "jose";
import { z } from "zod";

export const SIGNING_ALGORITHM = "EdDSA";

export interface ReceiptKeys {
  /** The public half of the key that signs. */
  readonly signer: PublicKey;
  /** The public halves of all keys that were given, the signing one first. */
  readonly published: readonly PublicKey[];
  /** A JWS in compact form over the bytes, by the first key. */
  readonly sign: (payload: Uint8Array, type: string) => Promise<string>;
}

/** What of the configuration decides which keys there are. */
export interface ReceiptKeySettings {
  readonly CONTINGENT_ENV: "production" | "development";
  readonly RECEIPT_KEYS?: string | undefined;
  readonly RECEIPT_KEYS_FILE?: string | undefined;
}

const KEY_BYTES = /^[A-Za-z0-9_-]{43}$/;
const keySchema = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: z.string().regex(KEY_BYTES),
  d: z.string().regex(KEY_BYTES),
});
const keySetSchema = z.object({ keys: z.array(keySchema).min(1) });
type PrivateJwk = z.output<typeof keySchema>;

/**
 * The keys that the configuration names. In development one is made up when it names none: it ends with the process, but
 * what it signed stays verifiable, since every key that has signed is kept in the database and published from there.
 * @throws ServiceError config_invalid, which says what to set and repeats no key
 */
export async function openReceiptKeys(settings: ReceiptKeySettings, log: Log): Promise<ReceiptKeys> {
  const { RECEIPT_KEYS: text, RECEIPT_KEYS_FILE: file } = settings;
  if (text !== undefined && file !== undefined)
    throw refused("RECEIPT_KEYS and RECEIPT_KEYS_FILE are both set: set one");
  if (text !== undefined) return await readKeys("RECEIPT_KEYS", text);
  if (file !== undefined) return await readKeys("RECEIPT_KEYS_FILE", await contentOf(file));
  if (settings.CONTINGENT_ENV === "production") {
    throw refused("RECEIPT_KEYS is not set, and in production receipts must be signed: see docs/receipts.md");
  }
  log.info({}, "receipts are signed by a key that ends with this process; set RECEIPT_KEYS to keep one");
  return await passingKeys();
}

/** A key of its own, for as long as somebody holds on to it. */
export async function passingKeys(): Promise<ReceiptKeys> {
  const { privateKey } = await generateKeyPair(SIGNING_ALGORITHM, { extractable: true });
  return await keysOf("a new key", [keySchema.parse(await exportJWK(privateKey))]);
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    throw refused(`RECEIPT_KEYS_FILE cannot be read (${code}): set it to the path of a JWK set`);
  }
}

async function readKeys(variable: string, text: string): Promise<ReceiptKeys> {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    // The parser's own message would quote the key.
    throw refused(`${variable} is not JSON: set it to a JWK set, {"keys": [...]}`);
  }
  const parsed = keySetSchema.safeParse(given);
  if (parsed.success) return await keysOf(variable, parsed.data.keys);
  const place = parsed.error.issues[0]?.path.join(".") ?? "";
  throw refused(
    `${variable} is not a JWK set of private Ed25519 keys (look at ${place === "" ? "the whole" : place}): see docs/receipts.md`,
  );
}

async function keysOf(variable: string, jwks: readonly PrivateJwk[]): Promise<ReceiptKeys> {
  const keys = await Promise.all(jwks.map((jwk) => keyOf(variable, jwk)));
  const [signer] = keys;
  if (signer === undefined) throw refused(`${variable} holds no key`);
  return {
    signer: signer.public,
    published: keys.map((key) => key.public),
    sign: (payload, type) => sign(signer, payload, type),
  };
}

interface SigningKey {
  readonly public: PublicKey;
  readonly private: CryptoKey;
}

async function keyOf(variable: string, jwk: PrivateJwk): Promise<SigningKey> {
  const { kty, crv, x } = jwk;
  const kid = await calculateJwkThumbprint({ kty, crv, x });
  const key: SigningKey = {
    public: { kty, crv, x, kid, use: "sig", alg: SIGNING_ALGORITHM },
    private: await cryptoKeyOf(jwk, variable),
  };
  // Halves of different keys would sign receipts that nobody can verify: better noticed now.
  const probe = await sign(key, new Uint8Array(), "probe");
  await compactVerify(probe, await cryptoKeyOf({ kty, crv, x }, variable)).catch(() => {
    throw refused(`${variable}: "x" and "d" of the key ${kid} are not halves of the same key`);
  });
  return key;
}

async function cryptoKeyOf(jwk: Omit<PrivateJwk, "d">, variable: string): Promise<CryptoKey> {
  const key = await importJWK(jwk, SIGNING_ALGORITHM).catch(() => null);
  if (key === null || key instanceof Uint8Array)
    throw refused(`${variable} holds a key that cannot be used: make a new one`);
  return key;
}

function sign(key: SigningKey, payload: Uint8Array, type: string): Promise<string> {
  const header = { alg: SIGNING_ALGORITHM, kid: key.public.kid, typ: type };
  return new CompactSign(payload).setProtectedHeader(header).sign(key.private);
}

function refused(text: string): ServiceError {
  return new ServiceError("config_invalid", text);
}
