/** What is on sale: publishing versions of outcome types, and reading them by name. */
import type { OutcomeTypeVersionId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import { createHash } from "node:crypto";
import { newId } from "./ids.ts";
import { encodeOutcomeType, type OutcomeTypeContent } from "./outcome-type-json.ts";
import { msOf } from "./job-row.ts";
import type { Queryable } from "./pool.ts";

/** A version as it was published. */
export interface PublishedVersion {
  readonly id: OutcomeTypeVersionId;
  readonly name: string;
  readonly version: number;
  /** As the operator sent it. */
  readonly definition: JsonObject;
  readonly createdAtMs: number;
}

interface PublishedRow {
  readonly id: OutcomeTypeVersionId;
  readonly name: string;
  readonly version: number;
  readonly definition: JsonObject;
  readonly created_ms: number;
}

const COLUMNS = `id, name, version, definition, ${msOf("created_at")} AS created_ms`;
const LOST_RACES_MAX = 5;

// Two publishers of one name race for the next number; the unique index lets one of them have it, the other one tries
// again. An empty result means that.
const PUBLISH = `
WITH latest AS (
  SELECT * FROM outcome_type_version WHERE name = $2 ORDER BY version DESC LIMIT 1
), published AS (
  INSERT INTO outcome_type_version (id, name, version, definition, resolved, hash)
  SELECT $1, $2, coalesce((SELECT version FROM latest), 0) + 1, $3, $4, $5
   WHERE NOT EXISTS (SELECT FROM latest WHERE hash = $5)
  ON CONFLICT (name, version) DO NOTHING
  RETURNING *
)
SELECT ${COLUMNS}, true AS is_new FROM published
UNION ALL
SELECT ${COLUMNS}, false FROM latest WHERE hash = $5`;

/**
 * Publishes a version, unless the latest one says exactly the same (its definition, and what the catalog made of it).
 * @returns the new or the latest version, and whether it is new
 */
export async function publishVersion(
  db: Queryable,
  name: string,
  definition: JsonObject,
  content: OutcomeTypeContent,
): Promise<PublishedVersion & { readonly isNew: boolean }> {
  const resolved = encodeOutcomeType(content);
  const hash = createHash("sha256")
    .update(JSON.stringify([sorted(definition), sorted(resolved)]))
    .digest("hex");
  for (let lost = 0; lost <= LOST_RACES_MAX; lost += 1) {
    const { rows } = await db.query<PublishedRow & { readonly is_new: boolean }>({
      text: PUBLISH,
      values: [newId("otv"), name, JSON.stringify(definition), JSON.stringify(resolved), hash],
    });
    const [row] = rows;
    if (row !== undefined) return { ...publishedOf(row), isNew: row.is_new };
  }
  throw new Error(`outcome type ${name} is being published by too many at once`);
}

/** The id of the latest version of a name; null when there is no such outcome type. */
export async function latestVersionId(db: Queryable, name: string): Promise<OutcomeTypeVersionId | null> {
  const { rows } = await db.query<{ id: OutcomeTypeVersionId }>({
    name: "latest-version-id",
    text: "SELECT id FROM outcome_type_version WHERE name = $1 ORDER BY version DESC LIMIT 1",
    values: [name],
  });
  return rows[0]?.id ?? null;
}

/** The latest version of every name, by name; those after the given name. */
export async function latestVersions(
  db: Queryable,
  page: { readonly after: string; readonly limit: number },
): Promise<readonly PublishedVersion[]> {
  const { rows } = await db.query<PublishedRow>({
    text: `SELECT DISTINCT ON (name) ${COLUMNS} FROM outcome_type_version
            WHERE name > $1 ORDER BY name, version DESC LIMIT $2`,
    values: [page.after, page.limit],
  });
  return rows.map(publishedOf);
}

/** The versions of one name, newest first; those before the given number. */
export async function versionsOf(
  db: Queryable,
  name: string,
  page: { readonly before: number | null; readonly limit: number },
): Promise<readonly PublishedVersion[]> {
  const { rows } = await db.query<PublishedRow>({
    text: `SELECT ${COLUMNS} FROM outcome_type_version
            WHERE name = $1 AND ($2::int IS NULL OR version < $2) ORDER BY version DESC LIMIT $3`,
    values: [name, page.before, page.limit],
  });
  return rows.map(publishedOf);
}

/** One version; the latest one when no number is given. Null when there is none. */
export async function publishedVersion(
  db: Queryable,
  name: string,
  version: number | null,
): Promise<PublishedVersion | null> {
  const { rows } = await db.query<PublishedRow>({
    text: `SELECT ${COLUMNS} FROM outcome_type_version
            WHERE name = $1 AND ($2::int IS NULL OR version = $2) ORDER BY version DESC LIMIT 1`,
    values: [name, version],
  });
  return rows[0] === undefined ? null : publishedOf(rows[0]);
}

function publishedOf(row: PublishedRow): PublishedVersion {
  const { id, name, version, definition, created_ms: createdAtMs } = row;
  return { id, name, version, definition, createdAtMs };
}

/**
 * The same value with its keys in order, so that equal definitions have equal hashes. Not core's canonical JSON, which
 * orders keys that look like whole numbers as text and not, as `JSON.stringify` does here, as numbers and first: a
 * definition with such keys would get another hash than it was published with, and so a new version that says nothing new.
 */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, sorted(member)]));
}
