/** Damage to the books and jobs that nothing but a superuser with all guards off can do, one kind for each invariant. */
import { COST_DAMAGES } from "./damage-costs.ts";
import { DISPUTE_DAMAGES } from "./damage-disputes.ts";
import { STATEMENT_DAMAGES } from "./damage-statements.ts";

export interface Damage {
  /** The numbers of the invariants that must notice: the damaged one, and those that follow from it. */
  readonly noticed: readonly number[];
  readonly what: string;
  /** A check of what is new cannot see it, new as it is: it is about everything there is. */
  readonly onlyInFull?: true;
  /**
   * `$charged`, `$failed`, `$open` and `$asked` stand for jobs: closed and charged, closed as a failure after a person was
   * asked about it, being attempted, and being asked about; `$valued` is closed and charged by a number that its outcome
   * carries, and its verdict and an inquiry before it cost something. `$prepaid` is
   * open and `$shared` closed as a partial outcome, both paid from the grants `$promo` and `$topup`; `$unused` is a grant
   * that paid for nothing. `$limited` is a customer with a spending limit and an open job.
   */
  readonly sql: readonly string[];
}

/** A posting of the hold of a job. */
const CONTRA_OF = (job: string): string =>
  `account_class = 'memo:contra' AND transaction_id = (SELECT id FROM ledger_transaction WHERE key = 'hold:${job}')`;

export const DAMAGES: readonly Damage[] = [
  {
    noticed: [1],
    what: "two transactions are unbalanced by amounts that cancel out",
    sql: [
      `UPDATE posting SET amount_nanos = amount_nanos + 1 WHERE ${CONTRA_OF("$charged")}`,
      `UPDATE posting SET amount_nanos = amount_nanos - 1 WHERE ${CONTRA_OF("$open")}`,
    ],
  },
  {
    noticed: [1],
    what: "a transaction has lost its postings, which were nothing together",
    sql: [
      `INSERT INTO ledger_transaction (id, kind, key, job_id, currency) VALUES ('txn_x', 'cost', 'cost:att_x:reported', '$open', 'USD')`,
    ],
  },
  {
    noticed: [1, 16],
    what: "a posting has grown, by an amount that is nothing modulo the first prime of the proofs",
    sql: [`UPDATE posting SET amount_nanos = amount_nanos + 2147483647 WHERE ${CONTRA_OF("$open")}`],
  },
  {
    noticed: [1],
    what: "a posting says another kind than its transaction",
    sql: [`UPDATE posting SET kind = 'void' WHERE ${CONTRA_OF("$open")}`],
  },
  {
    noticed: [1],
    what: "postings are left of a transaction that is gone",
    onlyInFull: true,
    sql: ["DELETE FROM ledger_transaction WHERE key = 'hold:$open'"],
  },
  { noticed: [2], what: "a guard is switched off", sql: ["ALTER TABLE posting DISABLE TRIGGER append_only"] },
  {
    noticed: [2],
    what: "a guard is set to replicas only",
    sql: ["ALTER TABLE charge ENABLE REPLICA TRIGGER charge_is_booked"],
  },
  { noticed: [2], what: "a guard is gone", sql: ["DROP TRIGGER postings_balance ON posting"] },
  {
    noticed: [2],
    what: "all guards of a table are off, foreign keys too",
    sql: ["ALTER TABLE charge DISABLE TRIGGER ALL"],
  },
  {
    noticed: [2],
    what: "a flow is permitted that the code does not know",
    sql: ["INSERT INTO permitted_flow VALUES ('void', 'revenue:accrued', 'credit')"],
  },
  {
    noticed: [2],
    what: "a permitted flow is missing",
    sql: ["DELETE FROM permitted_flow WHERE kind = 'cost' AND account_class = 'cogs' AND direction = 'credit'"],
  },
  { noticed: [2], what: "services may post by themselves", sql: ["GRANT INSERT ON posting TO contingent_service"] },
  {
    noticed: [3],
    what: "an account moved on a day without postings",
    onlyInFull: true,
    sql: ["INSERT INTO account_movement VALUES ('cogs', 'x', 'USD', '2026-01-01', 7, 7, 2)"],
  },
  {
    noticed: [3],
    what: "a job was closed that there is not",
    onlyInFull: true,
    sql: ["INSERT INTO margin_rollup VALUES ('2026-01-01', 'cus_x', 'otv_x', '', '', 0, 0, 0, 0, 0, 1, 0, 0, 1, 0)"],
  },
  {
    noticed: [3],
    what: "a grant has less left than its postings say",
    sql: ["UPDATE credit_grant SET available_nanos = available_nanos - 1 WHERE id = '$unused'"],
  },
  {
    noticed: [3],
    what: "money of a grant is booked that there is not",
    onlyInFull: true,
    sql: [
      "UPDATE posting SET account_of = 'gra_nothing' WHERE account_of = '$unused'",
      "UPDATE credit_grant SET available_nanos = 0 WHERE id = '$unused'",
    ],
  },
  {
    noticed: [3],
    what: "an account counts more as held than is held",
    sql: ["UPDATE customer_account SET held_nanos = held_nanos + 1 WHERE customer_id = '$limited'"],
  },
  {
    noticed: [3],
    what: "an account counts more open jobs than there are",
    sql: ["UPDATE customer_account SET open_jobs = open_jobs + 1 WHERE customer_id = '$limited'"],
  },
  {
    noticed: [3],
    what: "an account counts less as spent than was charged",
    sql: ["UPDATE customer_account SET spent_nanos = spent_nanos - 1 WHERE customer_id = 'cus_fixture'"],
  },
  {
    noticed: [4],
    what: "a grant is overdrawn, and so are its postings",
    sql: [
      "ALTER TABLE credit_grant DROP CONSTRAINT credit_grant_not_overdrawn",
      "UPDATE posting SET amount_nanos = -amount_nanos WHERE transaction_id = (SELECT transaction_id FROM posting WHERE account_of = '$unused')",
      "UPDATE credit_grant SET available_nanos = -available_nanos WHERE id = '$unused'",
    ],
  },
  {
    noticed: [4],
    what: "a grant has more left than ever came in, and so have its postings",
    sql: [
      "ALTER TABLE credit_grant DROP CONSTRAINT credit_grant_not_overdrawn",
      "UPDATE posting SET amount_nanos = 2 * amount_nanos WHERE transaction_id = (SELECT transaction_id FROM posting WHERE account_of = '$unused')",
      "UPDATE credit_grant SET available_nanos = 2 * available_nanos WHERE id = '$unused'",
    ],
  },
  {
    noticed: [5],
    what: "an open hold is larger than what was authorized, and its account counts it so",
    sql: [
      "UPDATE hold SET amount_nanos = amount_nanos + 1 WHERE job_id = '$open'",
      "UPDATE customer_account SET held_nanos = held_nanos + 1 WHERE customer_id = 'cus_fixture'",
    ],
  },
  {
    noticed: [5, 13],
    what: "prepaid money that is held is called authorized",
    sql: ["UPDATE hold SET billing = 'on_account' WHERE job_id = '$prepaid'"],
  },
  {
    noticed: [3, 5],
    what: "a hold belongs to a customer who authorized nothing, and the one who did has none",
    onlyInFull: true,
    sql: [
      "UPDATE hold SET customer_id = 'cus_other' WHERE job_id = '$open'",
      "UPDATE posting SET account_of = 'cus_third' WHERE account_class = 'customer:authorized' AND transaction_id = (SELECT id FROM ledger_transaction WHERE key = 'hold:$open')",
    ],
  },
  {
    noticed: [6],
    what: "two jobs are charged for one outcome",
    sql: [
      "DROP INDEX job_outcome_key",
      "DROP INDEX charge_outcome_key",
      "UPDATE job SET outcome_key = 'one' WHERE id IN ('$charged', '$charged2')",
      "UPDATE charge SET outcome_key = 'one' WHERE job_id IN ('$charged', '$charged2')",
    ],
  },
  { noticed: [7], what: "a failure is charged", sql: ["UPDATE job SET resolution = 'failure' WHERE id = '$charged'"] },
  {
    noticed: [7, 13],
    what: "an open job is charged",
    sql: ["UPDATE job SET state = 'settling', closed_at = NULL WHERE id = '$charged'"],
  },
  {
    noticed: [7],
    what: "somebody is asked about a job that is closed",
    sql: [
      `UPDATE inquiry SET cost_state = 'held', outcome = NULL, ended_at = NULL, score = NULL, findings = NULL WHERE job_id = '$failed'`,
    ],
  },
  {
    noticed: [7, 11],
    what: "a success at a price is not charged, and nobody booked it",
    sql: ["UPDATE job SET resolution = 'success', price_nanos = 500 WHERE id = '$failed'"],
  },
  {
    noticed: [11],
    what: "a verdict's score was raised after the charge",
    sql: ["UPDATE verdict SET score = 0.2 WHERE job_id = '$charged'"],
  },
  {
    noticed: [11],
    what: "the number that a price depends on was raised after the charge",
    sql: ["UPDATE verdict SET value_nanos = value_nanos + 50 WHERE job_id = '$valued'"],
  },
  {
    noticed: [11],
    what: "the number that a price depends on was lost",
    sql: ["UPDATE verdict SET value_nanos = NULL WHERE job_id = '$valued'"],
  },
  {
    noticed: [11],
    what: "a job states another price than it was charged",
    sql: ["UPDATE job SET price_nanos = price_nanos - 1 WHERE id = '$charged'"],
  },
  {
    noticed: [11],
    what: "a charge is higher than its hold was",
    sql: ["UPDATE hold SET amount_nanos = 499 WHERE job_id = '$charged'"],
  },
  {
    noticed: [11],
    what: "a success has no verdict",
    sql: ["UPDATE job SET resolution = 'success', progress = progress - 'best' WHERE id = '$failed'"],
  },
  {
    noticed: [12],
    what: "a charge rests on a verdict that failed",
    sql: ["UPDATE verdict SET decision = 'fail' WHERE job_id = '$charged'"],
  },
  {
    noticed: [11, 12],
    what: "a charge rests on another job's verdict",
    sql: [
      "UPDATE charge SET verdict_id = (SELECT verdict_id FROM charge WHERE job_id = '$charged2') WHERE job_id = '$charged'",
    ],
  },
  {
    noticed: [12],
    what: "a charge is for an outcome that was rejected",
    sql: [
      `INSERT INTO acceptance_decision (job_id, revision, decision, reason, decided_by, verdict_id)
       SELECT job_id, 4, 'reject', 'It is wrong.', 'customer', verdict_id FROM charge WHERE job_id = '$charged'`,
    ],
  },
  {
    noticed: [3, 12, 22],
    what: "a charge is another customer's than its job",
    sql: ["UPDATE charge SET customer_id = 'cus_other' WHERE job_id = '$charged'"],
  },
  {
    noticed: [13],
    what: "a captured hold is called voided",
    sql: ["UPDATE hold SET state = 'voided' WHERE job_id = '$charged'"],
  },
  {
    noticed: [13],
    what: "a voided hold is called captured",
    sql: ["UPDATE hold SET state = 'captured' WHERE job_id = '$failed'"],
  },
  {
    noticed: [7, 13, 5, 3],
    what: "a hold is open again after it ended",
    sql: ["UPDATE hold SET state = 'open' WHERE job_id = '$failed'"],
  },
  {
    noticed: [13, 5, 3],
    what: "a hold ends before its job does",
    sql: ["UPDATE hold SET state = 'voided' WHERE job_id = '$open'"],
  },
  { noticed: [13, 5, 3], what: "a job has no hold", sql: ["DELETE FROM hold WHERE job_id = '$open'"] },
  {
    noticed: [13],
    what: "a slice of a hold is larger than what its grant gave",
    sql: ["UPDATE hold_slice SET amount_nanos = amount_nanos + 1 WHERE job_id = '$prepaid' AND grant_id = '$topup'"],
  },
  {
    noticed: [13],
    what: "the grants that paid for a hold are mixed up",
    sql: ["UPDATE hold_slice SET seq = 3 WHERE seq = 1 AND job_id = '$shared'"],
  },
  {
    noticed: [13],
    what: "a grant got back what another one gave",
    sql: [
      "UPDATE posting SET account_of = '$promo' WHERE account_of = '$topup' AND transaction_id = (SELECT id FROM ledger_transaction WHERE key = 'charge:$shared')",
      "UPDATE credit_grant SET available_nanos = available_nanos + CASE id WHEN '$promo' THEN 200 ELSE -200 END WHERE id IN ('$topup', '$promo')",
    ],
  },
  {
    noticed: [14],
    what: "revenue is earned that was never charged",
    sql: [
      "INSERT INTO posting (transaction_id, seq, kind, account_class, account_of, amount_nanos, currency) SELECT id, 98, kind, 'revenue:earned', '', -7, currency FROM ledger_transaction WHERE key = 'charge:$charged'",
      "INSERT INTO posting (transaction_id, seq, kind, account_class, account_of, amount_nanos, currency) SELECT id, 99, kind, 'breakage', '', 7, currency FROM ledger_transaction WHERE key = 'charge:$charged'",
    ],
  },
  {
    noticed: [14, 21, 22],
    what: "more revenue is booked than was charged",
    sql: [
      "UPDATE posting SET amount_nanos = amount_nanos - 7 WHERE account_class = 'revenue:accrued' AND transaction_id = (SELECT id FROM ledger_transaction WHERE key = 'charge:$charged')",
      "UPDATE posting SET amount_nanos = amount_nanos + 7 WHERE account_class = 'receivable:unbilled' AND transaction_id = (SELECT id FROM ledger_transaction WHERE key = 'charge:$charged')",
    ],
  },
  {
    noticed: [15],
    what: "a limit is below what is in use, and does not say so",
    sql: [
      "ALTER TABLE customer_account DROP CONSTRAINT customer_account_within_limit",
      "UPDATE customer_account SET limit_nanos = held_nanos - 1 WHERE customer_id = '$limited'",
    ],
  },
  {
    noticed: [18],
    what: "a job was forgotten",
    sql: ["UPDATE job SET deadline_at = now() - interval '3 minutes' WHERE id = '$open'"],
  },
  {
    noticed: [18],
    what: "a settlement was forgotten",
    sql: [
      "UPDATE job SET deadline_at = now() - interval '1 day', ready_at = now() - interval '3 minutes' WHERE id = '$settling'",
    ],
  },
  {
    noticed: [19],
    what: "an event is missing",
    sql: ["DELETE FROM job_event WHERE job_id = '$charged' AND revision = 2"],
  },
  {
    noticed: [19],
    what: "the last event is missing",
    sql: ["DELETE FROM job_event WHERE job_id = '$failed' AND type = 'job.closed'"],
  },
  {
    noticed: [19],
    what: "an event was renumbered",
    sql: ["UPDATE job_event SET revision = 99 WHERE job_id = '$charged' AND revision = 3"],
  },
  ...COST_DAMAGES,
  ...DISPUTE_DAMAGES,
  ...STATEMENT_DAMAGES,
];
