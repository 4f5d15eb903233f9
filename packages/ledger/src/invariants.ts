/**
 * What must be true of the books and the jobs at any time, each as one query that returns no rows. Every row that it
 * does return is a defect, described by its `what` column. Numbers are those of the project's list of invariants; 21 and
 * 22 are not of that list.
 */
import { PERMITTED_FLOWS } from "@contingent/core/books/accounts";
import { MISCOUNTED, OVER_LIMIT, OVERDRAWN } from "./account-checks.ts";
import { ROLLUPS_AGREE, ROLLUPS_IN_FULL } from "./bookkeeping/rollup-checks.ts";
import type { Part } from "./check-scope.ts";
import { COSTS, OVER_CAP } from "./cost-checks.ts";
import {
  CLOSED_PERIODS,
  CLOSED_PERIODS_SINCE,
  CLOSINGS_SINCE,
  RECEIVABLES,
  STATEMENTS,
} from "./statement/statement-checks.ts";
import { CREDITS, NOT_EARNED } from "./disputes/dispute-checks.ts";
import { CHARGES, EVENTS, HOLDS, RESOLUTIONS, VERDICTS } from "./job-checks.ts";
import { cancelOut, nameOf, unless } from "./proofs.ts";

export interface Invariant {
  readonly number: number;
  readonly promise: string;
  /** Each returns rows with a text column `what`. They may run beside each other. */
  readonly sql: readonly string[];
  /** What it compares: how it is checked on what was written since an earlier check. */
  readonly part: Part;
  /** Checked then instead, where the query adds up everything there is. */
  readonly sqlSince?: readonly string[];
}

/** How long after its deadline a job may take to be closed. */
const CLOSING_GRACE = "interval '2 minutes'";

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

const HEAD = nameOf("id", "kind", "currency", ["xid8", "xact"]);
const HEAD_OF_POSTING = nameOf("transaction_id", "kind", "currency", ["xid8", "xact"]);

/** Postings are numbered from 1: each transaction has a first one. */
const POSTED = cancelOut(`
  SELECT ${HEAD} AS name, 1 AS amount FROM ledger_transaction
  UNION ALL SELECT ${HEAD_OF_POSTING}, -1 FROM posting WHERE seq = 1`);

const NOT_POSTED = `
  SELECT t.id || ' has no postings' AS what FROM ledger_transaction t
   WHERE NOT EXISTS (SELECT FROM posting p WHERE p.transaction_id = t.id)
  UNION ALL
  SELECT format('%s has postings that are not of it', p.transaction_id)
    FROM posting p LEFT JOIN ledger_transaction t ON (t.id, t.kind, t.currency, t.xact) = (p.transaction_id, p.kind, p.currency, p.xact)
   WHERE t.id IS NULL GROUP BY p.transaction_id`;

const BALANCED = cancelOut(`SELECT ${HEAD_OF_POSTING} AS name, amount_nanos AS amount FROM posting`);

const NOT_BALANCED = `
  SELECT format('%s: %s %s', transaction_id, sum(amount_nanos), currency) AS what
    FROM posting GROUP BY transaction_id, currency HAVING sum(amount_nanos) <> 0`;

export const INVARIANTS: readonly Invariant[] = [
  {
    number: 1,
    part: "transactions",
    promise: "every transaction sums to zero per currency",
    sql: [unless(BALANCED, NOT_BALANCED), unless(POSTED, NOT_POSTED)],
  },
  {
    number: 2,
    part: "whole",
    promise:
      "what is booked never changes: the guards of the books are in place, permit what they should, and let only the ledger post",
    sql: [
      `SELECT format('%s has lost its trigger %s', g.relation, g.name) AS what FROM (${values(guards)}) g (relation, name)
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
    ],
  },
  {
    number: 3,
    part: "customers",
    promise: "a balance is the sum of its postings, so is a margin, and accounts count what there is",
    sql: [...ROLLUPS_IN_FULL, MISCOUNTED],
    sqlSince: [ROLLUPS_AGREE, MISCOUNTED],
  },
  {
    number: 4,
    part: "customers",
    promise: "no grant is overdrawn and nothing negative is held, in the books and beside them",
    sql: [OVERDRAWN],
  },
  {
    number: 5,
    part: "customers",
    promise: "what customers have authorized, and what of their prepaid money is held, equals their open holds",
    sql: [
      `SELECT format('%s: %s %s, open holds %s', coalesce(a.customer, h.customer), coalesce(a.class, h.class), a.total, h.total) AS what
            FROM (SELECT account_class AS class, account_of AS customer, -sum(amount_nanos) AS total FROM posting
                   WHERE account_class IN ('customer:authorized', 'customer:held') GROUP BY account_class, account_of) a
            FULL JOIN (SELECT CASE billing WHEN 'prepaid' THEN 'customer:held' ELSE 'customer:authorized' END AS class,
                              customer_id AS customer, sum(amount_nanos) AS total FROM hold
                        WHERE state = 'open' GROUP BY billing, customer_id) h ON h.customer = a.customer AND h.class = a.class
           WHERE coalesce(a.total, 0) <> coalesce(h.total, 0)`,
    ],
  },
  {
    number: 6,
    part: "jobs",
    promise: "at most one charge per job and per outcome key",
    sql: [CHARGES],
  },
  {
    number: 7,
    part: "jobs",
    promise:
      "charged if and only if closed with success or partial at a price; a failure leaves no charge and no open hold, and nobody is asked but for a verdict that a job waits for",
    sql: [RESOLUTIONS],
  },
  {
    number: 8,
    part: "jobs",
    promise:
      "no more is credited than was charged and its statement has left, and each credit note is in the books at its amount",
    sql: [CREDITS],
  },
  {
    number: 9,
    part: "jobs",
    promise:
      "every attempt's, inquiry's and verdict's cost is booked, together they are the job's cost, and a provider's drift is what its reconciliations found",
    sql: COSTS,
  },
  {
    number: 10,
    part: "jobs",
    promise:
      "no job costs more than its cap, worst cases included, except by what its operator added later with a reason",
    sql: [OVER_CAP],
  },
  {
    number: 12,
    part: "jobs",
    promise:
      "every charge has a passing or partial verdict on that job, on an outcome that nobody rejected, and is for its customer and outcome",
    sql: [VERDICTS],
  },
  {
    number: 13,
    part: "jobs",
    promise:
      "each hold ends exactly once, and only with its job; each grant gave its slice of it, and got back what the price left",
    sql: HOLDS,
  },
  {
    number: 14,
    part: "jobs",
    promise: "the margins of the jobs add up to revenue less credits and cost of goods sold",
    sql: [
      `SELECT format('jobs %s, accounts %s', jobs.margin, accounts.margin) AS what
            FROM (SELECT coalesce((SELECT sum(amount_nanos) FROM charge), 0)
                       - coalesce((SELECT sum(amount_nanos) FROM credit_note), 0)
                       - coalesce((SELECT sum(cost_nanos) FROM attempt), 0)
                       - coalesce((SELECT sum(cost_nanos) FROM inquiry), 0)
                       - coalesce((SELECT sum(cost_nanos) FROM verdict), 0) AS margin) jobs,
                 (SELECT -coalesce(sum(amount_nanos), 0) AS margin FROM posting
                   WHERE account_class IN ('revenue:accrued', 'revenue:disputed', 'revenue:earned',
                                           'contra_revenue:credit', 'cogs')) accounts
           WHERE jobs.margin <> accounts.margin`,
    ],
  },
  {
    number: 15,
    part: "customers",
    promise: "charges of the present period and open holds stay within the customer's spending limit",
    sql: [OVER_LIMIT],
  },
  {
    number: 16,
    part: "transactions",
    promise: "the trial balance is zero",
    sql: [
      `SELECT format('%s %s', sum(amount_nanos), currency) AS what
            FROM posting GROUP BY currency HAVING sum(amount_nanos) <> 0`,
    ],
  },
  {
    number: 17,
    part: "transactions",
    promise: "statements are what their lines come to and what was booked, to the nano, and their numbers have no gaps",
    sql: [STATEMENTS],
    sqlSince: [CLOSINGS_SINCE],
  },
  {
    number: 18,
    part: "whole",
    promise: "no job stays open past its deadline, its acceptance window and a grace period",
    // A test clock passes many ends at once; what they call for then takes its time from there.
    sql: [
      `SELECT format('%s is still %s, its deadline was %s', j.id, j.state, j.deadline_at) AS what
            FROM job j JOIN customer_account a ON a.customer_id = j.customer_id
           WHERE j.state <> 'closed'
             AND now() > ${CLOSING_GRACE} + CASE WHEN a.clock_offset > '0' THEN a.updated_at ELSE '-infinity' END
             AND now() + a.clock_offset > ${CLOSING_GRACE}
                 + greatest(j.deadline_at, CASE WHEN j.state IN ('awaiting_acceptance', 'settling') THEN j.ready_at END)`,
    ],
  },
  {
    number: 19,
    part: "jobs",
    promise: "the revisions of a job's events are 1 to n without gaps",
    sql: [EVENTS],
  },
  {
    number: 20,
    part: "transactions",
    promise: "nothing posts into a closed period but what closes it, and none opens again",
    sql: [CLOSED_PERIODS],
    sqlSince: [CLOSED_PERIODS_SINCE],
  },
  {
    number: 21,
    part: "jobs",
    promise: "a charge is either earned or waits for it, and what is in dispute is not earned",
    sql: [NOT_EARNED],
  },
  {
    number: 22,
    part: "customers",
    promise: "customers owe what was charged and is not billed yet, and what their statements are due less payments",
    sql: [RECEIVABLES],
  },
];
