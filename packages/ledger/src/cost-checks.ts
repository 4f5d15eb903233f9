/** What must be true of the costs of jobs, attempts, inquiries, verdicts and providers: parts of the invariants, as queries. */
import { cancelOut, nameOf, unless } from "./proofs.ts";

/** The least that a corrected attempt was said to cost before: what it was corrected by counts against no cap. */
const LEAST_BEFORE_CORRECTION =
  "SELECT attempt_id, min(previous_nanos) AS least FROM attempt_cost_correction GROUP BY attempt_id";

/** A cost's key names what it is the cost of. */
const BOOKED_COSTS = `
  SELECT split_part(t.key, ':', 2) AS id, p.amount_nanos
    FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
   WHERE t.kind = 'cost' AND p.account_class = 'cogs'`;

const EACH_IS_BOOKED = cancelOut(`
  SELECT ${nameOf("id")} AS name, cost_nanos AS amount FROM attempt
  UNION ALL SELECT ${nameOf("id")}, cost_nanos FROM verdict
  UNION ALL SELECT ${nameOf("id")}, cost_nanos FROM inquiry
  UNION ALL SELECT ${nameOf("id")}, -amount_nanos FROM (${BOOKED_COSTS}) b`);

const NOT_BOOKED = `
  SELECT format('%s: cost %s, booked %s', coalesce(c.id, b.id), c.cost_nanos, coalesce(b.total, 0)) AS what
    FROM (SELECT id, cost_nanos FROM attempt UNION ALL SELECT id, cost_nanos FROM verdict
          UNION ALL SELECT id, cost_nanos FROM inquiry) c
    FULL JOIN (SELECT id, sum(amount_nanos) AS total FROM (${BOOKED_COSTS}) t GROUP BY 1) b ON b.id = c.id
   WHERE coalesce(c.cost_nanos, 0) <> coalesce(b.total, 0)`;

/** What a job is made of, and by how much each part cost more than there was room for. */
const PARTS_OF_JOBS = `
  SELECT job_id, cost_state, cost_nanos, reserve_nanos, cost_nanos - least(cost_nanos, reserve_nanos, c.least) AS overrun
    FROM attempt LEFT JOIN (${LEAST_BEFORE_CORRECTION}) c ON c.attempt_id = attempt.id
  UNION ALL
  SELECT job_id, cost_state, cost_nanos, reserve_nanos, greatest(cost_nanos - reserve_nanos, 0) FROM inquiry
  UNION ALL
  SELECT job_id, 'known', cost_nanos, reserve_nanos, greatest(cost_nanos - reserve_nanos, 0) FROM verdict`;

const TOGETHER_THE_JOBS = cancelOut(
  `
  SELECT ${nameOf("id")} AS name, cost_known_nanos AS known, cost_presumed_nanos AS presumed, cost_held_nanos AS held,
         cost_overrun_nanos AS overrun FROM job
  UNION ALL
  SELECT ${nameOf("job_id")}, CASE cost_state WHEN 'known' THEN -cost_nanos END, CASE cost_state WHEN 'presumed' THEN -cost_nanos END,
         CASE cost_state WHEN 'held' THEN -reserve_nanos END, -overrun FROM (${PARTS_OF_JOBS}) p`,
  ["known", "presumed", "held", "overrun"],
);

const NOT_THE_JOBS = `
  SELECT format('%s: known, presumed, held, overrun %s; its attempts, inquiries and verdicts %s', j.id, c.of_job, c.of_parts) AS what
    FROM job j
    LEFT JOIN (SELECT job_id,
                      sum(cost_nanos) FILTER (WHERE cost_state = 'known') AS known,
                      sum(cost_nanos) FILTER (WHERE cost_state = 'presumed') AS presumed,
                      sum(reserve_nanos) FILTER (WHERE cost_state = 'held') AS held,
                      sum(overrun) AS overrun
                 FROM (${PARTS_OF_JOBS}) p GROUP BY job_id) p ON p.job_id = j.id
   CROSS JOIN LATERAL (
     SELECT (j.cost_known_nanos, j.cost_presumed_nanos, j.cost_held_nanos, j.cost_overrun_nanos)::text AS of_job,
            (coalesce(p.known, 0), coalesce(p.presumed, 0), coalesce(p.held, 0), coalesce(p.overrun, 0))::text AS of_parts) c
   WHERE c.of_job <> c.of_parts`;

const CORRECTED_OTHERWISE = `
  SELECT format('%s: cost %s, version %s; its corrections end with %s, version %s', a.id, a.cost_nanos, a.cost_version,
                c.amount_nanos, c.version) AS what
    FROM attempt a
    LEFT JOIN (SELECT DISTINCT ON (attempt_id) * FROM attempt_cost_correction ORDER BY attempt_id, version DESC) c
      ON c.attempt_id = a.id
   WHERE a.cost_version <> coalesce(c.version, 0) OR a.cost_nanos <> coalesce(c.amount_nanos, a.cost_nanos)
  UNION ALL
  SELECT format('%s: correction %s does not follow the one before', attempt_id, version)
    FROM (SELECT *, lag(version, 1, 0) OVER w AS version_before, lag(amount_nanos, 1, previous_nanos) OVER w AS amount_before
            FROM attempt_cost_correction WINDOW w AS (PARTITION BY attempt_id ORDER BY version)) c
   WHERE version <> version_before + 1 OR previous_nanos <> amount_before`;

const OTHER_DRIFT = `
  SELECT format('%s: drift %s, posted by reconciliations %s, found by the last of each period %s', provider, p.drift,
                r.posted, r.found) AS what
    FROM (SELECT account_of AS provider, sum(amount_nanos) AS drift FROM posting
           WHERE account_class = 'cogs:drift' GROUP BY 1) p
    FULL JOIN (SELECT provider, sum(posted_nanos) AS posted, sum(invoiced_nanos - booked_nanos) FILTER (WHERE is_last) AS found
                 FROM (SELECT *, number = max(number) OVER (PARTITION BY provider, from_day, until_day) AS is_last
                         FROM reconciliation) u GROUP BY provider) r USING (provider)
   WHERE coalesce(p.drift, 0) <> coalesce(r.posted, 0) OR coalesce(r.posted, 0) <> coalesce(r.found, 0)`;

export const COSTS = [
  unless(EACH_IS_BOOKED, NOT_BOOKED),
  unless(TOGETHER_THE_JOBS, NOT_THE_JOBS),
  [CORRECTED_OTHERWISE, OTHER_DRIFT].join(" UNION ALL "),
];

export const OVER_CAP = `
  SELECT format('%s: %s of %s, and usage exceeded what was reserved for it by %s', id,
                cost_known_nanos + cost_presumed_nanos + cost_held_nanos, cost_cap_nanos, cost_overrun_nanos) AS what
    FROM job
    LEFT JOIN (SELECT a.job_id, sum(a.cost_nanos - least(a.cost_nanos, a.reserve_nanos, c.least)) AS added
                 FROM (${LEAST_BEFORE_CORRECTION}) c JOIN attempt a ON a.id = c.attempt_id GROUP BY a.job_id) c
      ON c.job_id = job.id
   WHERE cost_known_nanos + cost_presumed_nanos + cost_held_nanos - coalesce(c.added, 0) > cost_cap_nanos`;
