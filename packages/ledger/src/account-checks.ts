/** What must be true of customers' accounts, their prepaid money and their limits: parts of the invariants, as queries. */

/** Balances that are kept beside the postings, holds and charges that they sum up. */
export const MISCOUNTED = `
  SELECT format('%s: available %s, booked %s', coalesce(g.id, p.account_of), g.available_nanos, coalesce(p.total, 0)) AS what
    FROM credit_grant g
    FULL JOIN (SELECT account_of, -sum(amount_nanos) AS total FROM posting
                WHERE account_class = 'customer:prepaid' GROUP BY account_of) p ON p.account_of = g.id
   WHERE g.available_nanos IS DISTINCT FROM coalesce(p.total, 0)
  UNION ALL
  SELECT format('%s: counts %s as held for %s open jobs, open holds %s for %s',
                a.customer_id, a.held_nanos, a.open_jobs, coalesce(h.total, 0), coalesce(h.jobs, 0))
    FROM customer_account a
    LEFT JOIN (SELECT customer_id, sum(amount_nanos) AS total, count(*) AS jobs FROM hold
                WHERE state = 'open' GROUP BY customer_id) h ON h.customer_id = a.customer_id
   WHERE (a.held_nanos, a.open_jobs) <> (coalesce(h.total, 0), coalesce(h.jobs, 0))
  UNION ALL
  SELECT format('%s: counts %s as spent since %s, charges %s', a.customer_id, a.spent_nanos, a.spent_from, coalesce(c.total, 0))
    FROM customer_account a
    LEFT JOIN (SELECT s.customer_id, sum(c.amount_nanos) AS total
                 FROM customer_account s JOIN charge c ON c.customer_id = s.customer_id AND c.at >= s.spent_from
                GROUP BY s.customer_id) c ON c.customer_id = a.customer_id
   WHERE a.spent_nanos <> coalesce(c.total, 0)`;

export const OVERDRAWN = `
  SELECT format('%s %s: %s', account_class, account_of, -sum(amount_nanos)) AS what FROM posting
   WHERE account_class IN ('customer:prepaid', 'customer:held', 'customer:authorized')
   GROUP BY account_class, account_of HAVING sum(amount_nanos) > 0
  UNION ALL
  SELECT format('%s: %s available of %s', id, available_nanos, amount_nanos) FROM credit_grant
   WHERE available_nanos NOT BETWEEN 0 AND amount_nanos
  UNION ALL
  SELECT format('%s: %s held', customer_id, held_nanos) FROM customer_account WHERE held_nanos < 0`;

export const OVER_LIMIT = `
  SELECT format('%s: %s charged and %s held of %s per %s', a.customer_id, c.total, h.total, a.limit_nanos, a.limit_period) AS what
    FROM customer_account a
   CROSS JOIN LATERAL (SELECT coalesce(sum(amount_nanos), 0) AS total FROM charge WHERE customer_id = a.customer_id
                          AND at >= period_start(a.limit_period, now() + a.clock_offset)) c
   CROSS JOIN LATERAL (SELECT coalesce(sum(amount_nanos), 0) AS total FROM hold
                        WHERE customer_id = a.customer_id AND state = 'open') h
   WHERE c.total + h.total > greatest(a.limit_nanos, a.limit_floor_nanos) AND a.limit_nanos IS NOT NULL`;

/**
 * Slices of prepaid holds, against what was booked: each grant gave its slice, and all together gave the hold. When it
 * ended, the price was paid from the slices in their order, and each grant got back the rest of its own.
 */
export const INEXACT_SLICES = `
  SELECT format('%s is a hold of %s on %s, its slices add up to %s', h.job_id, h.amount_nanos, h.billing, s.total) AS what
    FROM hold h LEFT JOIN (SELECT job_id, sum(amount_nanos) AS total FROM hold_slice GROUP BY job_id) s ON s.job_id = h.job_id
   WHERE s.total IS DISTINCT FROM CASE WHEN h.billing = 'prepaid' THEN h.amount_nanos END
  UNION ALL
  SELECT format('%s: %s gave %s and got back %s, booked %s and %s', coalesce(due.job_id, booked.job_id),
                coalesce(due.grant_id, booked.grant_id), due.gave, due.back, booked.gave, booked.back)
    FROM (SELECT s.job_id, s.grant_id, s.amount_nanos AS gave,
                 CASE WHEN h.state = 'open' THEN 0
                      ELSE s.amount_nanos - least(s.amount_nanos, greatest(0, coalesce(c.amount_nanos, 0) - (
                             sum(s.amount_nanos) OVER (PARTITION BY s.job_id ORDER BY s.seq) - s.amount_nanos))) END AS back
            FROM hold_slice s JOIN hold h ON h.job_id = s.job_id LEFT JOIN charge c ON c.job_id = s.job_id) due
    FULL JOIN (SELECT t.job_id, p.account_of AS grant_id,
                      coalesce(sum(p.amount_nanos) FILTER (WHERE t.kind = 'hold'), 0) AS gave,
                      coalesce(-sum(p.amount_nanos) FILTER (WHERE t.kind <> 'hold'), 0) AS back
                 FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
                WHERE t.kind IN ('hold', 'capture', 'void') AND p.account_class = 'customer:prepaid'
                GROUP BY t.job_id, p.account_of) booked
      ON booked.job_id = due.job_id AND booked.grant_id = due.grant_id
   WHERE (due.gave, due.back) IS DISTINCT FROM (booked.gave, booked.back)`;
