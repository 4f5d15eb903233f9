/**
 * A charge, locked for as long as something is decided about it.
 *
 * Locks: the job's row, then its customer's account, as every transition does; by the account's lock nobody earns the
 * charge meanwhile, and no period begins to be closed: what the charge's statement took off it is known, or is being worked
 * out, or will come after whatever is decided here. How the charge stands is read by a statement of its own, after the locks are
 * there: the statement that waits for a lock has seen the world before it. Indexes: primary and unique keys.
 */
import type { StandingCharge } from "@contingent/core/books/disputes";
import type { Billing } from "@contingent/core/books/funding";
import type { CustomerId, JobId, StatementId } from "@contingent/core/ids";
import { type Currency, nanos } from "@contingent/core/money";
import { lockClocks } from "@contingent/db/account-lock";
import { msOf } from "@contingent/db/job-row";
import type { Queryable } from "@contingent/db/pool";

export interface LockedCharge extends StandingCharge {
  readonly jobId: JobId;
  readonly customerId: CustomerId;
  readonly currency: Currency;
  /** How it was paid, and so how it is given back. */
  readonly billing: Billing;
  /** The statement that bills it and how far that has come; null: it is to come. */
  readonly statement: { readonly id: StatementId; readonly state: "closing" | "closed" } | null;
  /** End of the dispute window, ms since the epoch; null: it is earned already. */
  readonly disputableUntilMs: number | null;
  /** The customer's clock, and never within a closed period. */
  readonly nowMs: number;
}

const LOCK_JOB = "SELECT customer_id FROM job WHERE id = $1 FOR NO KEY UPDATE";

const CHARGE = `
  SELECT c.customer_id, c.currency, c.billing, c.amount_nanos, ${msOf("u.due_at")} AS until_ms,
         coalesce((SELECT max(credited_after_nanos) FROM credit_note WHERE job_id = c.job_id), 0)::bigint AS credited_nanos,
         coalesce(r.amount_nanos, 0)::bigint AS reduced_nanos, s.id AS statement_id, s.state AS statement_state
    FROM charge c
    LEFT JOIN unearned u ON u.job_id = c.job_id
    -- Looked up by its key: as a plain join, all statements were read while the planner believed that there were few.
    LEFT JOIN LATERAL (
      SELECT id, state FROM statement
       WHERE customer_id = c.customer_id AND period_start = period_start('month', c.at) OFFSET 0) s ON true
    LEFT JOIN statement_reduction r ON r.job_id = c.job_id AND s.state = 'closed'
   WHERE c.job_id = $1`;

interface ChargeRow {
  readonly customer_id: CustomerId;
  readonly currency: Currency;
  readonly billing: Billing;
  readonly amount_nanos: bigint;
  readonly until_ms: number | null;
  readonly credited_nanos: bigint;
  readonly reduced_nanos: bigint;
  readonly statement_id: StatementId | null;
  readonly statement_state: "closing" | "closed" | null;
}

/** Locks a job's charge until the transaction ends; null when the job has none. */
export async function lockCharge(client: Queryable, jobId: JobId): Promise<LockedCharge | null> {
  const jobs = await client.query<{ customer_id: CustomerId }>({ name: "lock-job", text: LOCK_JOB, values: [jobId] });
  const customerId = jobs.rows[0]?.customer_id;
  if (customerId === undefined) return null;
  const nowMs = (await lockClocks(client, [customerId])).get(customerId);
  const { rows } = await client.query<ChargeRow>({ name: "standing-charge", text: CHARGE, values: [jobId] });
  const [row] = rows;
  if (row === undefined || nowMs === undefined) return null;
  const { statement_id: statementId, statement_state: state } = row;
  return {
    jobId,
    customerId: row.customer_id,
    currency: row.currency,
    billing: row.billing,
    charged: nanos(row.amount_nanos),
    credited: nanos(row.credited_nanos),
    reduced: nanos(row.reduced_nanos),
    statement: statementId === null || state === null ? null : { id: statementId, state },
    disputableUntilMs: row.until_ms,
    nowMs,
  };
}

/** What is taken off the charge is being worked out at this moment, so nobody can say what is left of it. */
export interface StatementClosing {
  readonly kind: "statement_closing";
  readonly statement: StatementId;
}

/** Whether a credit has to wait until the charge's statement is closed. */
export function awaitedClosing({ statement }: LockedCharge): StatementClosing | null {
  return statement?.state === "closing" ? { kind: "statement_closing", statement: statement.id } : null;
}
