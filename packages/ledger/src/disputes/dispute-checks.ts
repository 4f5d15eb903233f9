/** What must be true of credit notes, disputes and charges that are not earned yet. See invariants.ts. */
import { cancelOut, nameOf, unless } from "../proofs.ts";

export const CREDITS = `
  SELECT format('%s: %s credited and %s taken off by its statement, of %s', c.job_id, coalesce(n.total, 0),
                coalesce(r.amount_nanos, 0), c.amount_nanos) AS what
    FROM charge c
    LEFT JOIN (SELECT job_id, sum(amount_nanos) AS total FROM credit_note GROUP BY job_id) n ON n.job_id = c.job_id
    LEFT JOIN statement_reduction r ON r.job_id = c.job_id
   WHERE coalesce(n.total, 0) + coalesce(r.amount_nanos, 0) > c.amount_nanos
  UNION ALL
  SELECT format('%s: given when its charge was reduced by %s, and that is %s', n.id, n.reduced_nanos, coalesce(r.amount_nanos, 0))
    FROM credit_note n LEFT JOIN statement_reduction r ON r.job_id = n.job_id
   WHERE n.reduced_nanos <> coalesce(r.amount_nanos, 0)
  UNION ALL
  SELECT format('%s: %s given, %s booked', coalesce(n.id, b.id), coalesce(n.amount_nanos, 0), coalesce(b.total, 0))
    FROM credit_note n
    FULL JOIN (SELECT t.credit_note_id AS id, sum(p.amount_nanos) AS total
                 FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
                WHERE t.kind = 'credit' AND p.account_class = 'contra_revenue:credit' GROUP BY 1) b ON b.id = n.id
   WHERE coalesce(n.amount_nanos, 0) <> coalesce(b.total, 0)
  UNION ALL
  SELECT format('%s: %s given, and the grant is of %s', coalesce(n.id, g.ref), coalesce(n.amount_nanos, 0), coalesce(g.amount_nanos, 0))
    FROM (SELECT * FROM credit_note WHERE grant_id IS NOT NULL) n
    FULL JOIN (SELECT * FROM credit_grant WHERE kind = 'credit') g ON g.id = n.grant_id
   WHERE (n.amount_nanos, n.customer_id) IS DISTINCT FROM (g.amount_nanos, g.customer_id)`;

export const NOT_EARNED = `
  SELECT format('dispute %s is %s over %s, and %s are in dispute', coalesce(d.id, b.id), coalesce(d.state, 'unknown'),
                coalesce(d.amount_nanos, 0), coalesce(b.total, 0)) AS what
    FROM dispute d
    FULL JOIN (SELECT t.dispute_id AS id, -sum(p.amount_nanos) AS total
                 FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
                WHERE t.kind = 'dispute' AND p.account_class = 'revenue:disputed' GROUP BY 1) b ON b.id = d.id
   WHERE coalesce(d.amount_nanos, 0) * (coalesce(d.state, '') = 'open')::int <> coalesce(b.total, 0)
  UNION ALL
  SELECT d.id || ' is open, and its charge is earned' FROM dispute d
   WHERE d.state = 'open' AND NOT EXISTS (SELECT FROM unearned u WHERE u.job_id = d.job_id)
  UNION ALL
  SELECT format('accrued and in dispute %s, not earned yet %s', books.total, waiting.total)
    FROM (SELECT -coalesce(sum(amount_nanos), 0) AS total FROM posting
           WHERE account_class IN ('revenue:accrued', 'revenue:disputed')) books,
         (SELECT coalesce(sum(amount_nanos), 0) AS total FROM unearned) waiting
   WHERE books.total <> waiting.total
  UNION ALL
  ${unless(
    cancelOut(`
      SELECT ${nameOf("job_id")} AS name, 1 AS amount FROM charge
      UNION ALL SELECT ${nameOf("job_id")}, -1 FROM unearned
      UNION ALL SELECT ${nameOf("job_id")}, -1 FROM ledger_transaction WHERE kind = 'earn'`),
    `
      SELECT format('the charge for %s is %s', c.job_id,
                    CASE WHEN u.job_id IS NULL THEN 'neither earned nor waiting' ELSE 'earned and still waiting' END) AS what
        FROM charge c
        LEFT JOIN unearned u ON u.job_id = c.job_id
        LEFT JOIN ledger_transaction t ON t.job_id = c.job_id AND t.kind = 'earn'
       WHERE (u.job_id IS NULL) <> (t.id IS NOT NULL)`,
  )}`;
