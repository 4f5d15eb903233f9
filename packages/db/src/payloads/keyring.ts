/**
 * The keys that customers' texts are sealed with. Each customer has one, made when the first text is sealed, and stored
 * sealed with a master key of the deployment's. A key that was read is used on for a few seconds: an erased one no longer.
 */
import { randomBytes } from "node:crypto";
import type { CustomerId, Id } from "@contingent/core/ids";
import { batched } from "../batch.ts";
import { newId } from "../ids.ts";
import type { Pool, Queryable } from "../pool.ts";
import { KEY_BYTES, open, seal } from "./cipher.ts";

/** A key of the deployment's. The first one seals, all of them open. */
export interface MasterKey {
  readonly kid: string;
  /** 32 bytes. */
  readonly key: Uint8Array;
}

export interface PayloadKey {
  readonly id: Id<"pky">;
  readonly key: Uint8Array;
}

export interface Keyring {
  /** The key that the customer's texts are sealed with now. */
  readonly inUse: (customerId: CustomerId) => Promise<PayloadKey>;
  /** The key of this id; null: it is erased. */
  readonly byId: (id: string) => Promise<PayloadKey | null>;
}

/** How long a process goes on with a key that was erased meanwhile. */
export const KEY_KEPT_MS = 5_000;
const KEYS_KEPT_MAX = 10_000;

interface KeyRow {
  readonly id: Id<"pky">;
  readonly customer_id: CustomerId;
  readonly master: string;
  readonly wrapped: Buffer | null;
}

const BY_ID = "SELECT id, customer_id, master, wrapped FROM payload_key WHERE id = ANY ($1::text[])";
const IN_USE = `
  SELECT id, customer_id, master, wrapped FROM payload_key WHERE customer_id = ANY ($1::text[]) AND wrapped IS NOT NULL`;
// Of several processes that make one at the same time the first one's counts.
const MAKE = `
  INSERT INTO payload_key (id, customer_id, master, wrapped) VALUES ($1, $2, $3, $4)
  ON CONFLICT (customer_id) WHERE wrapped IS NOT NULL DO NOTHING`;

/** @param masters at least one */
export function openKeyring(pool: Pool, masters: readonly [MasterKey, ...MasterKey[]]): Keyring {
  const unwrap = unwrapping(masters);
  const read = (text: string, of: (row: KeyRow) => string): ((wanted: string) => Promise<KeyRow | null>) =>
    batched<string, KeyRow | null>({
      run: async (wanted) => {
        const { rows } = await pool.query<KeyRow>({ text, values: [[...new Set(wanted)]] });
        const found = new Map(rows.map((row) => [of(row), row]));
        return wanted.map((each) => found.get(each) ?? null);
      },
    });
  const readById = read(BY_ID, ({ id }) => id);
  const readInUse = read(IN_USE, ({ customer_id: customer }) => customer);

  async function make(customerId: CustomerId): Promise<KeyRow> {
    const id = newId("pky");
    const [{ kid, key: master }] = masters;
    const wrapped = seal(master, placeOfKey(id, customerId), randomBytes(KEY_BYTES));
    await pool.query({ text: MAKE, values: [id, customerId, kid, wrapped] });
    const row = await readInUse(customerId);
    if (row === null) throw new Error(`the payload key of ${customerId} was erased while it was made`);
    return row;
  }

  return {
    inUse: keptBriefly(async (customerId: CustomerId) => {
      const key = unwrap((await readInUse(customerId)) ?? (await make(customerId)));
      if (key === null) throw new Error(`the payload key of ${customerId} was erased while it was read`);
      return key;
    }),
    byId: keptBriefly(async (id: string) => {
      const row = await readById(id);
      if (row === null) throw new Error(`there is no payload key ${id}`);
      return unwrap(row);
    }),
  };
}

function placeOfKey(id: string, customerId: CustomerId): string {
  return `payload_key ${id} of ${customerId}`;
}

function unwrapping(masters: readonly MasterKey[]): (row: KeyRow) => PayloadKey | null {
  const byKid = new Map(masters.map(({ kid, key }) => [kid, key]));
  return ({ id, customer_id: customerId, master: kid, wrapped }) => {
    if (wrapped === null) return null;
    const master = byKid.get(kid);
    if (master === undefined)
      throw new Error(`the payload key ${id} is sealed with the master key "${kid}", which PAYLOAD_KEYS does not name`);
    return { id, key: open(master, placeOfKey(id, customerId), wrapped) };
  };
}

/** Remembers what was read for `KEY_KEPT_MS`, of so many at most; the one that was kept longest makes room. */
function keptBriefly<Name extends string, Value>(read: (name: Name) => Promise<Value>): (name: Name) => Promise<Value> {
  const kept = new Map<Name, { readonly value: Promise<Value>; readonly untilMs: number }>();
  return (name) => {
    const nowMs = performance.now();
    const known = kept.get(name);
    if (known !== undefined && known.untilMs > nowMs) return known.value;
    kept.delete(name);
    const [oldest] = kept.keys();
    if (kept.size >= KEYS_KEPT_MAX && oldest !== undefined) kept.delete(oldest);
    const value = read(name);
    kept.set(name, { value, untilMs: nowMs + KEY_KEPT_MS });
    value.catch(() => kept.delete(name));
    return value;
  };
}

const MASTERS = "SELECT DISTINCT master FROM payload_key WHERE wrapped IS NOT NULL ORDER BY master";

/** The master keys that texts are sealed with, by way of the customers' keys, and that are not among these. */
export async function missingMasters(db: Queryable, masters: readonly MasterKey[]): Promise<readonly string[]> {
  const known = new Set(masters.map(({ kid }) => kid));
  const { rows } = await db.query<Pick<KeyRow, "master">>({ text: MASTERS });
  return rows.map(({ master }) => master).filter((kid) => !known.has(kid));
}

const OTHERS = `
  SELECT id, customer_id, master, wrapped FROM payload_key
   WHERE wrapped IS NOT NULL AND master <> $1 ORDER BY master, id LIMIT $2`;
// Only where it is still what was unwrapped: it may have been erased, or sealed anew by somebody else.
const REWRAP = `
  UPDATE payload_key SET master = $2, wrapped = $3 WHERE id = $1 AND master = $4 AND wrapped IS NOT NULL`;

/**
 * Seals keys with the first master key that were sealed with another one, so that the other can be taken away; texts stay
 * as they are.
 * @returns how many were
 */
export async function rewrapKeys(
  db: Queryable,
  masters: readonly [MasterKey, ...MasterKey[]],
  limit: number,
): Promise<number> {
  const [{ kid, key: master }] = masters;
  const unwrap = unwrapping(masters);
  const { rows } = await db.query<KeyRow>({ text: OTHERS, values: [kid, limit] });
  for (const row of rows) {
    const opened = unwrap(row);
    if (opened === null) continue;
    const wrapped = seal(master, placeOfKey(row.id, row.customer_id), opened.key);
    await db.query({ text: REWRAP, values: [row.id, kid, wrapped, row.master] });
  }
  return rows.length;
}
