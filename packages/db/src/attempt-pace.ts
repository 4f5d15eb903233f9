/** How fast attempts begin. A range of the primary key, whose ids are sorted by time: nothing is counted but what is new. */
import { idAt } from "./ids.ts";
import type { Queryable } from "./pool.ts";

const BEGUN = "SELECT tier, count(*)::int AS attempts FROM attempt WHERE id >= $1 GROUP BY tier";

/**
 * How many attempts began on each tier since then, by the clocks of those who began them: for looking at, for clocks may be
 * wrong.
 */
export async function attemptsBegunSince(db: Queryable, sinceMs: number): Promise<ReadonlyMap<string, number>> {
  const statement = { name: "attempts-begun", text: BEGUN, values: [idAt("att", sinceMs)] };
  const { rows } = await db.query<{ tier: string; attempts: number }>(statement);
  return new Map(rows.map(({ tier, attempts }) => [tier, attempts]));
}
