/** Damage to statements, to what is paid on them and to closed periods. See damage.ts. */
import { nanos } from "@contingent/core/money";
import type { Pool } from "@contingent/db/pool";
import { payStatement } from "@contingent/ledger/statement/pay";
import { OUTCOME_TYPE } from "@contingent/testkit/jobs";
import { Billed, usd } from "./billing.ts";
import type { Damage } from "./damage.ts";

/**
 * A customer with a closed statement that is paid in part, and a next one under way. `$statement`: the closed one;
 * `$billed` and `$unbilled`: jobs on it; `$pays`: whose it is.
 */
export async function statementToDamage(pool: Pool): Promise<Readonly<Record<string, string>>> {
  const customer = await Billed.open(pool, {
    outcomeTypes: { [OUTCOME_TYPE]: { allowance: 1, bands: null } },
    discountShare: 0.1,
    commitmentMinimum: nanos(usd(5)),
  });
  await customer.charged(usd(1));
  const billed = await customer.charged(usd(1.001));
  const unbilled = await customer.failed();
  await customer.close(0);
  const statement = customer.statementId(0);
  await payStatement(pool, { statementId: statement, ref: statement, amount: nanos(usd(2)) });
  await customer.charged(usd(3));
  return { statement, billed, unbilled, pays: customer.id };
}

export const STATEMENT_DAMAGES: readonly Damage[] = [
  {
    noticed: [17],
    what: "a statement's hash is not that of its lines",
    sql: ["UPDATE statement SET lines_hash = 'sha256:0' WHERE id = '$statement'"],
  },
  {
    noticed: [17],
    what: "a line of a closed statement says another reason",
    sql: ["UPDATE job SET reason = 'deadline' WHERE id = '$unbilled'"],
  },
  {
    noticed: [17],
    what: "a statement counts an unbilled line less",
    sql: ["UPDATE statement SET lines_unbilled = lines_unbilled - 1 WHERE id = '$statement'"],
  },
  {
    noticed: [17, 22],
    what: "a statement states a cent more than its lines come to",
    sql: [
      "UPDATE statement SET gross_nanos = gross_nanos + 10000000, amount_due_nanos = amount_due_nanos + 10000000 WHERE id = '$statement'",
    ],
  },
  {
    noticed: [17],
    what: "a nano is taken off another charge than the line says",
    sql: [
      "UPDATE statement_reduction SET amount_nanos = amount_nanos + CASE job_id WHEN '$billed' THEN 1 ELSE -1 END WHERE statement_id = '$statement'",
    ],
  },
  {
    noticed: [17],
    what: "nobody knows any more what was taken off a charge",
    sql: ["DELETE FROM statement_reduction WHERE job_id = '$billed'"],
  },
  {
    noticed: [17],
    what: "something is taken off a charge by a statement that does not bill it",
    onlyInFull: true,
    sql: ["INSERT INTO statement_reduction VALUES ('$charged', '$statement', 1)"],
  },
  {
    noticed: [17],
    what: "an allowance is booked as a band",
    sql: [
      "UPDATE posting SET account_of = 'bands' WHERE account_class = 'contra_revenue:adjustment' AND account_of = 'allowance'",
    ],
  },
  {
    noticed: [22],
    what: "a payment is forgotten that is in the books",
    sql: ["DELETE FROM statement_payment WHERE statement_id = '$statement'"],
  },
  {
    noticed: [17],
    onlyInFull: true,
    what: "a number is missing",
    sql: ["UPDATE statement SET number = replace(number, '-000001', '-000003') WHERE id = '$statement'"],
  },
  {
    noticed: [20],
    what: "a payment was dated back into a closed period",
    sql: [
      "UPDATE ledger_transaction SET dated_at = dated_at - interval '20 days' WHERE key = 'pay:$statement:$statement'",
    ],
  },
  {
    noticed: [20],
    what: "what closes a statement is dated outside of its period",
    sql: ["UPDATE ledger_transaction SET dated_at = dated_at + interval '1 day' WHERE key = 'stmt:$statement'"],
  },
  {
    noticed: [20, 22],
    what: "a closed period is open again",
    sql: ["UPDATE customer_account SET closed_until = closed_until - interval '1 month' WHERE customer_id = '$pays'"],
  },
  {
    noticed: [20, 22],
    what: "a period was closed without a statement",
    sql: ["UPDATE customer_account SET closed_until = period_end(closed_until) WHERE customer_id = '$pays'"],
  },
];
