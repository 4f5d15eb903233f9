/**
 * The master keys that the keys of customers' texts are sealed with, a JWK set of symmetric keys: the first one seals, all
 * of them open. Without any, texts are stored as they are.
 */
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { ServiceError } from "./errors.ts";

/** A JWK set of 256-bit keys. Every service that reads or writes texts has it. */
export const payloadKeysSetting = z
  .string()
  .optional()
  .describe('{"keys": [{"kty": "oct", "kid": "2026-11", "k": "…"}]}');

/** The same in a file, instead. */
export const payloadKeysFileSetting = z.string().optional().describe("the path of a JWK set");

export interface PayloadKeySettings {
  readonly PAYLOAD_KEYS?: string | undefined;
  readonly PAYLOAD_KEYS_FILE?: string | undefined;
}

export interface PayloadMasterKey {
  readonly kid: string;
  readonly key: Uint8Array;
}

const keySetSchema = z.object({
  keys: z
    .array(
      z.object({
        kty: z.literal("oct"),
        kid: z.string().min(1).max(100),
        // 32 bytes in base64url.
        k: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
      }),
    )
    .min(1),
});

/**
 * The keys, none of which is missing that texts are sealed with already: a service that reads only some would break over
 * each of the others, and store new ones in the open.
 * @param findMissing the names of master keys that the database has use for and that are not among these
 * @throws ServiceError `config_invalid`, which says what is wrong and repeats no key
 */
export async function readPayloadKeys(
  settings: PayloadKeySettings,
  findMissing: (keys: readonly PayloadMasterKey[]) => Promise<readonly string[]>,
): Promise<readonly PayloadMasterKey[]> {
  const keys = await keysOf(settings);
  const missing = await findMissing(keys).catch((cause: unknown) => {
    const text =
      "The database does not say which keys texts are sealed with: start it, migrate it, or correct DATABASE_URL.";
    throw new ServiceError("database_unavailable", text, { cause });
  });
  if (missing.length === 0) return keys;
  throw refused(
    `PAYLOAD_KEYS lacks ${missing.map((kid) => `"${kid}"`).join(", ")}, which texts are sealed with: add it`,
  );
}

async function keysOf(settings: PayloadKeySettings): Promise<readonly PayloadMasterKey[]> {
  const { PAYLOAD_KEYS: text, PAYLOAD_KEYS_FILE: file } = settings;
  if (text !== undefined && file !== undefined)
    throw refused("PAYLOAD_KEYS and PAYLOAD_KEYS_FILE are both set: set one");
  if (text !== undefined) return keysIn("PAYLOAD_KEYS", text);
  return file === undefined ? [] : keysIn("PAYLOAD_KEYS_FILE", await contentOf(file));
}

async function contentOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch {
    throw refused("PAYLOAD_KEYS_FILE cannot be read: set it to the path of a JWK set");
  }
}

function keysIn(variable: string, text: string): readonly PayloadMasterKey[] {
  const parsed = keySetSchema.safeParse(parsedJson(text));
  if (!parsed.success) {
    throw refused(
      `${variable} is not a JWK set of 256-bit keys ({"keys": [{"kty": "oct", "kid": "…", "k": "…"}]}): see docs/operations.md`,
    );
  }
  const { keys } = parsed.data;
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length)
    throw refused(`${variable} names two keys alike: each needs a kid of its own`);
  return keys.map(({ kid, k }) => ({ kid, key: Buffer.from(k, "base64url") }));
}

/** Not JSON is no JWK set either; the parser's own message would quote the key. */
function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function refused(text: string): ServiceError {
  return new ServiceError("config_invalid", text);
}
