/** One customer's month of very many jobs: copies of one that was charged and of one that was not, as rows. */
import type { JobId } from "@contingent/core/ids";
import type { Pool } from "@contingent/db/pool";

/** Three of ten come to nothing. */
const COPIES = `
  SELECT n, n % 10 < 3 AS is_free, 'job_s' || lpad(n::text, 9, '0') AS id, n * interval '2 milliseconds' AS later
    FROM generate_series(1, $1::int) n`;

const JOBS = `
  INSERT INTO job (id, customer_id, outcome_type, outcome_type_version_id, customer_terms_id, outcome_key, state, revision,
                   resolution, reason, attempts, cost_cap_nanos, price_nanos, progress, created_at, deadline_at, ready_at, wake_at, closed_at)
  SELECT c.id, j.customer_id, j.outcome_type, j.outcome_type_version_id, j.customer_terms_id, 'invoice/' || c.n, j.state, j.revision,
         j.resolution, j.reason, j.attempts, j.cost_cap_nanos, j.price_nanos, j.progress, j.created_at, j.deadline_at, j.ready_at,
         j.wake_at, j.closed_at + c.later
    FROM (${COPIES}) c JOIN job j ON j.id = CASE WHEN c.is_free THEN $3 ELSE $2 END`;

const CHARGES = `
  INSERT INTO charge (job_id, customer_id, outcome_type, verdict_id, amount_nanos, currency, billing, at)
  SELECT c.id, o.customer_id, o.outcome_type, o.verdict_id, o.amount_nanos, o.currency, o.billing, j.closed_at
    FROM (${COPIES}) c JOIN charge o ON o.job_id = $2 JOIN job j ON j.id = c.id WHERE NOT c.is_free AND $3::text IS NOT NULL`;

const TRANSACTIONS = `
  INSERT INTO ledger_transaction (id, kind, key, job_id, customer_id, currency, dated_at)
  SELECT 'txn_' || c.id, o.kind, 'charge:' || c.id, c.id, o.customer_id, o.currency, j.closed_at
    FROM (${COPIES}) c JOIN ledger_transaction o ON o.key = 'charge:' || $2 JOIN job j ON j.id = c.id
   WHERE NOT c.is_free AND $3::text IS NOT NULL`;

const POSTINGS = `
  INSERT INTO posting (transaction_id, seq, kind, account_class, account_of, amount_nanos, currency)
  SELECT 'txn_' || c.id, p.seq, p.kind, p.account_class, p.account_of, p.amount_nanos, p.currency
    FROM (${COPIES}) c
    JOIN ledger_transaction o ON o.key = 'charge:' || $2
    JOIN posting p ON p.transaction_id = o.id
   WHERE NOT c.is_free AND $3::text IS NOT NULL`;

/** Writes them with every trigger off: it is their number that matters here. */
export async function copyMonth(
  pool: Pool,
  { charged, failed, lines }: { readonly charged: JobId; readonly failed: JobId; readonly lines: number },
): Promise<void> {
  const client = await pool.connect();
  await client.query("SET session_replication_role = replica; SET statement_timeout = 0; SET enable_hashjoin = on");
  for (const text of [JOBS, CHARGES, TRANSACTIONS, POSTINGS]) {
    await client.query({ text, values: [lines, charged, failed] });
  }
  await client.query("VACUUM ANALYZE");
  client.release(true);
}
