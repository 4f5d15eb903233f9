/**
 * A database that takes no more writes: because it is read-only, or because its disk is full. (A disk that is too full for
 * the log itself stops the server: f08.) Reads go on; writes are told when to come back, and leave nothing behind.
 */
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { held, newMarker, publish, submit } from "../../e2e/support/cases.ts";
import { attemptsOf, expectCharged, expectCostAsBilled } from "../../e2e/support/expectations.ts";
import { HAIKU, INPUT, step } from "../../e2e/support/sums.ts";
import type { GetWorld } from "../harness/use-world.ts";

interface Fullness {
  readonly name: string;
  readonly begin: readonly string[];
  readonly end: readonly string[];
}

/** What the server says when a table cannot grow, said in the middle of whatever writes a job's history. */
const DISK_FULL = `
  CREATE FUNCTION no_space() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$`;

const FULLNESSES: readonly Fullness[] = [
  {
    name: "its disk is full",
    begin: [DISK_FULL, "CREATE TRIGGER no_space BEFORE INSERT ON job_event EXECUTE FUNCTION no_space()"],
    end: ["DROP FUNCTION no_space CASCADE"],
  },
  {
    name: "it is read-only",
    begin: ["ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()"],
    end: ["ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()"],
  },
];

export function databaseFull(get: GetWorld): void {
  test.each(FULLNESSES)(
    "while $name, requests are told when to come back and leave nothing behind, jobs can be read, and an answer that was paid for is not lost",
    async ({ name, begin, end }) => {
      const { system } = get();
      const type = await publish(system, { cascade: [step("fast")] });
      const underWay = await submit(system, { type, steps: [held(name)] });
      await underWay.reached("held");
      const order = { outcome_type: type, input: { marker: newMarker(), ...INPUT }, outcome_key: "later" };
      const ask = () =>
        system.api.send({
          method: "POST",
          path: "/v1/jobs",
          body: order,
          headers: { "idempotency-key": `"${order.input.marker}"` },
        });
      await run(system, begin);
      try {
        // A connection may still be in a transaction that began before.
        await until(async () => (await ask()).status === 503, { what: "a refusal" });
        const refused = await ask();
        expect(refused).toMatchObject({ status: 503, body: { error: { code: "database_unavailable" } } });
        expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
        expect((await underWay.now()).state).toBe("attempting");
        system.simulator.release(name);
        await underWay.reached("answered");
      } finally {
        await run(system, end);
      }
      const job = await underWay.closed();
      expect(attemptsOf(job)).toEqual([`fast ${HAIKU} answered`]);
      await expectCharged(system, underWay, job);
      expectCostAsBilled(underWay, job);
      expect(await jobsOf(system, type)).toEqual([underWay.id]);
      const accepted = await ask();
      expect(accepted.status).toBe(202);
      expect(await jobsOf(system, type)).toHaveLength(2);
    },
  );
}

async function run({ pool }: System, statements: readonly string[]): Promise<void> {
  for (const text of statements) await pool.query({ text });
}

async function jobsOf({ pool }: System, type: string): Promise<readonly string[]> {
  const { rows } = await pool.query<{ id: string }>({
    text: "SELECT id FROM job WHERE outcome_type = $1 ORDER BY created_at",
    values: [type],
  });
  return rows.map(({ id }) => id);
}
