/**
 * API keys: `ctg_live_<id>_<secret>_<checksum>`. The id finds the row, the secret proves the right to it, and the checksum
 * tells a mistyped key from a wrong one without asking the database. Only a SHA-256 of the whole text is stored: the
 * secret has 160 random bits, so a slow hash would protect nothing more.
 */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { crc32 } from "node:zlib";
import type { CustomerId, KeyId } from "@contingent/core/ids";
import { EVERY_SCOPE, type KeyKind, type KeyScope } from "@contingent/core/keys/scopes";
import { batched } from "./batch.ts";
import { newId } from "./ids.ts";
import type { Pool, Queryable } from "./pool.ts";

/** Shows in a key's text, so that people do not take one for the other, and changes nothing. */
export type KeyMode = "live" | "test";

export type KeyOwner =
  | { readonly kind: "customer"; readonly customerId: CustomerId }
  | { readonly kind: "operator"; readonly customerId?: undefined };

export type NewKey = KeyOwner & {
  readonly label: string;
  /** `live` unless said otherwise. */
  readonly mode?: KeyMode;
  /** Everything unless said otherwise. */
  readonly scopes?: readonly KeyScope[];
  /** Never unless said otherwise. */
  readonly expiresAtMs?: number | null;
  /** The key that it was asked for with, and the one that it takes the place of. */
  readonly createdBy?: KeyId;
  readonly replaces?: KeyId;
};

/** A key as it is stored. */
export interface StoredKey {
  readonly id: KeyId;
  readonly kind: KeyKind;
  readonly customerId: CustomerId | null;
  readonly scopes: readonly KeyScope[];
  readonly secretHash: Buffer;
  /** Neither expired nor revoked, by the database's clock. */
  readonly active: boolean;
  /** Its last use was noted within the last minute. */
  readonly usedLately: boolean;
}

const SECRET_CHARACTERS = 32;
const CHECKSUM_CHARACTERS = 7;
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const TEXT = /^(ctg_(?:live|test)_([0-9a-z]{26})_[0-9a-z]{32})_([0-9a-z]{7})$/;

/**
 * Makes a key and stores its hash.
 * @returns the text, which cannot be had again
 */
export async function createKey(db: Queryable, key: NewKey): Promise<{ readonly id: KeyId; readonly text: string }> {
  const { label, kind, customerId = null, mode = "live", scopes = [EVERY_SCOPE], expiresAtMs = null } = key;
  const id = newId("key");
  const body = `ctg_${mode}_${id.slice("key_".length)}_${newSecret()}`;
  const text = `${body}_${checksumOf(body)}`;
  const { createdBy = null, replaces = null } = key;
  await db.query({
    text: `INSERT INTO api_key (id, scope, customer_id, secret_hash, label, mode, scopes, expires_at, created_by, replaces)
           VALUES ($1, $2, $3, $4, $5, $6, $7::text[], to_timestamp($8::float8 / 1000), $9, $10)`,
    values: [id, kind, customerId, hashOf(text), label, mode, scopes, expiresAtMs, createdBy, replaces],
  });
  return { id, text };
}

/** The id that a key's text names, or null when the text is no key (its form or its checksum is wrong). */
export function keyIdOf(text: string): KeyId | null {
  const match = TEXT.exec(text);
  if (match === null) return null;
  const [, body = "", id = "", checksum = ""] = match;
  return checksum === checksumOf(body) ? `key_${id}` : null;
}

/** Whether the text is the very key that was stored; takes equally long for every wrong one. */
export function isThisKey(text: string, stored: StoredKey): boolean {
  return timingSafeEqual(hashOf(text), stored.secretHash);
}

interface KeyRow {
  readonly id: KeyId;
  readonly kind: KeyKind;
  readonly customer_id: CustomerId | null;
  readonly scopes: readonly KeyScope[];
  readonly secret_hash: Buffer;
  readonly active: boolean;
  readonly used_lately: boolean;
}

const SELECT = `
  SELECT id, scope AS kind, customer_id, scopes, secret_hash,
         revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now()) AS active,
         coalesce(last_used_at > now() - interval '1 minute', false) AS used_lately
    FROM api_key WHERE id = ANY($1::text[])`;

/** Finds keys by their id, many to a statement. By primary key, without a lock. */
export function keyFinder(pool: Pool): (id: KeyId) => Promise<StoredKey | null> {
  return batched<KeyId, StoredKey | null>({
    run: async (ids) => {
      const { rows } = await pool.query<KeyRow>({ name: "find-keys", text: SELECT, values: [ids] });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => {
        const row = byId.get(id);
        if (row === undefined) return null;
        const { kind, customer_id: customerId, scopes, secret_hash: secretHash, active } = row;
        return { id, kind, customerId, scopes, secretHash, active, usedLately: row.used_lately };
      });
    },
  });
}

/** What has been done already in this minute, by another process, is left alone; so is a key that is about to end. */
const NOTE_USE = `
  WITH due AS (
    SELECT id FROM api_key WHERE id = ANY($1::text[]) AND (last_used_at IS NULL OR last_used_at <= now() - interval '1 minute')
     ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)
  UPDATE api_key k SET last_used_at = now() FROM due WHERE k.id = due.id`;

/** Notes that a key is in use, many to a statement. */
export function keyUseNoter(pool: Pool): (id: KeyId) => Promise<void> {
  return batched<KeyId, void>({
    run: async (ids) => {
      await pool.query({ name: "note-key-use", text: NOTE_USE, values: [ids] });
      return ids.map(() => undefined);
    },
  });
}

function newSecret(): string {
  // 256 is a multiple of the alphabet's 32, so every character is equally likely.
  return Array.from(randomBytes(SECRET_CHARACTERS), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}

function checksumOf(body: string): string {
  return crc32(body).toString(36).padStart(CHECKSUM_CHARACTERS, "0");
}

function hashOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
