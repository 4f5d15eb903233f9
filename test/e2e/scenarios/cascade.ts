/** From an answer to a bill: right, wrong and then right, not good enough for one tier, never good enough. */
import { expect, test } from "vitest";
import { nanosOf } from "../support/bills.ts";
import { bookedFor } from "../support/books.ts";
import { answer, settle } from "../support/cases.ts";
import { attemptsOf, expectCharged, expectCostAsBilled, expectUnbilled, storyOf } from "../support/expectations.ts";
import { HAIKU, HALF, NET_WRONG, OPUS, PRICE, RIGHT, SONNET, step, WRONG } from "../support/sums.ts";
import type { GetSystem } from "../support/use-system.ts";

export function cascadeTests(system: GetSystem): void {
  test.concurrent("an answer that is right at once is delivered and charged once", async () => {
    const { it, job } = await settle(system());
    expect(job).toMatchObject({ resolution: "success", reason: "verified", output: RIGHT, score: 1, attempts: 1 });
    expect(attemptsOf(job)).toEqual([`fast ${HAIKU} answered`]);
    expect(it.requests().map(({ model }) => model)).toEqual([HAIKU]);
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
    const attempt = job.attempt_list?.[0]?.id;
    const { keys } = await bookedFor(system(), it.id);
    expect(keys.toSorted()).toEqual([`charge:${it.id}`, `cost:${attempt}:reported`, `hold:${it.id}`]);
    expect(await storyOf(it)).toEqual([
      "job.accepted",
      "attempt.started",
      "attempt.answered",
      "job.resolved",
      "job.closed",
    ]);
  });

  test.concurrent("the hold is taken before the job is accepted, at the type's full price", async () => {
    const { it } = await settle(system());
    expect(it.accepted).toMatchObject({ state: "queued", resolution: null, billable: false, price: null });
    expect((await it.events())[0]).toMatchObject({ type: "job.accepted", revision: 1 });
    const { rows } = await system().pool.query<{ amount_nanos: bigint }>({
      text: "SELECT amount_nanos FROM hold WHERE job_id = $1",
      values: [it.id],
    });
    expect(rows.map((row) => row.amount_nanos)).toEqual([nanosOf({ amount: PRICE })]);
  });

  test.concurrent("a customer never sees what a job costs its operator", async () => {
    const { it, job } = await settle(system(), { steps: [answer(WRONG)] });
    expect(nanosOf(job.cost)).toBeGreaterThan(0n);
    const expand = "expand%5B%5D=attempts,verdict,charge";
    const customers = JSON.stringify((await system().api.send({ path: `/v1/jobs/${it.id}?${expand}` })).body);
    expect(customers).toContain('"attempt_list"');
    expect(customers).not.toMatch(/"(cost|margin|customer_id)"/);
    const events = JSON.stringify(await it.events());
    expect(events).not.toMatch(/cost_nanos|"cost"|reserve/);
  });

  test.concurrent("a wrong answer is tried again on its tier, with the findings in the prompt", async () => {
    const { it, job } = await settle(system(), { steps: [answer(WRONG)] });
    expect(job).toMatchObject({ resolution: "success", output: RIGHT, attempts: 2 });
    expect(attemptsOf(job)).toEqual([`fast ${HAIKU} answered`, `fast ${HAIKU} answered`]);
    const [first, second] = it.requests();
    expect(first).toMatchObject({ findings: 0 });
    expect(second).toMatchObject({ findings: 2 });
    expect(second?.prompt_excerpt).toContain("A previous answer to this request was rejected.");
    expect(second?.prompt_excerpt).toContain("- /net [sum_mismatch]:");
    const findings = job.attempt_list?.[0]?.verdict?.findings ?? [];
    expect(findings.map(({ path, code }) => [path, code])).toEqual([
      ["/net", "sum_mismatch"],
      ["/gross", "sum_mismatch"],
    ]);
    expect(findings[0]?.message).toContain(String(NET_WRONG));
    expect(job.attempt_list?.map((attempt) => attempt.verdict?.decision)).toEqual(["fail", "pass"]);
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
    expect(await storyOf(it)).toEqual([
      "job.accepted",
      "attempt.started",
      "attempt.answered",
      "job.retried",
      "attempt.started",
      "attempt.answered",
      "job.resolved",
      "job.closed",
    ]);
  });

  test.concurrent("a job that the fast tier cannot do is done by the next one, and its operator pays for all of it", async () => {
    const { it, job } = await settle(system(), { stepsOf: { [HAIKU]: [answer(WRONG), answer(WRONG)] } });
    expect(job).toMatchObject({ resolution: "success", output: RIGHT, attempts: 3 });
    expect(attemptsOf(job)).toEqual([
      `fast ${HAIKU} answered`,
      `fast ${HAIKU} answered`,
      `standard ${SONNET} answered`,
    ]);
    // The findings travel with the job to the stronger model.
    expect(it.requests().map(({ model, findings }) => [model, findings])).toEqual([
      [HAIKU, 0],
      [HAIKU, 2],
      [SONNET, 2],
    ]);
    const escalated = (await it.events()).find((event) => event.type === "job.escalated");
    expect(escalated?.data).toMatchObject({ cause: "verdict", tier: "standard", model: SONNET });
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
    expect(it.billed().map(({ model }) => model)).toEqual([HAIKU, HAIKU, SONNET]);
  });

  test.concurrent("a job that no tier can do fails as exhausted and costs its customer nothing", async () => {
    const steps = Array.from({ length: 4 }, () => answer(WRONG));
    const { it, job } = await settle(system(), { steps });
    expect(attemptsOf(job)).toEqual([
      `fast ${HAIKU} answered`,
      `fast ${HAIKU} answered`,
      `standard ${SONNET} answered`,
      `premium ${OPUS} answered`,
    ]);
    await expectUnbilled(system(), it, job, "exhausted");
    expectCostAsBilled(it, job);
    expect(nanosOf(job.cost)).toBeGreaterThan(0n);
    expect(job.findings).not.toEqual([]);
  });

  test.concurrent("an answer that is not JSON is a failed attempt like any other", async () => {
    const { job } = await settle(system(), { steps: ["garbage", answer(RIGHT)] });
    expect(job).toMatchObject({ resolution: "success", attempts: 2 });
    expect(job.attempt_list?.[0]?.verdict).toMatchObject({ decision: "fail", score: 0 });
  });

  test.concurrent("a tier that is asked for more is not content with what the tier before was, and each verdict says why", async () => {
    const cascade = [step("fast", { attempts_max: 1 }), step("standard", { attempts_max: 1, success_at: 0.75 })];
    const terms = { success_at: 0.5, cascade };
    const [enough, tooLittle] = await Promise.all([
      settle(system(), { terms, steps: [answer(HALF)] }),
      settle(system(), { terms, steps: [answer(WRONG), answer(HALF)] }),
    ]);
    expect(enough.job).toMatchObject({ resolution: "success", score: 0.5, attempts: 1 });
    await expectUnbilled(system(), tooLittle.it, tooLittle.job, "exhausted");
    const [first, second] = tooLittle.job.attempt_list ?? [];
    // Sums that do not hold at all spare the sandbox.
    expect(first?.verdict?.leaves).toMatchObject([{ leaf: "/all/1", validator: "arithmetic@1", score: 0 }]);
    expect(second?.verdict).toMatchObject({
      decision: "fail",
      score: 0.5,
      leaves: [
        { leaf: "/all/1", validator: "arithmetic@1", score: 0.5 },
        { leaf: "/all/0", validator: "json_schema@1", score: 1 },
      ],
    });
  });

  const tiered = {
    shape: "tiered",
    amount: PRICE,
    bands: [
      { from_score: 0.5, fraction: 0.5 },
      { from_score: 1, fraction: 1 },
    ],
  };
  const halves = { cascade: [step("fast", { attempts_max: 2 })], partial_at: 0.5, price: tiered };

  test.concurrent("what was half right is delivered when the attempts are used up, for half the price", async () => {
    const { it, job } = await settle(system(), { terms: halves, steps: [answer(HALF), answer(WRONG)] });
    expect(job).toMatchObject({ resolution: "partial", reason: "verified", output: HALF, score: 0.5, attempts: 2 });
    // Charged for the verdict that found it, which was not the last one.
    expect(job.charge?.verdict).toBe(job.verdict?.id);
    expect(job.verdict).toMatchObject({ attempt: job.attempt_list?.[0]?.id, decision: "partial" });
    await expectCharged(system(), it, job, "0.025");
    expectCostAsBilled(it, job);
  });

  test.concurrent("what was half right gives way to what is right, at the full price", async () => {
    const { it, job } = await settle(system(), { terms: halves, steps: [answer(HALF), answer(RIGHT)] });
    expect(job).toMatchObject({ resolution: "success", output: RIGHT, score: 1, attempts: 2 });
    await expectCharged(system(), it, job);
  });
}
