/**
 * What must be true after every hazard, whatever it was. Three witnesses are heard beside the product's own books: the
 * client, who knows what was acknowledged; the provider, who knows what it has billed; and the processes, which must all run.
 */
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { checkBooks } from "@contingent/ledger/check-books";
import { until } from "@contingent/testkit/until";
import { billsByMarker } from "./bills.ts";
import { stuckJobs } from "./until-closed.ts";
import type { World } from "./world.ts";

export type Wrong = "down" | "stuck" | "lost" | "violation" | "over_cap" | "miscounted" | "double_charge" | "overdrawn";

export interface Finding {
  readonly wrong: Wrong;
  readonly what: string;
}

/** To look at all costs and bills takes long after a long run. */
const LATE_COST_INTERVAL_MS = 250;

/** Waits until all is quiet, and looks at everything. @returns what is wrong; nothing, if the product is right */
export async function audit(world: World): Promise<readonly Finding[]> {
  const down = await processesDown(world);
  const stuck = (await stuckJobs(world.system)).map((what) => finding("stuck", what));
  // What is still under way cannot be counted.
  if (down.length + stuck.length > 0) return [...down, ...stuck];
  const miscounted = await costsLeftUnbooked(world);
  const looks = [lost, violations, overCap, doubleCharges, overdrawn];
  const found = await Promise.all(looks.map((look) => look(world)));
  return [...miscounted, ...found.flat()];
}

async function processesDown({ system }: World): Promise<readonly Finding[]> {
  const isUp = async (name: string): Promise<boolean> => {
    const running = system.processes().find((each) => each.name === name);
    if (running === undefined) return false;
    const paths = ["/healthz", "/readyz"];
    const answers = await Promise.all(paths.map((path) => fetch(`http://127.0.0.1:${running.port}${path}`)));
    for (const { body } of answers) await body?.cancel();
    return answers.every(({ ok }) => ok);
  };
  const checked = system.names().map(async (name) => {
    return await until(() => isUp(name), { what: `${name} to be alive and ready` }).then(
      () => null,
      (error: unknown) => finding("down", String(error)),
    );
  });
  return (await Promise.all(checked)).filter((each) => each !== null);
}

/** 202 seen: the job exists. */
async function lost({ system, client }: World): Promise<readonly Finding[]> {
  return await select(
    system,
    "lost",
    `SELECT told.id || ' was acknowledged and is not there' AS what FROM unnest($1::text[]) AS told (id)
      WHERE NOT EXISTS (SELECT FROM job WHERE job.id = told.id)`,
    [client.acknowledged()],
  );
}

async function violations({ system }: World): Promise<readonly Finding[]> {
  const results = await checkBooks(system.pool, outcomeTypeVersions(system.pool));
  if (results.length === 0) return [finding("violation", "there were no invariants to check")];
  return results.flatMap(({ number, promise, violations: broken }) =>
    broken.map((each) => finding("violation", `${number}. ${promise}: ${JSON.stringify(each)}`)),
  );
}

interface CostRow {
  readonly marker: string;
  readonly cap: bigint;
  readonly overrun: bigint;
  readonly known: bigint;
  readonly presumed: bigint;
}

/** What the jobs cost by the books, by the marker that their prompts begin with. */
async function costs({ system }: World): Promise<readonly CostRow[]> {
  const { rows } = await system.pool.query<CostRow>({
    text: `SELECT i.input ->> 'marker' AS marker, sum(j.cost_cap_nanos)::bigint AS cap, sum(j.cost_overrun_nanos)::bigint AS overrun,
                  coalesce(sum(a.known), 0)::bigint AS known, coalesce(sum(a.presumed), 0)::bigint AS presumed
             FROM job j JOIN job_input i ON i.job_id = j.id
             LEFT JOIN LATERAL (SELECT sum(cost_nanos) FILTER (WHERE cost_state = 'known') AS known,
                                       sum(cost_nanos) FILTER (WHERE cost_state = 'presumed') AS presumed
                                  FROM attempt WHERE attempt.job_id = j.id) a ON true
            WHERE i.input ->> 'marker' IS NOT NULL GROUP BY 1`,
  });
  return rows;
}

/**
 * What is booked as known is what the provider has billed, to the nano, wherever every answer arrived; where one was lost,
 * the bill is no higher than what is known and presumed together.
 */
async function costsLeftUnbooked(world: World): Promise<readonly Finding[]> {
  const look = async (): Promise<readonly Finding[]> => {
    const bills = billsByMarker(world.system.simulator.billed());
    return (await costs(world)).flatMap(({ marker, known, presumed }) => {
      const bill = billOf(bills, marker);
      // A bill that nobody can read is worth what was presumed.
      if (bill === null || (known <= bill && bill <= known + presumed)) return [];
      return [finding("miscounted", `${marker}: known ${known}, presumed ${presumed}, billed ${bill}`)];
    });
  };
  const timing = { intervalMs: LATE_COST_INTERVAL_MS, what: "late costs in the books" };
  return await until(async () => (await look()).length === 0, timing).then(() => [], look);
}

async function overCap(world: World): Promise<readonly Finding[]> {
  const bills = billsByMarker(world.system.simulator.billed());
  return (await costs(world)).flatMap(({ marker, cap, overrun }) => {
    const bill = billOf(bills, marker);
    if (bill === null || bill <= cap + overrun) return [];
    return [finding("over_cap", `${marker}: billed ${bill}, cap ${cap}`)];
  });
}

/** Nothing for a job that was never billed; null for one with a bill that nobody can read. */
function billOf(bills: ReturnType<typeof billsByMarker>, marker: string): bigint | null {
  const bill = bills.get(marker);
  return bill === undefined ? 0n : bill;
}

/** Reckoned from the postings, without the constraints that should prevent it. */
async function doubleCharges({ system }: World): Promise<readonly Finding[]> {
  return await select(
    system,
    "double_charge",
    `SELECT format('%s was captured %s times', job_id, count(*)) AS what FROM ledger_transaction
      WHERE kind = 'capture' GROUP BY job_id HAVING count(*) > 1
     UNION ALL
     SELECT format('%s was charged and is %s', c.job_id, j.resolution) FROM charge c JOIN job j ON j.id = c.job_id
      WHERE j.resolution = 'failure'`,
    [],
  );
}

/** No customer has been charged more than came in for it. */
async function overdrawn({ system }: World): Promise<readonly Finding[]> {
  return await select(
    system,
    "overdrawn",
    `SELECT format('%s has paid in %s and was charged %s', g.customer_id, g.total, c.total) AS what
       FROM (SELECT customer_id, sum(amount_nanos) AS total FROM credit_grant GROUP BY 1) g
       JOIN (SELECT customer_id, sum(amount_nanos) AS total FROM charge GROUP BY 1) c USING (customer_id)
      WHERE c.total > g.total`,
    [],
  );
}

/** A finding for each row, which says `what`. */
async function select(
  { pool }: World["system"],
  wrong: Wrong,
  text: string,
  values: readonly unknown[],
): Promise<readonly Finding[]> {
  const { rows } = await pool.query<{ what: string }>({ text, values: [...values] });
  return rows.map(({ what }) => finding(wrong, what));
}

function finding(wrong: Wrong, what: string): Finding {
  return { wrong, what };
}
