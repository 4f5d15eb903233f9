/** How often a tier is tried, and how long a job waits in between: each tier has a policy of its own. */
import { expect, test } from "vitest";
import type { JobEventBody } from "@contingent/contracts/http/jobs";
import { answer, settle } from "../support/cases.ts";
import { expectUnbilled } from "../support/expectations.ts";
import { AT_ONCE, step, WRONG } from "../support/sums.ts";
import type { GetSystem } from "../support/use-system.ts";

/** Longer than a worker would hold a message that comes too early. */
const LONG_WAIT_MS = 2_500;
const NEVER_RIGHT = Array.from({ length: 10 }, () => answer(WRONG));

export function retryTests(system: GetSystem): void {
  test.concurrent("each tier is tried as often, and with such waits, as its own policy says", async () => {
    const jittery = { initial_delay_ms: 80, multiplier: 2, jitter: 0.25, delay_max_ms: 10_000 };
    const exact = { initial_delay_ms: 60, multiplier: 3, jitter: 0, delay_max_ms: 150 };
    const cascade = [
      step("fast", { attempts_max: 3, retry: jittery }),
      step("standard", { attempts_max: 4, retry: exact }),
      step("premium", { attempts_max: 1 }),
    ];
    const { it, job } = await settle(system(), { terms: { cascade }, steps: NEVER_RIGHT });
    await expectUnbilled(system(), it, job, "exhausted");
    expect(countByTier(job.attempt_list ?? [])).toEqual({ fast: 3, standard: 4, premium: 1 });

    const moves = (await it.events()).filter(({ type }) => type === "job.retried" || type === "job.escalated");
    expect(moves.map(({ type, data }) => `${type} ${data["tier"]}`)).toEqual([
      "job.retried fast",
      "job.retried fast",
      "job.escalated standard",
      "job.retried standard",
      "job.retried standard",
      "job.retried standard",
      "job.escalated premium",
    ]);
    const delays = moves.map(delayOf);
    expect(delays[0]).toBeGreaterThanOrEqual(60);
    expect(delays[0]).toBeLessThanOrEqual(100);
    expect(delays[1]).toBeGreaterThanOrEqual(120);
    expect(delays[1]).toBeLessThanOrEqual(200);
    // No jitter: initial × multiplier, up to the most that the policy allows. An escalation does not wait.
    expect(delays.slice(2)).toEqual([0, 60, 150, 150, 0]);

    // And the waits were kept: no attempt started before its wait was over.
    const attempts = job.attempt_list ?? [];
    for (const [index, delayMs] of delays.entries()) {
      const endedAtMs = Date.parse(attempts[index]?.ended_at ?? "");
      const nextAtMs = Date.parse(attempts[index + 1]?.started_at ?? "");
      expect(nextAtMs - endedAtMs, `wait before attempt ${index + 2}`).toBeGreaterThanOrEqual(delayMs);
    }
  });

  test.concurrent("a long wait is kept by the queue, and ends when it is over", async () => {
    const retry = { initial_delay_ms: LONG_WAIT_MS, multiplier: 1, jitter: 0, delay_max_ms: LONG_WAIT_MS };
    const cascade = [step("fast", { attempts_max: 2, retry })];
    const { job } = await settle(system(), { terms: { cascade }, steps: [answer(WRONG)] });
    const [first, second] = job.attempt_list ?? [];
    const waitedMs = Date.parse(second?.started_at ?? "") - Date.parse(first?.ended_at ?? "");
    expect(waitedMs).toBeGreaterThanOrEqual(LONG_WAIT_MS);
    // Long before the sweeper would miss the message.
    expect(waitedMs).toBeLessThan(LONG_WAIT_MS + 7_000);
  });

  test.concurrent("without a policy of the outcome type, dearer tiers are tried less often", async () => {
    const quick = { timeout_ms: 20_000, retry: AT_ONCE };
    const cascade = ["fast", "standard", "premium"].map((tier) => ({ tier, ...quick }));
    const { job } = await settle(system(), { terms: { cascade }, steps: NEVER_RIGHT });
    expect(countByTier(job.attempt_list ?? [])).toEqual({ fast: 3, standard: 2, premium: 1 });
  });

  test.concurrent("a job is not tried more often than all its tiers together may", async () => {
    const cascade = [step("fast", { attempts_max: 2 }), step("standard", { attempts_max: 2 })];
    const { it, job } = await settle(system(), { terms: { cascade, attempts_max: 3 }, steps: NEVER_RIGHT });
    expect(countByTier(job.attempt_list ?? [])).toEqual({ fast: 2, standard: 1 });
    await expectUnbilled(system(), it, job, "exhausted");
  });
}

function delayOf({ data }: JobEventBody): number {
  return Number(data["delay_ms"]);
}

function countByTier(attempts: readonly { readonly tier: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { tier } of attempts) counts[tier] = (counts[tier] ?? 0) + 1;
  return counts;
}
