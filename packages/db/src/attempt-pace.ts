/** How fast attempts begin. A range of the primary key, whose ids are sorted by time: nothing is counted but what is new. */
import { idAt } from "./ids.ts";
import type { Queryable } from "./pool.ts";

const BEGUN = `
  SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now_ms,
         (SELECT coalesce(jsonb_object_agg(tier, attempts), '{}')
            FROM (SELECT tier, count(*) AS attempts FROM attempt WHERE id >= $1 GROUP BY tier) begun) AS begun`;

export interface Begun {
  /** The database's clock. */
  readonly nowMs: number;
  /** By tier; one on which none began is not there. */
  readonly attempts: Readonly<Record<string, number>>;
}

/**
 * How many attempts began on each tier since then, by the database's clock; null: only what that says. They are found by the
 * clocks of those who began them: for looking at, for such a clock may be wrong.
 */
export async function attemptsBegunSince(db: Queryable, sinceMs: number | null): Promise<Begun> {
  const values = [sinceMs === null ? null : idAt("att", sinceMs)];
  const { rows } = await db.query<{ now_ms: number; begun: Begun["attempts"] }>({
    name: "attempts-begun",
    text: BEGUN,
    values,
  });
  const [row] = rows;
  if (row === undefined) throw new Error("the database does not say what its clock says");
  return { nowMs: row.now_ms, attempts: row.begun };
}
