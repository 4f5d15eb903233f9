/** A provider in trouble: away, slow, rate-limited, unwilling, cutting answers short. */
import type { StepInput } from "@contingent/simulator/server";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { nanosOf } from "../support/bills.ts";
import { bookedFor, reserveOf } from "../support/books.ts";
import { settle, submit } from "../support/cases.ts";
import { attemptsOf, expectCharged, expectCostAsBilled, expectUnbilled, storyOf } from "../support/expectations.ts";
import { pausedForMs } from "../support/queues.ts";
import { HAIKU, OLD_HAIKU, RIGHT, SONNET, step } from "../support/sums.ts";
import type { GetSystem } from "../support/use-system.ts";

const QUICK_TIMEOUT_MS = 300;

export function providerTests(system: GetSystem): void {
  const twoModels = { cascade: [step("fast", { attempts_max: 1, models: [HAIKU, OLD_HAIKU] }), step("standard")] };

  test.concurrent.each<[string, StepInput]>([
    ["is overloaded (529)", "overloaded"],
    ["breaks (500)", { step: "server_error", status: 500 }],
    ["refuses the account (403)", "forbidden"],
    ["resets the connection", { step: "cut", at: "head" }],
  ])("while a model %s, the tier's next model stands in", async (_, trouble) => {
    const { it, job } = await settle(system(), { terms: twoModels, stepsOf: { [HAIKU]: [trouble] } });
    expect(job).toMatchObject({ resolution: "success", output: RIGHT });
    expect(it.requests().map(({ model }) => model)).toEqual([HAIKU, OLD_HAIKU]);
    // One attempt was all the tier had: an unavailable model has not used it up.
    expect(attemptsOf(job).at(-1)).toBe(`fast ${OLD_HAIKU} answered`);
    expect(await storyOf(it)).toContain("job.fell_back");
    await expectCharged(system(), it, job);
  });

  test.concurrent("an unavailable model costs nothing", async () => {
    const { it, job } = await settle(system(), { terms: twoModels, stepsOf: { [HAIKU]: ["overloaded"] } });
    expect(job.attempt_list?.map(({ outcome, cost }) => [outcome, nanosOf(cost) > 0n])).toEqual([
      ["unavailable", false],
      ["answered", true],
    ]);
    expectCostAsBilled(it, job);
  });

  test.concurrent("when a tier's models are all away, the next tier takes over", async () => {
    const stepsOf = { [HAIKU]: ["overloaded" as const], [OLD_HAIKU]: ["overloaded" as const] };
    const { it, job } = await settle(system(), { terms: twoModels, stepsOf });
    expect(it.requests().map(({ model }) => model)).toEqual([HAIKU, OLD_HAIKU, SONNET]);
    expect(attemptsOf(job).at(-1)).toBe(`standard ${SONNET} answered`);
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
  });

  const patient = { initial_delay_ms: 50, multiplier: 2, jitter: 0, delay_max_ms: 200 };
  const oneModelEach = {
    cascade: [
      step("fast", { attempts_max: 1, retry: patient, timeout_ms: QUICK_TIMEOUT_MS }),
      step("standard", { attempts_max: 1, retry: patient, timeout_ms: QUICK_TIMEOUT_MS }),
    ],
  };

  test.concurrent("when everything is away, a job waits and goes on where it stood once the provider is back", async () => {
    const steps = Array.from({ length: 4 }, () => "overloaded" as const);
    const { it, job } = await settle(system(), { terms: oneModelEach, steps });
    expect(it.requests().map(({ model }) => model)).toEqual([HAIKU, SONNET, HAIKU, SONNET, HAIKU]);
    expect((await storyOf(it)).filter((type) => type === "job.waited")).toHaveLength(2);
    expect(job).toMatchObject({ resolution: "success", output: RIGHT });
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
  });

  test.concurrent("an outage that lasts until the deadline ends the job, and nobody pays for it", async () => {
    const steps = Array.from({ length: 100 }, () => "overloaded" as const);
    const { it, job } = await settle(system(), { terms: { ...oneModelEach, deadline_ms: 2_000 }, steps });
    await expectUnbilled(system(), it, job, "provider_outage");
    expect(nanosOf(job.cost)).toBe(0n);
    // It did not give up after the first round.
    expect(it.requests().length).toBeGreaterThan(2);
  });

  test.concurrent("a call that takes too long is given up: the next tier is next, and its worst case counts as spent", async () => {
    const cascade = [step("fast", { attempts_max: 3, timeout_ms: QUICK_TIMEOUT_MS }), step("standard")];
    const { it, job } = await settle(system(), { terms: { cascade }, stepsOf: { [HAIKU]: ["hang"] } });
    expect(attemptsOf(job)).toEqual([`fast ${HAIKU} timeout`, `standard ${SONNET} answered`]);
    await expectCharged(system(), it, job);
    const [slow, quick] = job.attempt_list ?? [];
    expect(nanosOf(slow?.cost ?? null)).toBe(await reserveOf(system(), slow?.id ?? ""));
    expect((await bookedFor(system(), it.id)).keys).toContain(`cost:${slow?.id}:estimated`);
    expect((await bookedFor(system(), it.id)).keys).toContain(`cost:${quick?.id}:reported`);
    // The provider did charge for the prompt that it read; the books have provided for more than that.
    expect(nanosOf(job.cost)).toBeGreaterThan(it.bill());
  });

  test.concurrent("a stream that breaks half-way is not taken for an answer", async () => {
    const cascade = [step("fast", { attempts_max: 1, models: [HAIKU, OLD_HAIKU] })];
    const { it, job } = await settle(system(), {
      terms: { cascade },
      stepsOf: { [HAIKU]: [{ step: "cut", at: "half" }] },
    });
    expect(job).toMatchObject({ resolution: "success", output: RIGHT });
    expect(attemptsOf(job).at(-1)).toBe(`fast ${OLD_HAIKU} answered`);
    await expectCharged(system(), it, job);
    // Some of the answer was made, so it counts as spent, and what it was charged is within that.
    expect(nanosOf(job.cost)).toBeGreaterThanOrEqual(it.bill());
  });

  test.concurrent("a model that refuses hands the job to the next tier", async () => {
    const { it, job } = await settle(system(), { steps: ["refuse"] });
    expect(attemptsOf(job)).toEqual([`fast ${HAIKU} refused`, `standard ${SONNET} answered`]);
    expect((await it.events()).find(({ type }) => type === "job.escalated")?.data).toMatchObject({ cause: "refused" });
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
  });

  test.concurrent("a job that is refused twice fails as refused, unbilled, with what the refusals cost in the books", async () => {
    const { it, job } = await settle(system(), { steps: ["refuse", "refuse"] });
    expect(attemptsOf(job)).toEqual([`fast ${HAIKU} refused`, `standard ${SONNET} refused`]);
    await expectUnbilled(system(), it, job, "refused");
    expectCostAsBilled(it, job);
    expect(nanosOf(job.cost)).toBeGreaterThan(0n);
  });

  test.concurrent("an answer that was cut off is asked for again with twice the room", async () => {
    const { it, job } = await settle(system(), { steps: ["truncate"] });
    expect(attemptsOf(job)).toEqual([`fast ${HAIKU} truncated`, `fast ${HAIKU} answered`]);
    expect(it.requests().map((request) => request.max_tokens)).toEqual([256, 512]);
    // What was cut off is not judged.
    expect(job.attempt_list?.map((attempt) => attempt.verdict?.decision ?? null)).toEqual([null, "pass"]);
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
  });

  // Alone, because it stops a tier that others would like to use.
  test("a rate limit rests the tier's queue for as long as the provider asks, and only that one", async () => {
    const cascade = [step("fast", { attempts_max: 1 })];
    const limited = await submit(system(), { terms: { cascade }, steps: [{ step: "rate_limited", retry_after_s: 1 }] });
    await until(async () => (await pausedForMs(system(), "attempt.fast")) > 0, {
      timeoutMs: 10_000,
      intervalMs: 5,
      what: "the tier to rest",
    });
    const [neighbour, elsewhere] = await Promise.all([
      submit(system(), { terms: { cascade } }),
      settle(system(), { terms: { cascade: [step("standard")] } }),
    ]);
    const [job, neighboursJob] = await Promise.all([limited.closed(), neighbour.closed()]);

    expect(attemptsOf(job)).toEqual([`fast ${HAIKU} rate_limited`, `fast ${HAIKU} answered`]);
    const waited = (await limited.events()).find(({ type }) => type === "job.waited");
    expect(waited?.data).toMatchObject({ cause: "rate_limited", delay_ms: 1_000 });
    const [refused, retried] = job.attempt_list ?? [];
    const refusedAtMs = Date.parse(refused?.ended_at ?? "");
    expect(Date.parse(retried?.started_at ?? "") - refusedAtMs).toBeGreaterThanOrEqual(1_000);
    // The neighbour on the same tier had to wait, too.
    const neighbourAtMs = Date.parse(neighboursJob.attempt_list?.[0]?.started_at ?? "");
    expect(neighbourAtMs).toBeGreaterThanOrEqual(Date.parse(waited?.at ?? "") + 900);
    // The other tier had not.
    expect(Date.parse(elsewhere.job.closed_at ?? "")).toBeLessThan(Date.parse(retried?.started_at ?? ""));
    expect(nanosOf(refused?.cost ?? null)).toBe(0n);
    await expectCharged(system(), limited, job);
    expectCostAsBilled(limited, job);
  });
}
