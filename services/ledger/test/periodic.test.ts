/** Hazard: a duty that is forgotten, or that holds up the others. */
import type { AuditId } from "@contingent/core/ids";
import { decideAudit } from "@contingent/ledger/audits/decide";
import { createLog } from "@contingent/runtime/log";
import { PLAIN } from "@contingent/db/payloads/payloads";
import { openPool, type OpenPool } from "@contingent/db/pool";
import { CUSTOMER, driveTo, partsOf } from "@contingent/testkit/jobs";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Duty, DUTIES, type PeriodicContext, runPeriodic } from "../src/periodic.ts";

let database: TestDatabase;
let pool: OpenPool;
beforeAll(async () => {
  database = await freshDatabase();
  pool = openPool(database.url, { applicationName: "periodic-test" });
});
afterAll(async () => {
  await pool.end();
  await database.drop();
});

function contextOf(lines: string[]): PeriodicContext {
  const destination = { write: (line: string) => void lines.push(line) };
  return {
    pool,
    versions: partsOf(pool).versions,
    payloads: PLAIN,
    payloadKeys: [],
    closeGraceMs: 3_600_000,
    idempotencyDays: 30,
    log: createLog({ service: "ledger", instance: "test", level: "trace", destination }),
  };
}

/** Lets them run until this is so. @returns what was logged */
async function whileRunning(
  duties: readonly Duty[],
  condition: () => Promise<boolean> | boolean,
): Promise<readonly string[]> {
  const lines: string[] = [];
  const stopping = new AbortController();
  const running = runPeriodic(contextOf(lines), { intervalMs: 5, signal: stopping.signal, duties });
  const what = "the duties to be done";
  await until(async () => await condition(), { timeoutMs: 10_000, what });
  stopping.abort();
  await running;
  return lines;
}

test("a charge without a dispute window is earned by nobody's asking", async () => {
  const job = await driveTo(pool, "closed", { terms: { disputeWindowMs: 0 } });
  const isEarned = async (): Promise<boolean> =>
    (await pool.query("SELECT FROM ledger_transaction WHERE key = $1", [`earn:${job}`])).rowCount === 1;
  expect(await isEarned()).toBe(false);
  const lines = await whileRunning(DUTIES, isEarned);
  expect(lines.filter((line) => line.includes("periodic duty failed"))).toEqual([]);
});

test("a request with an Idempotency-Key is forgotten when its time is over, unless somebody serves it", async () => {
  const job = await driveTo(pool, "queued");
  const made = (key: string, ageDays: number, more = "200, '{}', NULL"): string => `
    INSERT INTO idempotency (customer_id, key, fingerprint, job_id, existing, created_at, status, body, in_flight_until)
    VALUES ('${CUSTOMER}', '${key}', 'f', '${job}', false, now() - interval '${ageDays} days', ${more})`;
  await pool.query(made("young", 29));
  await pool.query(made("served", 31, "NULL, NULL, now() + interval '1 hour'"));
  await pool.query(made("abandoned", 31, "NULL, NULL, now() - interval '1 hour'"));
  await pool.query(made("old", 31));
  const kept = async (): Promise<readonly string[]> =>
    (await pool.query<{ key: string }>("SELECT key FROM idempotency ORDER BY key")).rows.map(({ key }) => key);
  await whileRunning(DUTIES, async () => (await kept()).length === 2);
  expect(await kept()).toEqual(["served", "young"]);
});

test("a billed outcome is drawn for an audit, and what that finds to be wrong given back, by nobody's asking", async () => {
  const audit = { rate: 1, method: "human", credit: true, dueMs: 60_000 } as const;
  const job = await driveTo(pool, "closed", { quality: { audit } });
  const audits = async (): Promise<readonly { readonly id: AuditId; readonly credit: string | null }[]> =>
    (await pool.query<{ id: AuditId; credit: string | null }>("SELECT id, credit FROM audit WHERE job_id = $1", [job]))
      .rows;
  await whileRunning(DUTIES, async () => (await audits()).length === 1);
  const [drawn] = await audits();
  await decideAudit(pool, drawn?.id ?? "aud_none", { result: "incorrect", reason: "I looked.", decidedBy: "key_test" });
  await whileRunning(DUTIES, async () => (await audits())[0]?.credit === "given");
  const { rowCount } = await pool.query("SELECT FROM credit_note WHERE job_id = $1 AND ref = $2", [job, drawn?.id]);
  expect(rowCount).toBe(1);
});

test("a duty that fails is tried again, and the others are done all the same", async () => {
  const done: string[] = [];
  const failing: Duty = {
    name: "failing",
    perRoundMax: 1,
    run: () => {
      done.push("failing");
      return Promise.reject(new Error("not today"));
    },
  };
  const idle: Duty = {
    name: "idle",
    perRoundMax: 1,
    run: () => {
      done.push("idle");
      return Promise.resolve(0);
    },
  };
  const lines = await whileRunning([failing, idle], () => done.length >= 6);
  expect(done.slice(0, 6)).toEqual(["failing", "idle", "failing", "idle", "failing", "idle"]);
  expect(lines.filter((line) => line.includes("not today")).length).toBeGreaterThanOrEqual(3);
});

test("a round that was full is followed by another at once", async () => {
  const found = [2, 2, 1];
  const counting: Duty = { name: "counting", perRoundMax: 2, run: () => Promise.resolve(found.shift() ?? 0) };
  const stopping = new AbortController();
  // The pause is longer than the test may take: only rounds without one can empty the list.
  const running = runPeriodic(contextOf([]), { intervalMs: 600_000, signal: stopping.signal, duties: [counting] });
  await until(async () => found.length === 0, { timeoutMs: 10_000, what: "the third round" });
  stopping.abort();
  await running;
});
