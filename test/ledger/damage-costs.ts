/** Damage to what jobs, attempts, inquiries, verdicts and reconciliations cost, as in damage.ts. */
import type { Damage } from "./damage.ts";

export const COST_DAMAGES: readonly Damage[] = [
  {
    noticed: [9],
    what: "a job says that it cost more than its attempts did",
    sql: ["UPDATE job SET cost_known_nanos = cost_known_nanos + 1 WHERE id = '$charged'"],
  },
  {
    noticed: [9],
    what: "a job hides what is reserved for it",
    sql: ["UPDATE job SET cost_held_nanos = 0 WHERE id = '$open'"],
  },
  { noticed: [9], what: "a job invents an overrun", sql: ["UPDATE job SET cost_overrun_nanos = 1 WHERE id = '$open'"] },
  {
    noticed: [9],
    what: "the cost of one attempt stands in the books for another",
    sql: [
      `UPDATE attempt SET cost_nanos = cost_nanos + CASE job_id WHEN '$charged' THEN 1 ELSE -1 END WHERE job_id IN ('$charged', '$charged2')`,
      `UPDATE job SET cost_known_nanos = cost_known_nanos + CASE id WHEN '$charged' THEN 1 ELSE -1 END WHERE id IN ('$charged', '$charged2')`,
    ],
  },
  {
    noticed: [9],
    what: "what a verdict cost is not in the cost of its job",
    sql: ["UPDATE job SET cost_known_nanos = cost_known_nanos - 70 WHERE id = '$valued'"],
  },
  {
    noticed: [9],
    what: "a verdict hides that it cost more than there was room for",
    sql: ["UPDATE verdict SET reserve_nanos = 69 WHERE job_id = '$valued'"],
  },
  {
    noticed: [9],
    what: "the cost of a verdict stands in the books for another one",
    sql: [
      `UPDATE verdict SET cost_nanos = cost_nanos + CASE job_id WHEN '$charged' THEN 70 ELSE -70 END WHERE job_id IN ('$charged', '$valued')`,
      "UPDATE verdict SET reserve_nanos = cost_nanos WHERE job_id IN ('$charged', '$valued')",
      `UPDATE job SET cost_known_nanos = cost_known_nanos + CASE id WHEN '$charged' THEN 70 ELSE -70 END WHERE id IN ('$charged', '$valued')`,
    ],
  },
  {
    noticed: [9, 14],
    what: "what a verdict cost is not booked",
    sql: [
      "DELETE FROM posting WHERE account_of IN ('judges', 'judges:court')",
      "DELETE FROM ledger_transaction WHERE job_id = '$valued' AND key LIKE 'cost:vrd%'",
    ],
  },
  {
    noticed: [9],
    what: "a job hides what is held for an inquiry",
    sql: ["UPDATE job SET cost_held_nanos = 0 WHERE id = '$asked'"],
  },
  {
    noticed: [9],
    what: "an inquiry hides that it cost more than was held for it",
    sql: ["UPDATE inquiry SET reserve_nanos = 199 WHERE job_id = '$valued'"],
  },
  {
    noticed: [9, 14],
    what: "what an inquiry cost is not booked",
    sql: [
      "DELETE FROM posting WHERE transaction_id = (SELECT id FROM ledger_transaction WHERE job_id = '$valued' AND key LIKE 'cost:inq%')",
      "DELETE FROM ledger_transaction WHERE job_id = '$valued' AND key LIKE 'cost:inq%'",
    ],
  },
  {
    noticed: [9, 14],
    what: "a cost is booked for an attempt that there is not",
    sql: [
      "UPDATE ledger_transaction SET key = 'cost:att_x:reported' WHERE kind = 'cost' AND job_id = '$charged'",
      "UPDATE attempt SET cost_nanos = 0 WHERE job_id = '$charged'",
      "UPDATE job SET cost_known_nanos = 0 WHERE id = '$charged'",
    ],
  },
  {
    noticed: [9],
    what: "an attempt claims to have been corrected",
    sql: ["UPDATE attempt SET cost_version = 1 WHERE job_id = '$charged'"],
  },
  {
    noticed: [9],
    what: "the first correction of a cost is missing",
    sql: [
      "UPDATE attempt SET cost_version = 2 WHERE job_id = '$charged'",
      "INSERT INTO attempt_cost_correction SELECT id, 2, cost_nanos, cost_nanos, 'r', 'key_x' FROM attempt WHERE job_id = '$charged'",
    ],
  },
  {
    noticed: [9],
    what: "a correction does not begin where the one before it ended",
    sql: [
      "UPDATE attempt SET cost_version = 2 WHERE job_id = '$charged'",
      "INSERT INTO attempt_cost_correction SELECT id, 1, cost_nanos, cost_nanos + 1, 'r', 'key_x' FROM attempt WHERE job_id = '$charged'",
      "INSERT INTO attempt_cost_correction SELECT id, 2, cost_nanos, cost_nanos, 'r', 'key_x' FROM attempt WHERE job_id = '$charged'",
    ],
  },
  {
    noticed: [9],
    what: "the last correction says another cost than the attempt does",
    sql: [
      "UPDATE attempt SET cost_version = 1 WHERE job_id = '$charged'",
      "INSERT INTO attempt_cost_correction SELECT id, 1, cost_nanos, cost_nanos - 1, 'r', 'key_x' FROM attempt WHERE job_id = '$charged'",
    ],
  },
  {
    noticed: [9],
    what: "drift is booked that no reconciliation found",
    onlyInFull: true,
    sql: [
      "INSERT INTO ledger_transaction (id, kind, key, currency) VALUES ('txn_d', 'reconciliation', 'recon:x', 'USD')",
      "INSERT INTO posting (transaction_id, seq, kind, account_class, account_of, amount_nanos, currency) VALUES ('txn_d', 1, 'reconciliation', 'cogs:drift', 'p', 5, 'USD'), ('txn_d', 2, 'reconciliation', 'payable', 'p', -5, 'USD')",
    ],
  },
  {
    noticed: [9],
    what: "a reconciliation has posted something else than it found",
    onlyInFull: true,
    sql: [
      "INSERT INTO reconciled_period VALUES ('p', '2026-11-01', '2026-11-02')",
      "INSERT INTO reconciliation VALUES ('rcn_d', 'p', '2026-11-01', '2026-11-02', 1, 7, 2, 0, 'key_x')",
    ],
  },
  {
    noticed: [10],
    what: "a job costs more than its cap",
    sql: [
      "ALTER TABLE job DROP CONSTRAINT job_cost_cap",
      "UPDATE job SET cost_cap_nanos = cost_known_nanos - 1 WHERE id = '$charged'",
    ],
  },
];
