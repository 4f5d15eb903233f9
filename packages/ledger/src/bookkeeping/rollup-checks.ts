/**
 * Whether the roll-ups are what the sealed postings add up to. Each check is a query that returns rows with a text column
 * `what`, and none when all is well.
 *
 * The full check adds up every posting. The one since a block adds up the postings of the days that have been sealed into
 * since, and compares the margins with the accounts, roll-up against roll-up: its cost does not grow with the days before.
 */
import type { Queryable } from "@contingent/db/pool";
import { BOOKED_DAY, SEALED_UNTIL } from "./chain.ts";
import {
  BEGINNING,
  MARGIN_KEY,
  MARGIN_MEASURES,
  marginLines,
  MEASURE_OF_CLASS,
  SIGN_OF_CLASS,
} from "./margin-lines.ts";
import { unless } from "../proofs.ts";
import { movementsByXact, movementsOf } from "./movements.ts";

const DIFFERENCES_SHOWN_MAX = 20;
const ACCOUNT_KEY = "account_class, account_of, currency, day";
const MEASURES = MARGIN_MEASURES.join(", ");
const NOTHING = MARGIN_MEASURES.map(() => "0").join(", ");

/** Accounts whose movement of a day is not the sum of its postings. */
function movedOtherwise(rolledUp: string, movements: string): string {
  return `
  SELECT format('%s %s on %s: debits %s, credits %s are rolled up; the postings say %s, %s', account_class, account_of, day,
                coalesce(r.debit_nanos, 0), coalesce(r.credit_nanos, 0), coalesce(p.debit_nanos, 0), coalesce(p.credit_nanos, 0)) AS what
    FROM (${rolledUp}) r FULL JOIN (${movements}) p USING (${ACCOUNT_KEY})
   WHERE (r.debit_nanos, r.credit_nanos, r.postings) IS DISTINCT FROM (p.debit_nanos, p.credit_nanos, p.postings)`;
}

const EVERYTHING = "SELECT * FROM account_movement";
const SEALED = `t.xact < ${SEALED_UNTIL}`;
const EVERY_MOVEMENT = unless(
  `NOT EXISTS (${movedOtherwise(EVERYTHING, movementsByXact(SEALED))})`,
  movedOtherwise(EVERYTHING, movementsOf(SEALED)),
);

const DAYS_SINCE = "SELECT day FROM ledger_block WHERE number >= $1";
/** The windows that hold transactions of those days, which are found by their index. */
const WINDOWS_SINCE = `
  SELECT DISTINCT from_xact, until_xact FROM ledger_block WHERE day IN (${DAYS_SINCE})`;
const MOVEMENTS_SINCE = movedOtherwise(
  `SELECT * FROM account_movement WHERE day IN (${DAYS_SINCE})`,
  movementsOf(`${BOOKED_DAY} IN (${DAYS_SINCE}) AND t.id IN (
     SELECT inside.id FROM (${WINDOWS_SINCE}) w
       JOIN ledger_transaction inside ON inside.xact >= w.from_xact AND inside.xact < w.until_xact)`),
);

/** Days on which debits are not credits: the trial balance of any time is their sum. */
const UNBALANCED_DAYS = `
  SELECT format('%s: debits %s, credits %s %s', day, sum(debit_nanos), sum(credit_nanos), currency) AS what
    FROM account_movement GROUP BY day, currency HAVING sum(debit_nanos) <> sum(credit_nanos)`;

/** Measures of money of which the margins have another sum than the accounts of profit and loss. */
const MARGINS_AND_ACCOUNTS = `
  SELECT format('margins have %s %s, the accounts %s', coalesce(m.total, 0), measure, coalesce(a.total, 0)) AS what
    FROM (SELECT measure, sum(total) AS total
            FROM margin_rollup CROSS JOIN LATERAL (VALUES
              ('revenue_nanos', revenue_nanos), ('credits_nanos', credits_nanos),
              ('adjustments_nanos', adjustments_nanos), ('cost_nanos', cost_nanos)) v (measure, total)
           GROUP BY measure) m
    FULL JOIN (SELECT ${MEASURE_OF_CLASS} AS measure, sum((${SIGN_OF_CLASS}) * (debit_nanos - credit_nanos)) AS total
                 FROM account_movement GROUP BY 1) a USING (measure)
   WHERE measure IS NOT NULL AND coalesce(m.total, 0) <> coalesce(a.total, 0)`;

const EVERY_MARGIN = `
  SELECT format('margin of %s: %s is rolled up, the postings say %s', (${MARGIN_KEY.join(", ")})::text, r.measures, p.measures) AS what
    FROM (SELECT ${MARGIN_KEY.join(", ")}, (${MEASURES})::text AS measures FROM margin_rollup) r
    FULL JOIN (SELECT ${MARGIN_KEY.join(", ")}, (${MEASURES})::text AS measures
                 FROM (${marginLines(BEGINNING, SEALED_UNTIL)}) l) p USING (${MARGIN_KEY.join(", ")})
   WHERE coalesce(r.measures, (${NOTHING})::text) <> coalesce(p.measures, (${NOTHING})::text)`;

/** All of it; for the list of invariants. What takes longest is apart, so that something else can be done beside it. */
export const ROLLUPS_IN_FULL = [
  EVERY_MARGIN,
  [EVERY_MOVEMENT, UNBALANCED_DAYS, MARGINS_AND_ACCOUNTS].join(" UNION ALL "),
];
/** That the roll-ups agree with each other: adds up days, not postings. */
export const ROLLUPS_AGREE = [UNBALANCED_DAYS, MARGINS_AND_ACCOUNTS].join(" UNION ALL ");
const ROLLUPS_SINCE = [MOVEMENTS_SINCE, UNBALANCED_DAYS, MARGINS_AND_ACCOUNTS].join(" UNION ALL ");

/**
 * What is wrong with the roll-ups, at most 20 of it: in full, or since a block. Run it through `readAll`, on a snapshot.
 */
export async function checkRollups(client: Queryable, sinceBlock?: number): Promise<readonly string[]> {
  const checks = sinceBlock === undefined ? ROLLUPS_IN_FULL.join(" UNION ALL ") : ROLLUPS_SINCE;
  const { rows } = await client.query<{ what: string }>({
    text: `SELECT what FROM (${checks}) differences LIMIT ${DIFFERENCES_SHOWN_MAX}`,
    values: sinceBlock === undefined ? [] : [sinceBlock],
  });
  return rows.map((row) => row.what);
}
