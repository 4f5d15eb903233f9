/** Prices that depend on what is delivered, and verdicts that somebody is paid for. */
import { expect, test } from "vitest";
import { nanosOf } from "../support/bills.ts";
import { bookedFor, reserveOf } from "../support/books.ts";
import { answer, settle } from "../support/cases.ts";
import { expectCharged, expectCostAsBilled, expectUnbilled } from "../support/expectations.ts";
import { HALF, RIGHT, step, WRONG } from "../support/sums.ts";
import type { GetSystem } from "../support/use-system.ts";

/** Half a cent for each unit of the gross sum, which is 6. */
const BY_GROSS = { shape: "value", rate: 0.005, path: "/gross", max: "1.00" };
const JUDGE = { provider: "judges", name: "court-2", cost_per_verdict: "0.002" };
const VERDICT_NANOS = 2_000_000n;

export function priceTests(system: GetSystem): void {
  test.concurrent("a price by value is charged by the number that was delivered, at most at its maximum", async () => {
    const { it, job } = await settle(system(), { terms: { price: BY_GROSS }, steps: [answer(WRONG), answer(RIGHT)] });
    expect(job).toMatchObject({ resolution: "success", output: RIGHT });
    await expectCharged(system(), it, job, "0.03");
    expectCostAsBilled(it, job);
    const capped = await settle(system(), { terms: { price: { ...BY_GROSS, max: "0.02" } }, steps: [answer(RIGHT)] });
    await expectCharged(system(), capped.it, capped.job, "0.02");
  });

  test.concurrent("a price by score is charged by the score, to a partial outcome too", async () => {
    const price = { shape: "linear", amount: "0.08", floor: "0.01" };
    const terms = { price, partial_at: 0.4, cascade: [step("fast", { attempts_max: 1 })] };
    const half = await settle(system(), { terms, steps: [answer(HALF)] });
    expect(half.job).toMatchObject({ resolution: "partial", score: 0.5 });
    await expectCharged(system(), half.it, half.job, "0.04");
    const whole = await settle(system(), { terms, steps: [answer(RIGHT)] });
    await expectCharged(system(), whole.it, whole.job, "0.08");
  });

  test.concurrent("what each verdict costs is booked on its job, those of failed attempts too", async () => {
    const { it, job } = await settle(system(), {
      terms: { validation: JUDGE },
      steps: [answer(WRONG), answer(RIGHT)],
    });
    await expectCharged(system(), it, job);
    expect(nanosOf(job.cost)).toBe(it.bill() + 2n * VERDICT_NANOS);
    const { keys } = await bookedFor(system(), it.id);
    expect(keys.filter((key) => /^cost:vrd_\w+:reported$/.test(key))).toHaveLength(2);
  });

  test.concurrent("an attempt leaves room in the cost cap for the verdict on it, and stops where there is none", async () => {
    const terms = {
      validation: JUDGE,
      cascade: [step("standard", { attempts_max: 20 })],
      // Room for a verdict and an answer that is cut short, but not for a second verdict.
      cost_cap: "0.004",
    };
    const { it, job } = await settle(system(), { terms, steps: [answer(WRONG), answer(WRONG)] });
    await expectUnbilled(system(), it, job, "cost_cap");
    expect(job.attempts).toBe(1);
    const reserve = await reserveOf(system(), job.attempt_list?.[0]?.id ?? "");
    expect(reserve + VERDICT_NANOS).toBeLessThanOrEqual(4_000_000n);
    expect(nanosOf(job.cost)).toBe(it.bill() + VERDICT_NANOS);
  });
}
