/**
 * Which rows a check looks at: all of them, or those that have to do with what was written since an earlier check.
 *
 * A check since an instant runs the very same query, with the tables' names standing for parts of them: a common table
 * expression hides the table whose name it has. So there is one text of each invariant, and none that says less. The parts
 * are found by indexes, and their size follows what was written, not what there is. What nobody has written through the
 * books since (somebody changed an old row by hand) only the full check can find.
 */

/** Of what the rows are that an invariant compares with each other. */
export type Part =
  /** Nothing grows: it is checked as a whole every time. */
  | "whole"
  /** Each transaction for itself. */
  | "transactions"
  /** Each job with everything of its own. Queries that add up over jobs hold for any of them together. */
  | "jobs"
  /** Each customer's balances, open holds and grants. Postings are taken from the sealed balances and what came since. */
  | "customers";

/** The tables of a part, those first that others are found by. `$since` is the first database transaction that was not seen. */
const PARTS: Readonly<Record<Exclude<Part, "whole">, Readonly<Record<string, string>>>> = {
  transactions: {
    ledger_transaction: "SELECT o.* FROM ledger_transaction o WHERE o.xact >= $since",
    posting: "SELECT o.* FROM posting o WHERE o.transaction_id = ANY (ARRAY(SELECT id FROM ledger_transaction))",
  },
  jobs: {
    touched: "SELECT DISTINCT job_id AS id FROM ledger_transaction WHERE xact >= $since AND job_id IS NOT NULL",
    job: "SELECT o.* FROM job o WHERE o.id = ANY (ARRAY(SELECT id FROM touched))",
    ...Object.fromEntries(
      [
        "job_event",
        "attempt",
        "inquiry",
        "verdict",
        "acceptance_decision",
        "hold",
        "hold_slice",
        "charge",
        "unearned",
        "dispute",
        "credit_note",
        "statement_reduction",
        "ledger_transaction",
      ].map((table) => [table, `SELECT o.* FROM ${table} o WHERE o.job_id = ANY (ARRAY(SELECT id FROM touched))`]),
    ),
    posting: "SELECT o.* FROM posting o WHERE o.transaction_id = ANY (ARRAY(SELECT id FROM ledger_transaction))",
    attempt_cost_correction:
      "SELECT o.* FROM attempt_cost_correction o WHERE o.attempt_id = ANY (ARRAY(SELECT id FROM attempt))",
    credit_grant: "SELECT o.* FROM credit_grant o WHERE o.id = ANY (ARRAY(SELECT grant_id FROM credit_note))",
    // Of providers, not of jobs.
    reconciliation: "SELECT o.* FROM reconciliation o WHERE false",
  },
  customers: {
    touched:
      "SELECT DISTINCT customer_id AS id FROM ledger_transaction WHERE xact >= $since AND customer_id IS NOT NULL",
    customer_account: "SELECT o.* FROM customer_account o WHERE o.customer_id = ANY (ARRAY(SELECT id FROM touched))",
    hold: "SELECT o.* FROM hold o WHERE o.customer_id = ANY (ARRAY(SELECT id FROM touched)) AND o.state = 'open'",
    charge: "SELECT o.* FROM charge o WHERE o.customer_id = ANY (ARRAY(SELECT id FROM touched))",
    credit_grant: "SELECT o.* FROM credit_grant o WHERE o.customer_id = ANY (ARRAY(SELECT id FROM touched))",
    credit_note: "SELECT o.* FROM credit_note o WHERE o.customer_id = ANY (ARRAY(SELECT id FROM touched))",
    statement: "SELECT o.* FROM statement o WHERE o.customer_id = ANY (ARRAY(SELECT id FROM touched))",
    statement_payment:
      "SELECT o.* FROM statement_payment o WHERE o.statement_id = ANY (ARRAY(SELECT id FROM statement))",
    account: `SELECT id FROM touched UNION ALL SELECT id FROM credit_grant`,
    sealed: "SELECT coalesce((SELECT until_xact FROM ledger_block ORDER BY number DESC LIMIT 1), '0'::xid8) AS until",
    posting: `
      SELECT m.account_class, m.account_of, m.currency, m.debit_nanos - m.credit_nanos AS amount_nanos FROM account_movement m
       WHERE m.account_class IN ('customer:prepaid', 'customer:held', 'customer:authorized', 'receivable:unbilled', 'receivable:billed')
         AND m.account_of = ANY (ARRAY(SELECT id FROM account))
      UNION ALL
      SELECT p.account_class, p.account_of, p.currency, p.amount_nanos
        FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
       WHERE t.xact >= (SELECT until FROM sealed) AND p.account_of = ANY (ARRAY(SELECT id FROM account))`,
  },
};

/** What several others are found by is worked out once. */
const WORKED_OUT = new Set(["touched", "account"]);

/**
 * The query on those rows of its part that were touched since a database transaction; as it is where there is no part.
 * @param firstXact number of the first database transaction that was not seen
 */
export function since(firstXact: bigint, part: Part, sql: string): string {
  if (part === "whole") return sql;
  const tables = Object.entries(PARTS[part]).map(
    ([name, query]) => `${name} AS ${WORKED_OUT.has(name) ? "MATERIALIZED" : "NOT MATERIALIZED"} (${query})`,
  );
  return `WITH ${tables.join(",\n")}\n${sql}`.replaceAll("$since", `'${firstXact}'::xid8`);
}
