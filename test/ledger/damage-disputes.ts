/** Damage to credit notes, to disputes and to what is not earned yet. See damage.ts. */
import type { Damage } from "./damage.ts";

export const DISPUTE_DAMAGES: readonly Damage[] = [
  {
    noticed: [8],
    what: "credit notes of one job say other amounts than were booked, and the same together",
    sql: [
      "UPDATE credit_note SET amount_nanos = amount_nanos + CASE credited_before_nanos WHEN 0 THEN 1 ELSE -1 END WHERE job_id = '$credited'",
    ],
  },
  {
    noticed: [8, 14, 22],
    what: "more is credited than was charged",
    sql: [
      "ALTER TABLE credit_note DROP CONSTRAINT credit_note_within_charge",
      "UPDATE credit_note SET amount_nanos = 401 WHERE job_id = '$credited' AND credited_before_nanos = 100",
    ],
  },
  {
    noticed: [8, 17],
    what: "a statement takes off what was credited before it",
    onlyInFull: true,
    sql: ["INSERT INTO statement_reduction SELECT job_id, '$statement', 201 FROM charge WHERE job_id = '$credited'"],
  },
  {
    noticed: [8],
    what: "a credit note says that its charge's statement took something off",
    sql: ["UPDATE credit_note SET reduced_nanos = 1 WHERE job_id = '$credited' AND credited_before_nanos = 100"],
  },
  {
    noticed: [8, 14, 22],
    what: "a credit is booked for a note that there is not",
    sql: ["DELETE FROM credit_note WHERE job_id = '$credited' AND credited_before_nanos = 100"],
  },
  {
    noticed: [8],
    what: "a customer was given money for a credit note that there is not",
    onlyInFull: true,
    sql: [
      "INSERT INTO credit_grant (id, customer_id, kind, ref, amount_nanos, available_nanos, priority, created_at) SELECT 'gra_x', customer_id, 'credit', 'crn_x', 7, 0, 0, now() FROM job WHERE id = '$credited'",
    ],
  },
  {
    noticed: [21],
    what: "a dispute is called upheld, and its revenue is still in doubt",
    sql: [
      "UPDATE dispute SET state = 'upheld', resolution = 'It is right.', resolved_at = now() WHERE job_id = '$disputed'",
    ],
  },
  {
    noticed: [21],
    what: "a charge does not wait any more, and was not earned",
    sql: ["DELETE FROM unearned WHERE job_id = '$charged'"],
  },
  {
    noticed: [21],
    what: "a charge would be earned a second time",
    sql: [
      "INSERT INTO unearned (job_id, customer_id, amount_nanos, due_at) SELECT job_id, customer_id, amount_nanos, at FROM charge WHERE job_id = '$earned'",
    ],
  },
  {
    noticed: [21],
    what: "one charge waits in another's place",
    sql: [
      "DELETE FROM unearned WHERE job_id = '$charged'",
      "INSERT INTO unearned (job_id, customer_id, amount_nanos, due_at) SELECT job_id, customer_id, amount_nanos, at FROM charge WHERE job_id = '$earned'",
    ],
  },
];
