/**
 * Poison: answers whose check loops, or eats all memory, and such on which validators break, or die, whatever is tried. The
 * first are answers that are no good; the others end after three strikes as dead letters, unbilled. Other jobs are not held
 * up, and what was dead can be done once more.
 */
import type { DeadLetterInFullBody } from "@contingent/contracts/http/dead-letters";
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { answer, type Case, publish, submit } from "../../e2e/support/cases.ts";
import { attemptsOf, expectCharged, expectUnbilled, storyOf } from "../../e2e/support/expectations.ts";
import { giveBack } from "../../e2e/support/queues.ts";
import { HAIKU, step, sums } from "../../e2e/support/sums.ts";
import { JUDGED, judgeOf } from "../harness/judged.ts";
import { armToDie, untilDead } from "../harness/processes.ts";
import { UNDISTURBED } from "../harness/stories.ts";
import { type GetWorld, HAZARD_TIMEOUT_MS } from "../harness/use-world.ts";

/** Too short for a person to decide instead. */
const DEADLINE_MS = 25_000;
const OTHERS = 5;

const LOOPS = "export function f() { for (;;); }";
const EATS_MEMORY = "export function f() { const all = []; for (;;) all.push(new Uint8Array(1e6)); }";

export function poison(get: GetWorld): void {
  test("a check that loops or eats all memory fails the answer, and holds up nobody else", async () => {
    const { system } = get();
    const type = await publishCode(system);
    const bad = [
      await submit(system, { type, steps: [answer({ code: LOOPS })] }),
      await submit(system, { type, steps: [answer({ code: EATS_MEMORY })] }),
    ];
    const good = await Promise.all(Array.from({ length: OTHERS }, () => submit(system, { terms: ONE_STEP })));
    for (const it of good) {
      await expectCharged(system, it, await it.closed());
      expect(await storyOf(it)).toEqual(UNDISTURBED);
    }
    for (const it of bad) {
      const job = await it.closed();
      await expectUnbilled(system, it, job, "exhausted");
      expect(attemptsOf(job)).toEqual([`fast ${HAIKU} answered`]);
      expect((await deadLetter(system, it)).status).toBe(404);
    }
  });

  test("a validator that breaks on an answer three times leaves a dead letter, unbilled; once it is mended the job is done once more, and charged once", async () => {
    const { system } = get();
    const type = await publish(system, { ...ONE_STEP, validator: JUDGED, deadline_ms: DEADLINE_MS });
    const useless = answer({ nothing: "of use" });
    const steps = [useless, useless, useless, "right" as const];
    system.simulator.script({ match: judgeOf(type), steps, afterwards: "last" });
    const it = await submit(system, { type });
    const job = await it.closed();
    await expectUnbilled(system, it, job, "validator_error");
    // The model's answer was not to blame: it is asked once.
    expect(it.requests()).toHaveLength(1);
    const { body } = await deadLetter(system, it);
    expect(body).toMatchObject({ state: "open", cause: "validator_error", attempts: 1 });
    const { faults } = body as DeadLetterInFullBody;
    expect(faults.map(({ cause }) => cause)).toEqual(["unanswered", "unanswered", "unanswered"]);

    const again = await redriven(system, it);
    const second = await system.api.closed(again);
    expect(second).toMatchObject({ resolution: "success", billable: true, redrive_of: it.id });
    expect(await it.now()).toMatchObject({ resolution: "failure", billable: false, redriven_as: again });
    // Told twice it is the same job.
    expect(await redriven(system, it)).toBe(again);
  });

  test(
    "an answer that takes three processes with it is judged by no fourth: a dead letter, unbilled, at the cost of nobody else; it can be done once more",
    async () => {
      const { system } = get();
      armToDie(system, "validator", "validator.taken");
      const it = await submit(system, { terms: { ...ONE_STEP, deadline_ms: 600_000 } });
      await diedOver(system);
      for (const strikes of [1, 2]) {
        armToDie(system, "validator", "validator.taken");
        await system.restart("validator");
        await until(async () => (await strikesOf(system, it)) === strikes, {
          timeoutMs: 30_000,
          what: `strike ${strikes}`,
        });
        await system.pool.query("UPDATE job SET ready_at = now(), wake_at = now() WHERE id = $1", [it.id]);
        await diedOver(system);
      }
      const others = await Promise.all(Array.from({ length: OTHERS }, () => submit(system, { terms: ONE_STEP })));
      // Too late for a person to decide instead.
      await system.pool.query("UPDATE job SET deadline_at = now() + interval '29 s' WHERE id = $1", [it.id]);
      await system.restart("validator");

      await expectUnbilled(system, it, await it.closed(), "validator_error");
      expect(it.requests()).toHaveLength(1);
      const { body } = await deadLetter(system, it);
      expect(body).toMatchObject({ state: "open", cause: "validator_error", attempts: 1 });
      const { faults } = body as DeadLetterInFullBody;
      expect(faults.map(({ cause }) => cause)).toEqual(["validator_lost", "validator_lost", "validator_lost"]);
      for (const other of others) await expectCharged(system, other, await other.closed());
      const second = await system.api.closed(await redriven(system, it));
      expect(second).toMatchObject({ resolution: "success", billable: true, redrive_of: it.id });
    },
    HAZARD_TIMEOUT_MS,
  );
}

/** Waits until the armed validator has died, and lets the transport give its message back. */
async function diedOver(system: System): Promise<void> {
  await untilDead(system, "validator");
  await giveBack(system, "validate");
}

async function strikesOf(system: System, it: Case): Promise<number> {
  const text = "SELECT (progress ->> 'strikes')::int AS strikes FROM job WHERE id = $1";
  return (await system.pool.query<{ strikes: number }>({ text, values: [it.id] })).rows[0]?.strikes ?? 0;
}

const ONE_STEP = { cascade: [step("fast", { attempts_max: 1 })] };

/** A type whose answers are programs that are run. */
async function publishCode(system: System): Promise<string> {
  const type = await publish(system);
  await system.operator.publish(type, {
    ...(sums(ONE_STEP) as object),
    output_schema: { type: "object", properties: { code: { type: "string" } }, required: ["code"] },
    validator: {
      use: "code_tests",
      options: { code: "/code", function: { name: "f" }, hidden: { cases: [{ args: [], expected: 1 }] }, case_ms: 100 },
    },
  });
  return type;
}

async function deadLetter(system: System, it: Case): ReturnType<System["operator"]["send"]> {
  return await system.operator.send({ path: `/v1/dead-letters/${it.id}` });
}

/** The job that does it once more. */
async function redriven(system: System, it: Case): Promise<string> {
  const { body } = await system.operator.send({ method: "POST", path: `/v1/dead-letters/${it.id}/redrive` });
  return (body as DeadLetterInFullBody).redriven_as ?? "";
}
