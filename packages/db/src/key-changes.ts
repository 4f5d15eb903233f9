/**
 * How keys come and go through the API. Each change is decided with the keys locked that it is about, in the order of their
 * ids: by what they are now, not by what a process remembered when the request came. So a key that was revoked a moment ago
 * makes no other one.
 */
import type { KeyId } from "@contingent/core/ids";
import {
  type AskedKey,
  endOfReplaced,
  isLastKeeper,
  isLive,
  type Key,
  type KeyRefusal,
  whyNotMake,
} from "@contingent/core/keys/keys";
import { msOf } from "./job-row.ts";
import { createKey, type KeyMode, type KeyOwner } from "./keys.ts";
import { KEY_COLUMNS, keyOf, type KeyRow } from "./key-views.ts";
import { type Pool, type Queryable, transaction } from "./pool.ts";

export interface MadeKey {
  readonly kind: "made";
  readonly id: KeyId;
  /** With its secret: cannot be had again. */
  readonly text: string;
}

/** The operator would be left without a key that may do everything. */
interface LastKeeper {
  readonly kind: "last_keeper";
}

export type KeyAsked = KeyOwner & {
  readonly label: string;
  readonly mode: KeyMode;
  readonly scopes: AskedKey["scopes"];
  /** Undefined: as long as the key that makes it. */
  readonly expiresAtMs: number | null | undefined;
};

/** Makes a key with the rights of another one. */
export async function makeKey(pool: Pool, by: KeyId, key: KeyAsked): Promise<MadeKey | KeyRefusal> {
  return await transaction(pool, async (client) => {
    const { keys, nowMs } = await lockKeys(client, [by], false);
    const maker = keys.get(by);
    if (maker === undefined) return { kind: "maker_ended" };
    const { expiresAtMs = maker.expiresAtMs } = key;
    const refusal = whyNotMake(maker, { ...key, expiresAtMs }, { nowMs, liveKeys: await countLive(client, key) });
    if (refusal !== null) return refusal;
    return { kind: "made", ...(await createKey(client, { ...key, expiresAtMs, createdBy: by })) };
  });
}

export interface Rotation {
  /** How long the key that is replaced works on. */
  readonly overlapMs: number;
  /** Undefined: as long as the key that is replaced would have. */
  readonly expiresAtMs: number | null | undefined;
}

export type Rotated =
  | MadeKey
  | KeyRefusal
  | LastKeeper
  /** There is nothing to replace any more. */
  | { readonly kind: "ended" }
  /** Another one takes its place already, and works. */
  | { readonly kind: "replaced"; readonly id: KeyId };

/** Makes a key that takes another one's place, with the same rights; null when there is none by this id. */
export async function rotateKey(pool: Pool, by: KeyId, id: KeyId, rotation: Rotation): Promise<Rotated | null> {
  return await transaction(pool, async (client) => {
    const old = await ownerOf(client, id);
    if (old === null) return null;
    const { keys, nowMs } = await lockKeys(client, [by, id], old.kind === "operator");
    const [maker, replaced] = [keys.get(by), keys.get(id)];
    if (maker === undefined) return { kind: "maker_ended" };
    if (replaced === undefined || !isLive(replaced, nowMs)) return { kind: "ended" };
    const successor = await liveSuccessor(client, id);
    if (successor !== null) return { kind: "replaced", id: successor };
    const { expiresAtMs = replaced.expiresAtMs } = rotation;
    const asked = { scopes: replaced.scopes, expiresAtMs };
    const refusal = whyNotMake(maker, asked, { nowMs, liveKeys: await countLive(client, old) });
    if (refusal !== null) return refusal;
    const next: Key = { ...replaced, id: "key_next", expiresAtMs };
    if (isLastKeeper(replaced, [...keys.values(), next], nowMs)) return { kind: "last_keeper" };
    const made = await createKey(client, { ...old, ...asked, createdBy: by, replaces: id });
    await client.query({
      text: "UPDATE api_key SET expires_at = to_timestamp($2::float8 / 1000) WHERE id = $1",
      values: [id, endOfReplaced(replaced, nowMs, rotation.overlapMs)],
    });
    return { kind: "made", ...made };
  });
}

export type Revoked = { readonly kind: "revoked" } | { readonly kind: "maker_ended" } | LastKeeper;

/** Ends a key at once; null when there is none by this id. Safe to repeat. Other processes learn of it within seconds. */
export async function revokeKey(pool: Pool, by: KeyId, id: KeyId): Promise<Revoked | null> {
  return await transaction(pool, async (client) => {
    const owner = await ownerOf(client, id);
    if (owner === null) return null;
    const { keys, nowMs } = await lockKeys(client, [by, id], owner.kind === "operator");
    const [revoker, key] = [keys.get(by), keys.get(id)];
    if (revoker === undefined || !isLive(revoker, nowMs)) return { kind: "maker_ended" };
    if (key === undefined) return null;
    if (isLastKeeper(key, [...keys.values()], nowMs)) return { kind: "last_keeper" };
    await client.query({
      text: "UPDATE api_key SET revoked_at = now(), revoked_by = $2 WHERE id = $1 AND revoked_at IS NULL",
      values: [id, by],
    });
    return { kind: "revoked" };
  });
}

type Owner = KeyOwner & { readonly label: string; readonly mode: KeyMode };

/** What never changes of a key can be read before anything is locked. */
async function ownerOf(client: Queryable, id: KeyId): Promise<Owner | null> {
  const { rows } = await client.query<Owner>({
    name: "owner-of-key",
    text: `SELECT scope AS kind, customer_id AS "customerId", label, mode FROM api_key WHERE id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}

/** With `operators` all keys of the operator's that are not revoked, too: none of them is revoked meanwhile. */
const LOCK = `
  SELECT ${KEY_COLUMNS}, ${msOf("clock_timestamp()")} AS now_ms FROM api_key k
   WHERE k.id IN (SELECT unnest($1::text[]) UNION
                  SELECT o.id FROM api_key o WHERE $2 AND o.scope = 'operator' AND o.revoked_at IS NULL)
   ORDER BY k.id FOR NO KEY UPDATE`;

async function lockKeys(
  client: Queryable,
  ids: readonly KeyId[],
  operators: boolean,
): Promise<{ readonly keys: ReadonlyMap<KeyId, Key>; readonly nowMs: number }> {
  const values = [ids, operators];
  const { rows } = await client.query<KeyRow & { now_ms: number }>({ name: "lock-keys", text: LOCK, values });
  return { keys: new Map(rows.map((row) => [row.id, keyOf(row)])), nowMs: rows.at(-1)?.now_ms ?? 0 };
}

async function countLive(client: Queryable, { kind, customerId }: KeyOwner): Promise<number> {
  const { rows } = await client.query<{ count: number }>({
    name: "count-live-keys",
    text: `SELECT count(*)::int AS count FROM api_key
            WHERE scope = $1 AND (scope = 'operator' OR customer_id = $2)
              AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
    values: [kind, customerId ?? null],
  });
  return rows[0]?.count ?? 0;
}

async function liveSuccessor(client: Queryable, id: KeyId): Promise<KeyId | null> {
  const { rows } = await client.query<{ id: KeyId }>({
    name: "live-successor-of-key",
    text: `SELECT id FROM api_key
            WHERE replaces = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
            ORDER BY id DESC LIMIT 1`,
    values: [id],
  });
  return rows[0]?.id ?? null;
}
