/**
 * A long history, quickly: a handful of jobs live through the real code, one for each way in which a job can end, and their
 * rows are copied under new ids until there are as many as wanted, spread over many customers.
 */
import type { CustomerId } from "@contingent/core/ids";
import { type Pool, readAll, transaction, type Queryable } from "@contingent/db/pool";
import {
  acceptedJob,
  answer,
  callFails,
  claim,
  happens,
  judge,
  type JobOptions,
  take,
  type TestStep,
} from "@contingent/testkit/jobs";

/** Jobs copied by one database transaction. */
const COPIES_PER_TRANSACTION = 4_000;
export const CUSTOMERS = 1_000;
const COPYING_TIMEOUT_MS = 3_600_000;
const TEMPLATE_CUSTOMER: CustomerId = "cus_history";

interface Fate {
  readonly options?: JobOptions;
  readonly steps: readonly TestStep[];
}

const TRY = [claim(), answer()];
const FATES: readonly Fate[] = [
  { steps: [...TRY, judge("pass")] },
  { steps: [...TRY, judge("pass", 0.97)] },
  { steps: [...TRY, judge("fail"), ...TRY, judge("pass")] },
  { steps: [...TRY, judge("partial"), happens("woke")] },
  { steps: [claim(), callFails("timeout", true), ...TRY, judge("pass")] },
  { options: { terms: { attemptsMax: 1 } }, steps: [...TRY, judge("fail")] },
  { steps: [claim(), happens("cancel")] },
];

/** Tables whose rows belong to one job, parents first; which of their columns name something of that job's own. */
const TABLES: readonly (readonly [table: string, ofTheJob: string, own: readonly string[]])[] = [
  ["job", "id", ["id"]],
  ["job_input", "job_id", ["job_id"]],
  ["job_event", "job_id", ["job_id"]],
  ["attempt", "job_id", ["id", "job_id"]],
  ["verdict", "job_id", ["id", "job_id", "attempt_id"]],
  ["hold", "job_id", ["job_id"]],
  ["charge", "job_id", ["job_id", "verdict_id"]],
  ["unearned", "job_id", ["job_id"]],
  ["ledger_transaction", "job_id", ["id", "job_id"]],
  ["posting", "(SELECT t.job_id FROM ledger_transaction t WHERE t.id = transaction_id)", ["transaction_id"]],
];

/** Fills an empty, migrated database with so many closed jobs. Says how far it is. */
export async function writeHistory(pool: Pool, jobs: number, say: (line: string) => void): Promise<void> {
  for (const { options, steps } of FATES) {
    const id = await acceptedJob(pool, { ...options, customerId: TEMPLATE_CUSTOMER });
    await take(pool, id, ...steps, happens("settled"));
  }
  await pool.query(
    `INSERT INTO customer (id, name) SELECT '${TEMPLATE_CUSTOMER}' || n, 'Customer ' || n FROM generate_series(0, ${CUSTOMERS - 1}) n`,
  );
  const statements = await copyStatements(pool);
  const rounds = Math.ceil((jobs - FATES.length) / FATES.length);
  const perTransaction = Math.ceil(COPIES_PER_TRANSACTION / FATES.length);
  for (let from = 1; from <= rounds; from += perTransaction) {
    const until = Math.min(from + perTransaction, rounds + 1);
    await transaction(pool, async (client) => {
      await client.query({ text: `SET LOCAL statement_timeout = ${COPYING_TIMEOUT_MS}` });
      // The guards look at each row; what is copied has passed them. Foreign keys and triggers are off, the checks are not.
      await client.query({ text: "SET LOCAL session_replication_role = replica" });
      for (const text of statements) await client.query({ text, values: [from, until] });
    });
    say(`${until * FATES.length} of ${jobs} jobs`);
  }
  for (const [table] of TABLES) await pool.query(`DROP TABLE IF EXISTS history_${table}`);
  await pool.query(`
    UPDATE customer_account a SET spent_nanos = c.total
      FROM (SELECT customer_id, sum(amount_nanos) AS total FROM charge WHERE at >= period_start('month', now()) GROUP BY 1) c
     WHERE c.customer_id = a.customer_id`);
}

/** One statement per table: rows of the templates, copied with the numbers from $1 until before $2. */
async function copyStatements(db: Queryable): Promise<readonly string[]> {
  const { rows } = await db.query<{ table_name: string; column_name: string }>({
    text: `SELECT table_name, column_name FROM information_schema.columns
            WHERE table_schema = current_schema() AND is_generated = 'NEVER' AND is_identity = 'NO'
              AND column_name <> 'xact' ORDER BY ordinal_position`,
  });
  const known = Map.groupBy(rows, (row) => row.table_name);
  const statements: string[] = [];
  for (const [table, ofTheJob, own] of TABLES) {
    const columns = known.get(table)?.map((row) => row.column_name) ?? [];
    if (columns.length === 0) continue;
    // Apart, so that copying does not search for them among what was copied already.
    await db.query({
      text: `CREATE TABLE history_${table} AS SELECT ${columns.join(", ")} FROM ${table} o
              WHERE ${ofTheJob} IN (SELECT id FROM job WHERE customer_id = '${TEMPLATE_CUSTOMER}')`,
    });
    const copied = columns.map((column) => copyOf(column, own));
    statements.push(`INSERT INTO ${table} (${columns.join(", ")})
                     SELECT ${copied.join(", ")} FROM history_${table} o, generate_series($1::int, $2::int - 1) n`);
  }
  return statements;
}

/** Whatever names the job, or something of it, gets the copy's number behind it; the customer is one of many. */
function copyOf(column: string, own: readonly string[]): string {
  if (own.includes(column)) return `o.${column} || 'x' || n`;
  if (column === "customer_id") return `nullif(o.customer_id || (n % ${CUSTOMERS}), '' || (n % ${CUSTOMERS}))`;
  if (column === "account_of")
    return `CASE o.account_of WHEN '${TEMPLATE_CUSTOMER}' THEN o.account_of || (n % ${CUSTOMERS}) ELSE o.account_of END`;
  if (column === "key") return "regexp_replace(o.key, '((job|att|vrd)_[0-9a-z]+)', '\\1x' || n)";
  if (column === "progress")
    return "regexp_replace(o.progress::text, '((job|att|vrd)_[0-9a-z]+)', '\\1x' || n, 'g')::jsonb";
  return `o.${column}`;
}

/** How much there is. */
export async function sizeOf(
  pool: Pool,
): Promise<{ readonly jobs: bigint; readonly postings: bigint; readonly gigabytes: number }> {
  return await readAll(pool, { statementTimeoutMs: COPYING_TIMEOUT_MS }, async (client) => {
    const { rows } = await client.query<{ jobs: bigint; postings: bigint; bytes: bigint }>({
      text: `SELECT (SELECT count(*) FROM job) AS jobs, (SELECT count(*) FROM posting) AS postings,
                    pg_database_size(current_database()) AS bytes`,
    });
    const [row] = rows;
    if (row === undefined) throw new Error("the database did not answer");
    return { jobs: row.jobs, postings: row.postings, gigabytes: Number(row.bytes) / 1e9 };
  });
}
