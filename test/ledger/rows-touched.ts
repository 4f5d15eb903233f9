/** What a statement looks at when it is run, and which statements some code runs: for promises that history costs nothing. */
import type { Queryable } from "@contingent/db/pool";
import pg from "pg";
import { vi } from "vitest";

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Actual Rows": number;
  readonly "Actual Loops": number;
  readonly "Rows Removed by Filter"?: number;
  readonly "Rows Removed by Index Recheck"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** How many rows of tables and indexes a statement looks at when it is run. */
export async function rowsTouched(db: Queryable, text: string, values: unknown[]): Promise<number> {
  const explain = { text: `EXPLAIN (ANALYZE, TIMING off, FORMAT JSON) ${text}`, values };
  const { rows } = await db.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(explain);
  const touched = (node: PlanNode): number => {
    const removed = (node["Rows Removed by Filter"] ?? 0) + (node["Rows Removed by Index Recheck"] ?? 0);
    const own = node["Relation Name"] === undefined ? 0 : (node["Actual Rows"] + removed) * node["Actual Loops"];
    return own + (node.Plans ?? []).reduce((total, inner) => total + touched(inner), 0);
  };
  return rows.reduce((total, row) => total + touched(row["QUERY PLAN"][0].Plan), 0);
}

export interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

function isStatement(value: unknown): value is Statement {
  return typeof value === "object" && value !== null && "text" in value && "values" in value;
}

/** The statements that are run meanwhile, on whatever connection. */
export async function statementsOf(work: () => Promise<unknown>): Promise<readonly Statement[]> {
  const query = vi.spyOn(pg.Client.prototype, "query");
  try {
    await work();
    return (query.mock.calls as unknown as [unknown][]).flatMap(([first]) => (isStatement(first) ? [first] : []));
  } finally {
    query.mockRestore();
  }
}
