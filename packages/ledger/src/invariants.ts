/**
 * What must be true of the books and the jobs at any time, each as one query that returns no rows. Every row that it
 * does return is a defect, described by its `what` column. Numbers are those of the project's list of invariants; 21 and
 * 22 are not of that list.
 */
import { PERMITTED_FLOWS } from "@contingent/core/books/accounts";
import { INEXACT_SLICES, MISCOUNTED, OVER_LIMIT, OVERDRAWN } from "./account-checks.ts";
import { ROLLUPS_AGREE, ROLLUPS_IN_FULL } from "./bookkeeping/rollup-checks.ts";
import type { Part } from "./check-scope.ts";
import {
  CLOSED_PERIODS,
  CLOSED_PERIODS_SINCE,
  CLOSINGS_SINCE,
  RECEIVABLES,
  STATEMENTS,
} from "./statement/statement-checks.ts";
import { CREDITS, NOT_EARNED } from "./disputes/dispute-checks.ts";

export interface Invariant {
  readonly number: number;
  readonly promise: string;
  /** Returns rows with a text column `what`. */
  readonly sql: string;
  /** What it compares: how it is checked on what was written since an earlier check. */
  readonly part: Part;
  /** Checked then instead, where the query adds up everything there is. */
  readonly sqlSince?: string;
}

/** How long after its deadline a job may take to be closed. */
const CLOSING_GRACE = "interval '2 minutes'";

/** The least that a corrected attempt was said to cost before: what it was corrected by counts against no cap. */
const LEAST_BEFORE_CORRECTION =
  "SELECT attempt_id, min(previous_nanos) AS least FROM attempt_cost_correction GROUP BY attempt_id";

/** The triggers that keep the books from being changed or unbalanced, by table. */
const GUARDS: Readonly<Record<string, readonly string[]>> = {
  permitted_flow: ["append_only"],
  ledger_transaction: ["append_only", "ledger_transaction_is_posted", "refuse_closed_period"],
  posting: ["append_only", "postings_balance"],
  charge: ["append_only", "charge_is_booked", "charge_in_open_period", "charge_is_not_rejected"],
  hold: ["ends_once", "counts_opened", "counts_ended"],
  hold_slice: ["append_only"],
  customer_terms: ["append_only"],
  attempt: ["ends_once"],
  inquiry: ["ends_once", "kept"],
  attempt_cost_correction: ["append_only"],
  price_book_import: ["append_only"],
  price_book_rate: ["append_only"],
  reconciled_period: ["append_only"],
  reconciliation: ["append_only"],
  reconciliation_line: ["append_only"],
  verdict: ["append_only"],
  job_event: ["append_only"],
  job_fault: ["append_only"],
  job: ["bury_dead_letter", "redrive_ends_letter"],
  dead_letter: ["ends_once", "kept"],
  acceptance_decision: ["append_only", "is_a_label"],
  outcome_type_version: ["append_only"],
  dispute: ["resolved_once", "kept", "dispute_is_booked", "is_a_label"],
  credit_note: ["append_only", "credit_note_is_booked", "credit_note_knows_reduction"],
  unearned: ["unchanged", "unearned_is_earned"],
  statement: ["statement_is_final", "statement_stays", "statement_of_a_closed_period", "statement_is_itemized"],
  statement_reduction: ["append_only", "reduction_fits"],
  statement_payment: ["append_only", "payment_fits"],
  customer_account: ["refuse_reopening"],
  ledger_block: ["append_only"],
  book_check: ["append_only"],
  outcome_label: ["append_only"],
  operator_label: ["append_only", "is_a_label"],
  audit: ["decided_once", "kept", "is_a_label"],
  audit_drawing: ["goes_on", "kept"],
  quality_alert: ["ends_once", "kept"],
  customer: ["open_account"],
};
const guards = Object.entries(GUARDS).flatMap(([table, names]) => names.map((name) => [table, name]));
const flows = PERMITTED_FLOWS.map((flow) => [flow.kind, flow.accountClass, flow.direction]);

/** Rows of texts as an SQL VALUES list. */
function values(rows: readonly (readonly string[])[]): string {
  return `VALUES ${rows.map((row) => `(${row.map((text) => `'${text}'`).join(", ")})`).join(", ")}`;
}

export const INVARIANTS: readonly Invariant[] = [
  {
    number: 1,
    part: "transactions",
    promise: "every transaction sums to zero per currency",
    // Added up by a hash of the transaction first, which takes a quarter of the time; what does not balance is then named.
    sql: `SELECT format('%s: %s %s', transaction_id, sum(amount_nanos), currency) AS what
            FROM posting
           WHERE hashtextextended(transaction_id, 0) IN (
             SELECT hashtextextended(transaction_id, 0) FROM posting GROUP BY 1, currency HAVING sum(amount_nanos) <> 0)
           GROUP BY transaction_id, currency HAVING sum(amount_nanos) <> 0
          UNION ALL
          SELECT t.id || ' has no postings' FROM ledger_transaction t
           WHERE NOT EXISTS (SELECT FROM posting p WHERE p.transaction_id = t.id)`,
  },
  {
    number: 2,
    part: "whole",
    promise:
      "what is booked never changes: the guards of the books are in place, permit what they should, and let only the ledger post",
    sql: `SELECT format('%s has lost its trigger %s', g.relation, g.name) AS what FROM (${values(guards)}) g (relation, name)
           WHERE NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = to_regclass(g.relation) AND t.tgname = g.name)
          UNION ALL
          SELECT format('trigger %s of %s is disabled', t.tgname, c.relname) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
           WHERE c.relnamespace = current_schema()::regnamespace AND t.tgenabled NOT IN ('O', 'A')
          UNION ALL
          SELECT format('%s may %s %s', r.name, p.privilege, t.name)
            FROM (VALUES ('contingent_service'), ('public')) r (name), (VALUES ('ledger_transaction'), ('posting')) t (name),
                 (VALUES ('INSERT'), ('UPDATE'), ('DELETE'), ('TRUNCATE')) p (privilege)
           WHERE has_table_privilege(r.name, t.name, p.privilege)
          UNION ALL
          SELECT format('a %s may %s %s, says %s alone', coalesce(p.kind, d.kind), coalesce(p.direction, d.direction),
                        coalesce(p.account_class, d.account_class), CASE WHEN d.kind IS NULL THEN 'the code' ELSE 'the database' END)
            FROM (${values(flows)}) p (kind, account_class, direction)
            FULL JOIN permitted_flow d USING (kind, account_class, direction) WHERE p.kind IS NULL OR d.kind IS NULL`,
  },
  {
    number: 3,
    part: "customers",
    promise: "a balance is the sum of its postings, so is a margin, and accounts count what there is",
    sql: `${ROLLUPS_IN_FULL} UNION ALL ${MISCOUNTED}`,
    sqlSince: `${ROLLUPS_AGREE} UNION ALL ${MISCOUNTED}`,
  },
  {
    number: 4,
    part: "customers",
    promise: "no grant is overdrawn and nothing negative is held, in the books and beside them",
    sql: OVERDRAWN,
  },
  {
    number: 5,
    part: "customers",
    promise: "what customers have authorized, and what of their prepaid money is held, equals their open holds",
    sql: `SELECT format('%s: %s %s, open holds %s', coalesce(a.customer, h.customer), coalesce(a.class, h.class), a.total, h.total) AS what
            FROM (SELECT account_class AS class, account_of AS customer, -sum(amount_nanos) AS total FROM posting
                   WHERE account_class IN ('customer:authorized', 'customer:held') GROUP BY account_class, account_of) a
            FULL JOIN (SELECT CASE billing WHEN 'prepaid' THEN 'customer:held' ELSE 'customer:authorized' END AS class,
                              customer_id AS customer, sum(amount_nanos) AS total FROM hold
                        WHERE state = 'open' GROUP BY billing, customer_id) h ON h.customer = a.customer AND h.class = a.class
           WHERE coalesce(a.total, 0) <> coalesce(h.total, 0)`,
  },
  {
    number: 6,
    part: "jobs",
    promise: "at most one charge per job and per outcome key",
    sql: `SELECT format('%s charges for %s', count(*), job_id) AS what FROM charge GROUP BY job_id HAVING count(*) > 1
          UNION ALL
          SELECT format('%s charges for %s / %s / %s', count(*), customer_id, outcome_type, outcome_key) FROM charge
           WHERE outcome_key IS NOT NULL GROUP BY customer_id, outcome_type, outcome_key HAVING count(*) > 1
          UNION ALL
          SELECT format('%s captures for %s', count(*), job_id) FROM ledger_transaction
           WHERE kind = 'capture' GROUP BY job_id HAVING count(*) > 1`,
  },
  {
    number: 7,
    part: "jobs",
    promise:
      "charged if and only if closed with success or partial at a price; a failure leaves no charge and no open hold, and nobody is asked but for a verdict that a job waits for",
    sql: `SELECT format('%s is %s/%s and %s', j.id, j.state, j.resolution,
                        CASE WHEN c.job_id IS NULL THEN 'not charged' ELSE 'charged' END) AS what
            FROM job j LEFT JOIN charge c ON c.job_id = j.id
           WHERE (c.job_id IS NOT NULL)
                 <> (j.state = 'closed' AND j.resolution IN ('success', 'partial') AND coalesce(j.price_nanos, 0) > 0)
          UNION ALL
          SELECT format('%s is closed and its hold is open', j.id)
            FROM job j JOIN hold h ON h.job_id = j.id WHERE j.state = 'closed' AND h.state = 'open'
          UNION ALL
          SELECT format('%s is %s, waits for %s, and %s is open', j.id, j.state, j.progress -> 'inquiry' ->> 'inquiryId', q.id)
            FROM job j LEFT JOIN inquiry q ON q.job_id = j.id AND q.outcome IS NULL
           WHERE q.id IS DISTINCT FROM j.progress -> 'inquiry' ->> 'inquiryId' OR q.id IS NOT NULL AND j.state <> 'validating'`,
  },
  {
    number: 8,
    part: "jobs",
    promise:
      "no more is credited than was charged and its statement has left, and each credit note is in the books at its amount",
    sql: CREDITS,
  },
  {
    number: 9,
    part: "jobs",
    promise:
      "every attempt's, inquiry's and verdict's cost is booked, together they are the job's cost, and a provider's drift is what its reconciliations found",
    sql: `SELECT format('%s: cost %s, booked %s', coalesce(c.id, b.id), c.cost_nanos, coalesce(b.total, 0)) AS what
            FROM (SELECT id, cost_nanos FROM attempt UNION ALL SELECT id, cost_nanos FROM verdict
                  UNION ALL SELECT id, cost_nanos FROM inquiry) c
            FULL JOIN (SELECT split_part(t.key, ':', 2) AS id, sum(p.amount_nanos) AS total
                         FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
                        WHERE t.kind = 'cost' AND p.account_class = 'cogs' GROUP BY 1) b ON b.id = c.id
           WHERE coalesce(c.cost_nanos, 0) <> coalesce(b.total, 0)
          UNION ALL
          SELECT format('%s: known, presumed, held, overrun %s; its attempts, inquiries and verdicts %s', j.id, c.of_job, c.of_parts)
            FROM job j
            LEFT JOIN (SELECT job_id,
                              sum(cost_nanos) FILTER (WHERE cost_state = 'known') AS known,
                              sum(cost_nanos) FILTER (WHERE cost_state = 'presumed') AS presumed,
                              sum(reserve_nanos) FILTER (WHERE cost_state = 'held') AS held,
                              sum(overrun) AS overrun
                         FROM (SELECT job_id, cost_state, cost_nanos, reserve_nanos,
                                      cost_nanos - least(cost_nanos, reserve_nanos, c.least) AS overrun
                                 FROM attempt LEFT JOIN (${LEAST_BEFORE_CORRECTION}) c ON c.attempt_id = attempt.id
                               UNION ALL
                               SELECT job_id, cost_state, cost_nanos, reserve_nanos, greatest(cost_nanos - reserve_nanos, 0) FROM inquiry
                               UNION ALL
                               SELECT job_id, 'known', cost_nanos, reserve_nanos, greatest(cost_nanos - reserve_nanos, 0) FROM verdict) p
                        GROUP BY job_id) p ON p.job_id = j.id
           CROSS JOIN LATERAL (
             SELECT (j.cost_known_nanos, j.cost_presumed_nanos, j.cost_held_nanos, j.cost_overrun_nanos)::text AS of_job,
                    (coalesce(p.known, 0), coalesce(p.presumed, 0), coalesce(p.held, 0), coalesce(p.overrun, 0))::text AS of_parts) c
           WHERE c.of_job <> c.of_parts
          UNION ALL
          SELECT format('%s: cost %s, version %s; its corrections end with %s, version %s', a.id, a.cost_nanos, a.cost_version,
                        c.amount_nanos, c.version)
            FROM attempt a
            LEFT JOIN (SELECT DISTINCT ON (attempt_id) * FROM attempt_cost_correction ORDER BY attempt_id, version DESC) c
              ON c.attempt_id = a.id
           WHERE a.cost_version <> coalesce(c.version, 0) OR a.cost_nanos <> coalesce(c.amount_nanos, a.cost_nanos)
          UNION ALL
          SELECT format('%s: correction %s does not follow the one before', attempt_id, version)
            FROM (SELECT *, lag(version, 1, 0) OVER w AS version_before, lag(amount_nanos, 1, previous_nanos) OVER w AS amount_before
                    FROM attempt_cost_correction WINDOW w AS (PARTITION BY attempt_id ORDER BY version)) c
           WHERE version <> version_before + 1 OR previous_nanos <> amount_before
          UNION ALL
          SELECT format('%s: drift %s, posted by reconciliations %s, found by the last of each period %s', provider, p.drift,
                        r.posted, r.found)
            FROM (SELECT account_of AS provider, sum(amount_nanos) AS drift FROM posting
                   WHERE account_class = 'cogs:drift' GROUP BY 1) p
            FULL JOIN (SELECT provider, sum(posted_nanos) AS posted, sum(invoiced_nanos - booked_nanos) FILTER (WHERE is_last) AS found
                         FROM (SELECT *, number = max(number) OVER (PARTITION BY provider, from_day, until_day) AS is_last
                                 FROM reconciliation) u GROUP BY provider) r USING (provider)
           WHERE coalesce(p.drift, 0) <> coalesce(r.posted, 0) OR coalesce(r.posted, 0) <> coalesce(r.found, 0)`,
  },
  {
    number: 10,
    part: "jobs",
    promise:
      "no job costs more than its cap, worst cases included, except by what its operator added later with a reason",
    sql: `SELECT format('%s: %s of %s, and usage exceeded what was reserved for it by %s', id,
                        cost_known_nanos + cost_presumed_nanos + cost_held_nanos, cost_cap_nanos, cost_overrun_nanos) AS what
            FROM job
            LEFT JOIN (SELECT a.job_id, sum(a.cost_nanos - least(a.cost_nanos, a.reserve_nanos, c.least)) AS added
                         FROM (${LEAST_BEFORE_CORRECTION}) c JOIN attempt a ON a.id = c.attempt_id GROUP BY a.job_id) c
              ON c.job_id = job.id
           WHERE cost_known_nanos + cost_presumed_nanos + cost_held_nanos - coalesce(c.added, 0) > cost_cap_nanos`,
  },
  {
    number: 12,
    part: "jobs",
    promise:
      "every charge has a passing or partial verdict on that job, on an outcome that nobody rejected, and is for its customer and outcome",
    sql: `SELECT c.job_id || ' is charged without a billable verdict' AS what
            FROM charge c LEFT JOIN verdict v ON v.id = c.verdict_id AND v.job_id = c.job_id AND v.billable
           WHERE v.id IS NULL
          UNION ALL
          SELECT c.job_id || ' is charged for an outcome that was rejected'
            FROM charge c JOIN acceptance_decision d ON d.verdict_id = c.verdict_id WHERE d.decision = 'reject'
          UNION ALL
          SELECT j.id || ' is charged to another customer or for another outcome'
            FROM charge c JOIN job j ON j.id = c.job_id
           WHERE (c.customer_id, c.outcome_type, coalesce(c.outcome_key, ''))
                 <> (j.customer_id, j.outcome_type, coalesce(j.outcome_key, ''))`,
  },
  {
    number: 13,
    part: "jobs",
    promise:
      "each hold ends exactly once, and only with its job; each grant gave its slice of it, and got back what the price left",
    sql: `SELECT format('%s: hold %s, %s endings booked', h.job_id, h.state, count(t.id)) AS what
            FROM hold h LEFT JOIN ledger_transaction t ON t.job_id = h.job_id AND t.kind IN ('capture', 'void')
           GROUP BY h.job_id, h.state
          HAVING count(t.id) <> CASE WHEN h.state = 'open' THEN 0 ELSE 1 END
              OR bool_or((t.kind = 'capture') <> (h.state = 'captured'))
          UNION ALL
          SELECT j.id || ' has no hold' FROM job j WHERE NOT EXISTS (SELECT FROM hold h WHERE h.job_id = j.id)
          UNION ALL
          SELECT format('%s is %s and its hold is %s', j.id, j.state, h.state)
            FROM job j JOIN hold h ON h.job_id = j.id WHERE j.state <> 'closed' AND h.state <> 'open'
          UNION ALL
          ${INEXACT_SLICES}`,
  },
  {
    number: 14,
    part: "jobs",
    promise: "the margins of the jobs add up to revenue less credits and cost of goods sold",
    sql: `SELECT format('jobs %s, accounts %s', jobs.margin, accounts.margin) AS what
            FROM (SELECT coalesce((SELECT sum(amount_nanos) FROM charge), 0)
                       - coalesce((SELECT sum(amount_nanos) FROM credit_note), 0)
                       - coalesce((SELECT sum(cost_nanos) FROM attempt), 0)
                       - coalesce((SELECT sum(cost_nanos) FROM inquiry), 0)
                       - coalesce((SELECT sum(cost_nanos) FROM verdict), 0) AS margin) jobs,
                 (SELECT -coalesce(sum(amount_nanos), 0) AS margin FROM posting
                   WHERE account_class IN ('revenue:accrued', 'revenue:disputed', 'revenue:earned',
                                           'contra_revenue:credit', 'cogs')) accounts
           WHERE jobs.margin <> accounts.margin`,
  },
  {
    number: 15,
    part: "customers",
    promise: "charges of the present period and open holds stay within the customer's spending limit",
    sql: OVER_LIMIT,
  },
  {
    number: 16,
    part: "transactions",
    promise: "the trial balance is zero",
    sql: `SELECT format('%s %s', sum(amount_nanos), currency) AS what
            FROM posting GROUP BY currency HAVING sum(amount_nanos) <> 0`,
  },
  {
    number: 17,
    part: "transactions",
    promise: "statements are what their lines come to and what was booked, to the nano, and their numbers have no gaps",
    sql: STATEMENTS,
    sqlSince: CLOSINGS_SINCE,
  },
  {
    number: 18,
    part: "whole",
    promise: "no job stays open past its deadline, its acceptance window and a grace period",
    // A test clock passes many ends at once; what they call for then takes its time from there.
    sql: `SELECT format('%s is still %s, its deadline was %s', j.id, j.state, j.deadline_at) AS what
            FROM job j JOIN customer_account a ON a.customer_id = j.customer_id
           WHERE j.state <> 'closed'
             AND now() > ${CLOSING_GRACE} + CASE WHEN a.clock_offset > '0' THEN a.updated_at ELSE '-infinity' END
             AND now() + a.clock_offset > ${CLOSING_GRACE}
                 + greatest(j.deadline_at, CASE WHEN j.state IN ('awaiting_acceptance', 'settling') THEN j.ready_at END)`,
  },
  {
    number: 19,
    part: "jobs",
    promise: "the revisions of a job's events are 1 to n without gaps",
    sql: `SELECT format('%s: revision %s, %s events up to %s', j.id, j.revision, count(e.revision), max(e.revision)) AS what
            FROM job j LEFT JOIN job_event e ON e.job_id = j.id
           GROUP BY j.id, j.revision
          HAVING count(e.revision) <> j.revision OR min(e.revision) <> 1 OR max(e.revision) <> j.revision`,
  },
  {
    number: 20,
    part: "transactions",
    promise: "nothing posts into a closed period but what closes it, and none opens again",
    sql: CLOSED_PERIODS,
    sqlSince: CLOSED_PERIODS_SINCE,
  },
  {
    number: 21,
    part: "jobs",
    promise: "a charge is either earned or waits for it, and what is in dispute is not earned",
    sql: NOT_EARNED,
  },
  {
    number: 22,
    part: "customers",
    promise: "customers owe what was charged and is not billed yet, and what their statements are due less payments",
    sql: RECEIVABLES,
  },
];
