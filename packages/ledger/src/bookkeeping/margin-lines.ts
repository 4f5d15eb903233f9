/**
 * From transactions of the books to lines of the margin roll-up. The same statement rolls a window up, adds what is not
 * sealed yet, and checks the roll-up: each line is a function of the transactions alone.
 */

export const MARGIN_KEY = ["day", "customer_id", "outcome_type_version_id", "tier", "model"] as const;

export const MARGIN_MEASURES = [
  "revenue_nanos",
  "credits_nanos",
  "adjustments_nanos",
  "cost_nanos",
  "absorbed_nanos",
  "closed",
  "billed",
  "partial",
  "failed",
  "calls",
] as const;
export type MarginMeasure = (typeof MARGIN_MEASURES)[number];

export const MARGIN_COLUMNS = [...MARGIN_KEY, ...MARGIN_MEASURES] as const;

/**
 * What accounts of profit and loss count as. Each of them counts as something, so that margins add up to the accounts;
 * an account that counts as nothing is one of the balance sheet.
 */
export const MEASURE_OF_CLASS = `
  CASE WHEN account_class LIKE 'revenue:%' OR account_class = 'breakage' THEN 'revenue_nanos'
       WHEN account_class = 'contra_revenue:credit' THEN 'credits_nanos'
       WHEN account_class IN ('contra_revenue:adjustment', 'rounding') THEN 'adjustments_nanos'
       WHEN account_class IN ('cogs', 'cogs:drift') THEN 'cost_nanos' END`;
/** Which side of the account is more of the measure: what is earned stands on the credit side. */
export const SIGN_OF_CLASS =
  "CASE WHEN account_class LIKE 'revenue:%' OR account_class = 'breakage' THEN -1 ELSE 1 END";

/** Before every database transaction. */
export const BEGINNING = "'0'::xid8";

const DATED_DAY = "(t.dated_at AT TIME ZONE 'UTC')::date";

/**
 * Transactions that are no costs, with their job and the attempt that its revenue is of: the one whose verdict decided, or else
 * the last one. Holds are of no interest to a margin.
 */
const DECIDED = `
      SELECT t.id, t.kind, t.job_id, coalesce(t.customer_id, '') AS customer_id, t.day, j.customer_id AS customer_of_job,
             coalesce(j.outcome_type_version_id, '') AS outcome_type_version_id, j.resolution,
             coalesce(a.tier, '') AS tier, coalesce(a.model, '') AS model
        FROM entry t
        LEFT JOIN job j ON j.id = t.job_id
        LEFT JOIN charge c ON c.job_id = t.job_id
        LEFT JOIN verdict v ON v.id = c.verdict_id
        LEFT JOIN attempt a ON a.job_id = t.job_id
          AND CASE WHEN v.attempt_id IS NULL THEN a.number = j.attempts ELSE a.id = v.attempt_id END
       WHERE t.kind NOT IN ('cost', 'hold')`;

/** All but costs of jobs: revenue, what was taken back of it, and what belongs to no single job. */
const EARNED = `
    SELECT t.day, t.customer_id, t.outcome_type_version_id, t.tier, t.model, p.measure, sum(p.amount) AS amount
      FROM decided t
     CROSS JOIN LATERAL (
       SELECT ${MEASURE_OF_CLASS} AS measure, ${SIGN_OF_CLASS} * amount_nanos AS amount
         FROM posting WHERE transaction_id = t.id AND kind NOT IN ('cost', 'hold', 'void')) p
     WHERE t.kind <> 'void' AND p.measure IS NOT NULL
     GROUP BY 1, 2, 3, 4, 5, 6`;

/** A job's hold ends when it is closed, by a capture or by a void. */
const CLOSED = `
    SELECT c.day, c.customer_of_job, c.outcome_type_version_id, c.tier, c.model, n.measure, n.amount
      FROM (
        SELECT t.day, t.customer_of_job, t.outcome_type_version_id, t.tier, t.model,
               count(*) AS closed, count(*) FILTER (WHERE t.kind = 'capture') AS billed,
               count(*) FILTER (WHERE t.resolution = 'partial') AS partial,
               count(*) FILTER (WHERE t.resolution = 'failure') AS failed
          FROM decided t
         WHERE t.kind IN ('capture', 'void') GROUP BY 1, 2, 3, 4, 5) c
     CROSS JOIN LATERAL (VALUES
       ('closed', c.closed), ('billed', c.billed), ('partial', c.partial), ('failed', c.failed)) n (measure, amount)
    UNION ALL
    SELECT t.day, t.customer_of_job, t.outcome_type_version_id, a.tier, a.model, 'calls', count(*)
      FROM decided t
      JOIN attempt a ON a.job_id = t.job_id
     WHERE t.kind IN ('capture', 'void') GROUP BY 1, 2, 3, 4, 5`;

const MODEL_OF_COST = "substr(p.account_of, strpos(p.account_of, ':') + 1)";

/**
 * What attempts, inquiries and verdicts cost. A cost's key names the attempt that it is of, or the verdict on one, or an
 * inquiry about one; its account names the model. `cost` is a FROM item of cost transactions, called `t`.
 */
function costs(
  day: string,
  cost: string,
  measures: readonly (readonly [name: MarginMeasure, amount: string])[],
): string {
  const amounts = measures.map(([name, amount]) => `${amount} AS ${name}`).join(", ");
  const lines = measures.map(([name]) => `('${name}', c.${name})`).join(", ");
  return `
    SELECT c.day, c.customer_id, c.outcome_type_version_id, c.tier, c.model, n.measure, n.amount
      FROM (
        SELECT ${day} AS day, j.customer_id, j.outcome_type_version_id, coalesce(a.tier, '') AS tier, ${MODEL_OF_COST} AS model, ${amounts}
          FROM ${cost}
          JOIN posting p ON p.transaction_id = t.id AND p.account_class = 'cogs'
          JOIN job j ON j.id = t.job_id
          LEFT JOIN verdict v ON v.id = split_part(t.key, ':', 2) AND v.cost_nanos <> 0
          LEFT JOIN inquiry q ON q.id = split_part(t.key, ':', 2)
          LEFT JOIN attempt a ON a.id = coalesce(v.attempt_id, q.attempt_id, split_part(t.key, ':', 2))
         GROUP BY 1, 2, 3, 4, 5) c
     CROSS JOIN LATERAL (VALUES ${lines}) n (measure, amount)`;
}

/**
 * A cost is absorbed once its job is closed without a charge: by the closing, for what was booked before it, and at once for
 * what is booked after it. Either way on the cost's own day, so that it is a part of the line's cost.
 */
function spent(from: string, until: string): string {
  const absorbed = (isClosed: string): string => `coalesce(sum(p.amount_nanos) FILTER (WHERE ${isClosed}), 0)`;
  const cost = "(SELECT * FROM entry WHERE kind = 'cost') t";
  if (from === BEGINNING) {
    const isClosed = "t.job_id IN (SELECT job_id FROM entry WHERE kind = 'void')";
    return costs("t.day", cost, [
      ["cost_nanos", "sum(p.amount_nanos)"],
      ["absorbed_nanos", absorbed(isClosed)],
    ]);
  }
  // The limit keeps the planner from looking for closings first: there are as many as there ever were jobs.
  const isClosed = `(
            SELECT true FROM ledger_transaction WHERE job_id = t.job_id AND kind = 'void' AND xact < ${until} LIMIT 1)`;
  const before = `entry closing JOIN ledger_transaction t
            ON closing.kind = 'void' AND t.job_id = closing.job_id AND t.kind = 'cost' AND t.xact < ${from}`;
  const now = costs("t.day", cost, [
    ["cost_nanos", "sum(p.amount_nanos)"],
    ["absorbed_nanos", absorbed(isClosed)],
  ]);
  return `${now}
    UNION ALL${costs(DATED_DAY, before, [["absorbed_nanos", "sum(p.amount_nanos)"]])}`;
}

/**
 * Two bounds look to the planner as if hardly anything lay between them. From the beginning on nearly all does, and to look
 * it up one by one took eight times as long.
 */
function windowOf(from: string, until: string): string {
  return from === BEGINNING ? `NOT (t.xact >= ${until})` : `t.xact >= ${from} AND t.xact < ${until}`;
}

/** The lines of the transactions in the window, one for each key. The bounds are SQL expressions. */
export function marginLines(from: string, until: string): string {
  const measures = MARGIN_MEASURES.map(
    (name) => `coalesce(sum(amount) FILTER (WHERE measure = '${name}'), 0)::bigint AS ${name}`,
  );
  const isNothing = MARGIN_MEASURES.map((name) => `${name} = 0`).join(" AND ");
  return `
  SELECT * FROM (
    SELECT ${MARGIN_KEY.join(", ")}, ${measures.join(",\n           ")}
      FROM (
    WITH entry AS ${from === BEGINNING ? "NOT MATERIALIZED" : "MATERIALIZED"} (
      SELECT t.id, t.kind, t.key, t.job_id, t.customer_id, ${DATED_DAY} AS day
        FROM ledger_transaction t WHERE ${windowOf(from, until)}
    ), decided AS MATERIALIZED (${DECIDED}
    )${EARNED}
    UNION ALL${spent(from, until)}
    UNION ALL${CLOSED}
      ) parts
     GROUP BY ${MARGIN_KEY.join(", ")}
  ) lines WHERE NOT (${isNothing})`;
}
