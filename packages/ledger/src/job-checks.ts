/** What must be true of jobs, their holds, charges and events: parts of the invariants, as queries. */
import { INEXACT_SLICES } from "./account-checks.ts";
import { cancelOut, nameOf, unless } from "./proofs.ts";

const IS_CHARGED = "state = 'closed' AND resolution IN ('success', 'partial') AND coalesce(price_nanos, 0) > 0";

const CHARGED_ONCE = cancelOut(
  `
  SELECT ${nameOf("id")} AS name, 1 AS charges, 1 AS captures FROM job WHERE ${IS_CHARGED}
  UNION ALL SELECT ${nameOf("job_id")}, -1, 0 FROM charge
  UNION ALL SELECT ${nameOf("job_id")}, 0, -1 FROM ledger_transaction WHERE kind = 'capture'`,
  ["charges", "captures"],
);

const CHARGED_TWICE = `
  SELECT format('%s charges for %s', count(*), job_id) AS what FROM charge GROUP BY job_id HAVING count(*) > 1
  UNION ALL
  SELECT format('%s captures for %s', count(*), job_id) FROM ledger_transaction
   WHERE kind = 'capture' GROUP BY job_id HAVING count(*) > 1`;

export const CHARGES = `
  ${unless(CHARGED_ONCE, CHARGED_TWICE)}
  UNION ALL
  SELECT format('%s charges for %s / %s / %s', count(*), customer_id, outcome_type, outcome_key) FROM charge
   WHERE outcome_key IS NOT NULL GROUP BY customer_id, outcome_type, outcome_key HAVING count(*) > 1`;

const CHARGED_AS_RESOLVED = cancelOut(`
  SELECT ${nameOf("id")} AS name, 1 AS amount FROM job WHERE ${IS_CHARGED}
  UNION ALL SELECT ${nameOf("job_id")}, -1 FROM charge`);

const CHARGED_OTHERWISE = `
  SELECT format('%s is %s/%s and %s', j.id, j.state, j.resolution,
                CASE WHEN c.job_id IS NULL THEN 'not charged' ELSE 'charged' END) AS what
    FROM job j LEFT JOIN charge c ON c.job_id = j.id
   WHERE (c.job_id IS NOT NULL) <> (${IS_CHARGED})`;

export const RESOLUTIONS = `
  ${unless(CHARGED_AS_RESOLVED, CHARGED_OTHERWISE)}
  UNION ALL
  SELECT format('%s is closed and its hold is open', j.id)
    FROM job j JOIN hold h ON h.job_id = j.id WHERE j.state = 'closed' AND h.state = 'open'
  UNION ALL
  SELECT format('%s is %s, waits for %s, and %s is open', j.id, j.state, j.progress -> 'inquiry' ->> 'inquiryId', q.id)
    FROM job j LEFT JOIN inquiry q ON q.job_id = j.id AND q.outcome IS NULL
   WHERE q.id IS DISTINCT FROM j.progress -> 'inquiry' ->> 'inquiryId' OR q.id IS NOT NULL AND j.state <> 'validating'`;

const BILLED_TO = ["customer_id", "outcome_type", "coalesce(outcome_key, '')"];

const CHARGED_FOR_ITS_JOB = cancelOut(`
  SELECT ${nameOf("id", ...BILLED_TO)} AS name, 1 AS amount FROM job WHERE ${IS_CHARGED}
  UNION ALL SELECT ${nameOf("job_id", ...BILLED_TO)}, -1 FROM charge`);

const CHARGED_FOR_ANOTHER = `
  SELECT j.id || ' is charged to another customer or for another outcome' AS what
    FROM charge c JOIN job j ON j.id = c.job_id
   WHERE (c.customer_id, c.outcome_type, coalesce(c.outcome_key, ''))
         <> (j.customer_id, j.outcome_type, coalesce(j.outcome_key, ''))`;

export const VERDICTS = `
  SELECT c.job_id || ' is charged without a billable verdict' AS what
    FROM charge c LEFT JOIN verdict v ON v.id = c.verdict_id AND v.job_id = c.job_id AND v.billable
   WHERE v.id IS NULL
  UNION ALL
  SELECT c.job_id || ' is charged for an outcome that was rejected'
    FROM charge c JOIN acceptance_decision d ON d.verdict_id = c.verdict_id WHERE d.decision = 'reject'
  UNION ALL
  ${unless(CHARGED_FOR_ITS_JOB, CHARGED_FOR_ANOTHER)}`;

/** Each job has a hold, which is open for as long as the job is, and as it ended, so is booked. */
const HELD_AS_LONG_AS_OPEN = cancelOut(
  `
  SELECT ${nameOf("id")} AS name, 1 AS holds, (state = 'closed')::int AS ended, 0 AS captured, 0 AS voided FROM job
  UNION ALL
  SELECT ${nameOf("job_id")}, -1, -(state <> 'open')::int, (state = 'captured')::int, (state = 'voided')::int FROM hold
  UNION ALL
  SELECT ${nameOf("job_id")}, 0, 0, -(kind = 'capture')::int, -(kind = 'void')::int FROM ledger_transaction
   WHERE kind IN ('capture', 'void')`,
  ["holds", "ended", "captured", "voided"],
);

const HELD_OTHERWISE = `
  SELECT format('%s: hold %s, %s endings booked', h.job_id, h.state, count(t.id)) AS what
    FROM hold h LEFT JOIN ledger_transaction t ON t.job_id = h.job_id AND t.kind IN ('capture', 'void')
   GROUP BY h.job_id, h.state
  HAVING count(t.id) <> CASE WHEN h.state = 'open' THEN 0 ELSE 1 END
      OR bool_or((t.kind = 'capture') <> (h.state = 'captured'))
  UNION ALL
  SELECT j.id || ' has no hold' FROM job j WHERE NOT EXISTS (SELECT FROM hold h WHERE h.job_id = j.id)
  UNION ALL
  SELECT format('%s is %s and its hold is %s', j.id, j.state, h.state)
    FROM job j JOIN hold h ON h.job_id = j.id WHERE j.state <> 'closed' AND h.state <> 'open'`;

export const HOLDS = [unless(HELD_AS_LONG_AS_OPEN, HELD_OTHERWISE), INEXACT_SLICES];

const NUMBERED = cancelOut(`
  SELECT ${nameOf("job_id", ["int4", "revision"])} AS name, 1 AS amount FROM job_event
  UNION ALL
  SELECT ${nameOf("id", ["int4", "n"])}, -1 FROM (SELECT id, generate_series(1, revision) AS n FROM job) j`);

const MISNUMBERED = `
  SELECT format('%s: revision %s, %s events up to %s', j.id, j.revision, count(e.revision), max(e.revision)) AS what
    FROM job j LEFT JOIN job_event e ON e.job_id = j.id
   GROUP BY j.id, j.revision
  HAVING count(e.revision) <> j.revision OR min(e.revision) <> 1 OR max(e.revision) <> j.revision`;

export const EVENTS = unless(NUMBERED, MISNUMBERED);
