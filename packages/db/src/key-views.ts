/** Keys as their owners see them: everything but the secret, of which there is only a hash. By primary key or owner; no lock. */
import type { CustomerId, KeyId } from "@contingent/core/ids";
import type { Key } from "@contingent/core/keys/keys";
import type { KeyKind, KeyScope } from "@contingent/core/keys/scopes";
import { msOf } from "./job-row.ts";
import type { KeyMode } from "./keys.ts";
import type { Queryable } from "./pool.ts";

export interface KeyView extends Key {
  readonly customerId: CustomerId | null;
  readonly label: string;
  readonly mode: KeyMode;
  readonly createdAtMs: number;
  /** Null: not through the API. */
  readonly createdBy: KeyName | null;
  readonly revokedBy: KeyName | null;
  /** To the minute. */
  readonly lastUsedAtMs: number | null;
  readonly replaces: KeyId | null;
  /** The newest key that was made to take its place. */
  readonly replacedBy: KeyId | null;
  readonly nowMs: number;
}

export interface KeyName {
  readonly id: KeyId;
  readonly kind: KeyKind;
}

/** The columns of `api_key k` that decisions are about. */
export const KEY_COLUMNS = `
  k.id, k.scope AS kind, k.scopes, ${msOf("k.expires_at")} AS expires_ms, ${msOf("k.revoked_at")} AS revoked_ms`;

export interface KeyRow {
  readonly id: KeyId;
  readonly kind: KeyKind;
  readonly scopes: readonly KeyScope[];
  readonly expires_ms: number | null;
  readonly revoked_ms: number | null;
}

interface ViewRow extends KeyRow {
  readonly customer_id: CustomerId | null;
  readonly label: string;
  readonly mode: KeyMode;
  readonly created_ms: number;
  readonly maker_id: KeyId | null;
  readonly maker_kind: KeyKind | null;
  readonly revoker_id: KeyId | null;
  readonly revoker_kind: KeyKind | null;
  readonly last_used_ms: number | null;
  readonly replaces: KeyId | null;
  readonly replaced_by: KeyId | null;
  readonly now_ms: number;
}

const VIEW = `
  SELECT ${KEY_COLUMNS}, k.customer_id, k.label, k.mode, ${msOf("k.created_at")} AS created_ms,
         maker.id AS maker_id, maker.scope AS maker_kind, revoker.id AS revoker_id, revoker.scope AS revoker_kind,
         ${msOf("k.last_used_at")} AS last_used_ms, k.replaces,
         (SELECT r.id FROM api_key r WHERE r.replaces = k.id ORDER BY r.id DESC LIMIT 1) AS replaced_by,
         ${msOf("now()")} AS now_ms
    FROM api_key k
    LEFT JOIN api_key maker ON maker.id = k.created_by
    LEFT JOIN api_key revoker ON revoker.id = k.revoked_by`;

export async function findKey(db: Queryable, id: KeyId): Promise<KeyView | null> {
  const { rows } = await db.query<ViewRow>({ name: "find-key", text: `${VIEW} WHERE k.id = $1`, values: [id] });
  return rows.map(viewOf)[0] ?? null;
}

export interface KeyFilter {
  readonly customerId?: CustomerId | undefined;
  readonly kind?: KeyKind | undefined;
  /** Made with this key. */
  readonly createdBy?: KeyId | undefined;
}

/** Keys, newest first, those before the given one; also those that have ended. */
export async function listKeys(
  db: Queryable,
  filter: KeyFilter,
  page: { readonly before: KeyId | null; readonly limit: number },
): Promise<readonly KeyView[]> {
  const { customerId = null, kind = null, createdBy = null } = filter;
  const { rows } = await db.query<ViewRow>({
    text: `${VIEW}
            WHERE ($1::text IS NULL OR k.customer_id = $1) AND ($2::text IS NULL OR k.scope = $2)
              AND ($3::text IS NULL OR k.created_by = $3) AND ($4::text IS NULL OR k.id < $4)
            ORDER BY k.id DESC LIMIT $5`,
    values: [customerId, kind, createdBy, page.before, page.limit],
  });
  return rows.map(viewOf);
}

export function keyOf({ id, kind, scopes, expires_ms: expiresAtMs, revoked_ms: revokedAtMs }: KeyRow): Key {
  return { id, kind, scopes, expiresAtMs, revokedAtMs };
}

function viewOf(row: ViewRow): KeyView {
  return {
    ...keyOf(row),
    customerId: row.customer_id,
    label: row.label,
    mode: row.mode,
    createdAtMs: row.created_ms,
    createdBy: nameOf(row.maker_id, row.maker_kind),
    revokedBy: nameOf(row.revoker_id, row.revoker_kind),
    lastUsedAtMs: row.last_used_ms,
    replaces: row.replaces,
    replacedBy: row.replaced_by,
    nowMs: row.now_ms,
  };
}

function nameOf(id: KeyId | null, kind: KeyKind | null): KeyName | null {
  return id === null || kind === null ? null : { id, kind };
}
