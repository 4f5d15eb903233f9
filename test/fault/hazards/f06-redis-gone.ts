/**
 * Redis is killed, and killed and its disk wiped, while a worker and a validator die in the middle of calls that may take
 * minutes. The API goes on accepting, the services resume by themselves, and what the dead held is taken up within seconds.
 * (On Postgres there are only the deaths.)
 */
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { type Case, held, publish, submit } from "../../e2e/support/cases.ts";
import { attemptsOf, expectCharged } from "../../e2e/support/expectations.ts";
import { HAIKU, step } from "../../e2e/support/sums.ts";
import { JUDGED, judgeOf } from "../harness/judged.ts";
import { FAST_WORKERS, instanceOf } from "../harness/processes.ts";
import type { GetWorld } from "../harness/use-world.ts";
import type { World } from "../harness/world.ts";

const VICTIM = "worker-fast-1";
const LONG_CALL = { attempts_max: 1, timeout_ms: 600_000 };
/** From its death: unseen for ten seconds, one look, one message, one claim. */
const BACK_WITHIN_MS = 15_000;
const CALLS = 8;
const ORDERS = 5;
const SOON = { intervalMs: 10 };

export function redisGone(get: GetWorld): void {
  test("a worker and a validator die in the middle of long calls: what they held is taken up within 15 s, while Redis comes and goes", async () => {
    const world = get();
    const { system } = world;
    const type = await publish(system, { cascade: [step("fast", LONG_CALL)] });
    const cases = await callsUnderWay(system, type);
    const instance = instanceOf(system, VICTIM);
    const orphans = await jobsHeldBy(system, instance);
    expect(orphans.length).toBeGreaterThan(0);
    const judged = await judgementUnderWay(system);
    const diedAtMs = await databaseTime(system);
    await Promise.all([system.kill(VICTIM), system.kill("validator")]);
    await system.restart("validator");

    const ordered: Case[] = [];
    if (world.redis !== null) ordered.push(...(await redisComesAndGoes(world)));

    await until(async () => (await jobsHeldBy(system, instance)).length === 0, SOON);
    await until(async () => (await restarts(system, orphans)).length === orphans.length, SOON);
    const lost = await until(() => lostReplyTo(system, judged), SOON);
    const again = [...(await restarts(system, orphans)), lost];
    expect(Math.max(...again.map((atMs) => atMs - diedAtMs))).toBeLessThan(BACK_WITHIN_MS);
    expect(await judged.closed()).toMatchObject({ resolution: "success", attempts: 1 });

    await system.restart(VICTIM);
    system.simulator.release(type);
    for (const it of [...cases, ...ordered]) {
      const job = await it.closed();
      const lost = orphans.includes(it.id) ? [`fast ${HAIKU} lost`] : [];
      expect(attemptsOf(job)).toEqual([...lost, `fast ${HAIKU} answered`]);
      await expectCharged(system, it, job);
    }
  });
}

/** A job whose judge has been asked, and does not answer. */
async function judgementUnderWay(system: System): Promise<Case> {
  const type = await publish(system, { cascade: [step("fast")], validator: JUDGED, deadline_ms: 600_000 });
  system.simulator.script({ match: judgeOf(type), steps: [held(type), "right"], afterwards: "last" });
  const it = await submit(system, { type });
  await until(() => system.simulator.held(type) === 1, SOON);
  return it;
}

/** When it was known that nobody waits for the judge any more, by the database's clock, ms. */
async function lostReplyTo({ pool }: System, { id }: Case): Promise<number | undefined> {
  const text = `SELECT (extract(epoch FROM ended_at) * 1000)::float8 AS ms FROM inquiry WHERE job_id = $1 AND outcome = 'broke'`;
  return (await pool.query<{ ms: number }>({ text, values: [id] })).rows[0]?.ms;
}

/** Calls that are under way at the provider, spread over both workers. */
async function callsUnderWay(system: System, type: string): Promise<readonly Case[]> {
  const cases: Case[] = [];
  const isSpread = async (): Promise<boolean> => {
    const holders = await Promise.all(FAST_WORKERS.map((name) => jobsHeldBy(system, instanceOf(system, name))));
    return holders.every((jobs) => jobs.length > 0);
  };
  while (cases.length < CALLS || !(await isSpread())) {
    cases.push(await submit(system, { type, steps: [held(type)] }));
    await until(() => system.simulator.held(type) === cases.length, SOON);
  }
  return cases;
}

/** @returns what was ordered while it was away */
async function redisComesAndGoes({ redis, system }: World): Promise<readonly Case[]> {
  const before = system.processes().map(({ child }) => child.pid);
  const ordered: Case[] = [];
  for (const wiped of [false, true]) {
    await redis?.kill();
    for (let order = 0; order < ORDERS; order += 1) ordered.push(await submit(system));
    await redis?.restart({ wiped });
  }
  await until(async () => (await openOf(system, ordered)) === 0, { ...SOON, what: "what was ordered meanwhile" });
  expect(system.processes().map(({ child }) => child.pid)).toEqual(before);
  return ordered;
}

async function jobsHeldBy({ pool }: System, instance: string): Promise<readonly string[]> {
  const text = "SELECT job_id FROM attempt WHERE holder = $1 AND cost_state = 'held'";
  return (await pool.query<{ job_id: string }>({ text, values: [instance] })).rows.map((row) => row.job_id);
}

async function openOf({ pool }: System, cases: readonly Case[]): Promise<number> {
  const text = "SELECT FROM job WHERE state <> 'closed' AND id = ANY ($1)";
  return (await pool.query({ text, values: [cases.map((it) => it.id)] })).rowCount ?? 0;
}

/** When the second attempts of these jobs began, by the database's clock, ms. */
async function restarts({ pool }: System, ids: readonly string[]): Promise<readonly number[]> {
  const text = `SELECT (extract(epoch FROM started_at) * 1000)::float8 AS ms FROM attempt WHERE number = 2 AND job_id = ANY ($1)`;
  return (await pool.query<{ ms: number }>({ text, values: [ids] })).rows.map(({ ms }) => ms);
}

async function databaseTime({ pool }: System): Promise<number> {
  const text = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms";
  return (await pool.query<{ ms: number }>({ text })).rows[0]?.ms ?? Number.NaN;
}
