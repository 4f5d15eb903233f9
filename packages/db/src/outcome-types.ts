/**
 * Outcome type versions by their id. A version never changes, so what was read once is kept: in a bounded map, loaded
 * many to a statement. Reads by primary key, takes no lock.
 */
import type { OutcomeTypeVersionId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import { batched } from "./batch.ts";
import { decodeOutcomeType } from "./outcome-type-json.ts";
import type { Pool } from "./pool.ts";

export interface OutcomeTypeVersions {
  /** @throws UnknownVersionError when there is no such version */
  readonly get: (id: OutcomeTypeVersionId) => Promise<OutcomeTypeVersion>;
}

export class UnknownVersionError extends Error {
  override readonly name = "UnknownVersionError";
}

/** Versions kept in memory; the one that was kept longest makes room. */
const KEPT_MAX = 1_000;

const SELECT = "SELECT id, name, version, resolved FROM outcome_type_version WHERE id = ANY($1::text[])";

export interface VersionRow {
  readonly id: OutcomeTypeVersionId;
  readonly name: string;
  readonly version: number;
  readonly resolved: JsonObject;
}

/** A reader of versions that remembers what it has read. */
export function outcomeTypeVersions(pool: Pool): OutcomeTypeVersions {
  const kept = new Map<OutcomeTypeVersionId, Promise<OutcomeTypeVersion>>();
  const load = batched<OutcomeTypeVersionId, OutcomeTypeVersion>({
    run: async (ids) => {
      const { rows } = await pool.query<VersionRow>({ name: "outcome-type-versions", text: SELECT, values: [ids] });
      const byId = new Map(rows.map((row) => [row.id, row]));
      return ids.map((id) => {
        const row = byId.get(id);
        return row === undefined ? new UnknownVersionError(`there is no outcome type version ${id}`) : versionOf(row);
      });
    },
  });
  return {
    get(id) {
      const known = kept.get(id);
      if (known !== undefined) return known;
      const loading = load(id);
      const [oldest] = kept.keys();
      if (kept.size >= KEPT_MAX && oldest !== undefined) kept.delete(oldest);
      kept.set(id, loading);
      // A failure is not remembered: the next one who asks tries again.
      loading.catch(() => kept.delete(id));
      return loading;
    },
  };
}

/** The version that a row describes. */
export function versionOf(row: VersionRow): OutcomeTypeVersion {
  return { ...decodeOutcomeType(row.resolved), id: row.id, name: row.name, version: row.version };
}
