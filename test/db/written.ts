/** What stands in the database about a job: for tests that say a loser, or a refused statement, wrote nothing. */
import type { JobId } from "@contingent/core/ids";
import type { Pool } from "@contingent/db/pool";

const TABLES = [
  "job",
  "job_event",
  "attempt",
  "inquiry",
  "verdict",
  "acceptance_decision",
  "hold",
  "charge",
  "ledger_transaction",
];
const POSTINGS = `
  SELECT jsonb_agg(to_jsonb(p) ORDER BY p.transaction_id, p.seq) AS rows
    FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id WHERE t.job_id = $1`;

/** Every row about the job, by table. Two of these are equal when nothing was written in between. */
export async function written(pool: Pool, id: JobId): Promise<Readonly<Record<string, unknown>>> {
  const found: Record<string, unknown> = {};
  for (const table of TABLES) {
    const key = table === "job" ? "id" : "job_id";
    const text = `SELECT jsonb_agg(to_jsonb(t) ORDER BY to_jsonb(t)::text) AS rows FROM ${table} t WHERE ${key} = $1`;
    found[table] = (await pool.query<{ rows: unknown }>(text, [id])).rows[0]?.rows;
  }
  found["posting"] = (await pool.query<{ rows: unknown }>(POSTINGS, [id])).rows[0]?.rows;
  return found;
}

/** How many rows of each table are about the job, without those that have none. */
export async function counted(pool: Pool, id: JobId): Promise<Readonly<Record<string, number>>> {
  const rows = Object.entries(await written(pool, id)).map(([table, list]) => [
    table,
    Array.isArray(list) ? list.length : 0,
  ]);
  return Object.fromEntries(rows.filter(([, count]) => count !== 0)) as Record<string, number>;
}

/** The revisions of the job's events, in order. */
export async function revisionsOf(pool: Pool, id: JobId): Promise<readonly number[]> {
  const text = "SELECT revision FROM job_event WHERE job_id = $1 ORDER BY revision";
  return (await pool.query<{ revision: number }>(text, [id])).rows.map((row) => row.revision);
}
