/**
 * Poison: answers whose check loops, or eats all memory, and validators that break on an answer whatever is tried. The first
 * are answers that are no good; the second end after three strikes as dead letters, unbilled. Others are not held up, and
 * what was dead can be done once more. (Answers that take whole processes with them: f02.)
 */
import type { DeadLetterInFullBody } from "@contingent/contracts/http/dead-letters";
import type { System } from "@contingent/testkit/system";
import { expect, test } from "vitest";
import { answer, type Case, publish, submit } from "../../e2e/support/cases.ts";
import { attemptsOf, expectCharged, expectUnbilled, storyOf } from "../../e2e/support/expectations.ts";
import { HAIKU, step, sums } from "../../e2e/support/sums.ts";
import { JUDGED, judgeOf } from "../harness/judged.ts";
import { UNDISTURBED } from "../harness/stories.ts";
import type { GetWorld } from "../harness/use-world.ts";

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
