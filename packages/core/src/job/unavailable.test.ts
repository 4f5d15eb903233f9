/** Hazard: the provider is away, slow or asks us to slow down. None of it is the model's fault, and none of it is free. */
import { describe, expect, test } from "vitest";
import { nanos } from "../money.ts";
import { decide, RATE_LIMIT_PAUSE_MAX_MS, RATE_LIMIT_PAUSE_MIN_MS } from "./decide.ts";
import {
  after,
  at,
  attemptingJob,
  BORN_MS,
  cascadeStep,
  claimOf,
  DEADLINE_MS,
  failure,
  FAST,
  inWords,
  MEDIUM_NANOS,
  movedBy,
  OTHER,
  queuedJob,
  rate,
  RATES,
  ratesOf,
  SMALL_NANOS,
  STANDARD,
  termsWith,
} from "./job.fixture.ts";
import { RETRY_BUDGET_WAIT_MS } from "./claim.ts";
import { currentModel, type Job } from "./job.ts";
import { OUTAGE_WAIT_MIN_MS } from "./moves.ts";

/** The job after its next attempt found the model away. */
function away(job: Job, sinceBirthMs: number, changes = {}): Job {
  return after(job, at(sinceBirthMs), claimOf(), failure("unavailable", changes));
}

const twoTiers = termsWith({ cascade: [FAST, STANDARD] });

describe("an unavailable model", () => {
  test("is stood in for by its tier's next one, then by the next tier, each at once", () => {
    const second = away(queuedJob(twoTiers), 1_000);
    const third = away(second, 1_000);
    expect([currentModel(second), currentModel(third)]).toEqual(["small-b", "medium"]);
    expect([second.readyAtMs, third.readyAtMs]).toEqual([BORN_MS + 1_000, BORN_MS + 1_000]);
  });

  test("sends the job back to where the outage began, after a wait that grows each time round", () => {
    let job = queuedJob(twoTiers);
    const waits: number[] = [];
    let nowMs = 1_000;
    for (let round = 0; round < 5; round += 1) {
      job = away(away(away(job, nowMs), nowMs), nowMs);
      expect([job.progress.step, job.progress.modelIndex, job.progress.outageFromStep]).toEqual([0, 0, null]);
      waits.push(job.readyAtMs - BORN_MS - nowMs);
      nowMs += waits.at(-1) ?? 0;
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 8_000]);
  });

  test("is waited for at least a moment, even by a type that retries at once", () => {
    const hasty = { initialDelayMs: 0, multiplier: 1, jitter: 1, delayMaxMs: 0 };
    const terms = termsWith({ cascade: [cascadeStep("fast", ["small"], { retry: hasty })] });
    expect(away(queuedJob(terms), 1_000).readyAtMs).toBe(BORN_MS + 1_000 + OUTAGE_WAIT_MIN_MS);
  });

  test("never makes the job go back further than the tier where the outage began", () => {
    const escalated = after(attemptingJob(), at(2_000), failure("timeout"));
    const waiting = away(away(escalated, 2_000), 2_000);
    expect(currentModel(waiting)).toBe("medium");
    expect(waiting.progress.outages).toBe(1);
  });

  test("is not an attempt", () => {
    const job = away(away(queuedJob(), 1_000), 1_000);
    expect(job.progress.tried).toEqual([0, 0, 0]);
    expect(job.attempts).toBe(2);
  });

  test("costs nothing when it certainly did not answer, and its worst case when it may have", () => {
    expect(away(queuedJob(), 1_000).cost).toMatchObject({ presumed: 0n, held: 0n });
    expect(away(queuedJob(), 1_000, { mayHaveBeenBilled: true }).cost).toMatchObject({
      presumed: SMALL_NANOS,
      held: 0n,
    });
  });

  test("ends the job as a provider outage when the deadline passes while it waits", () => {
    const waiting = away(away(away(queuedJob(twoTiers), 1_000), 1_000), 1_000);
    const late = at(DEADLINE_MS);
    expect(inWords(decide(waiting, { type: "woke" }, late))).toBe("settling failure provider_outage · job.resolved");
    expect(inWords(decide(waiting, claimOf(), late))).toBe("settling failure provider_outage · job.resolved");
  });

  test("is forgiven by the first answer: a later deadline is only a deadline", () => {
    const waiting = away(away(away(queuedJob(twoTiers), 1_000), 1_000), 1_000);
    const back = after(waiting, at(10_000), claimOf(), {
      type: "answered",
      attemptId: "att_0001",
      cost: nanos(1n),
      stop: "truncated",
    });
    expect(back.progress.outages).toBe(0);
    expect(inWords(decide(back, { type: "woke" }, at(DEADLINE_MS)))).toBe("settling failure deadline · job.resolved");
  });

  test("is waited for when what stands in for it in its tier does not fit the cost cap", () => {
    const rates = ratesOf(rate("small", 1n, 5n), rate("small-b", 1_000n, 5_000n));
    const terms = termsWith({ cascade: [FAST], costCap: nanos(10_000n) });
    const fallenBack = after(queuedJob(terms), at(1_000), claimOf({ rates }), failure("unavailable"));
    const waiting = movedBy(decide(fallenBack, claimOf({ rates }), at(1_000)));
    expect(inWords(waiting)).toBe("queued fast · job.waited cost_cap");
    expect(currentModel(waiting.next)).toBe("small");
    expect(waiting.next.readyAtMs).toBe(BORN_MS + 2_000);
  });

  test("is waited for when the tier it fell back to does not fit the cost cap", () => {
    const terms = termsWith({ cascade: [FAST, STANDARD], costCap: nanos(2_500n) });
    const fallenBack = away(away(queuedJob(terms), 1_000), 1_000);
    expect(currentModel(fallenBack)).toBe("medium");
    const waiting = movedBy(decide(fallenBack, claimOf(), at(1_000)));
    expect(inWords(waiting)).toBe("queued fast · job.waited cost_cap");
    expect(waiting.next.progress).toMatchObject({ outages: 1, outageFromStep: null, modelIndex: 0 });
  });

  test("is waited for when the tier it fell back to is too slow for the time left", () => {
    const slow = cascadeStep("slow", ["medium"], { timeNeededMs: 60_000 });
    const fallenBack = away(away(queuedJob(termsWith({ cascade: [FAST, slow] })), 90_000), 90_000);
    const waiting = movedBy(decide(fallenBack, claimOf(), at(90_000)));
    expect(inWords(waiting)).toBe("queued fast · job.waited too_slow");
    expect(waiting.next.readyAtMs).toBe(BORN_MS + 91_000);
  });

  test("whose account or request the provider rejects is stood in for in the same way", () => {
    const job = after(attemptingJob(), at(2_000), failure("rejected"));
    expect([currentModel(job), job.progress.tried[0]]).toEqual(["small-b", 0]);
  });
});

describe("a model without a known price", () => {
  test("is neither used for nothing nor guessed: another one stands in", () => {
    const rates = ratesOf(rate("small-b", 1n, 5n));
    const step = decide(queuedJob(), claimOf({ rates }), at(1_000));
    expect(inWords(step)).toBe("queued fast · job.fell_back unknown_price");
    expect(inWords(decide(movedBy(step).next, claimOf({ rates }), at(1_000)))).toBe(
      "attempting · attempt.started · start small-b",
    );
  });

  test("stops the job at its deadline when no model of the cascade has one", () => {
    const claim = claimOf({ rates: new Map() });
    const waiting = after(queuedJob(twoTiers), at(1_000), claim, claim, claim);
    expect(waiting.readyAtMs).toBe(BORN_MS + 2_000);
    expect(waiting.attempts).toBe(0);
    expect(inWords(decide(waiting, claim, at(DEADLINE_MS)))).toBe("settling failure provider_outage · job.resolved");
  });
});

describe("a timeout", () => {
  test("goes straight to the next tier: a slow one is not tried again", () => {
    const job = after(attemptingJob(), at(31_000), failure("timeout", { mayHaveBeenBilled: true }));
    expect(currentModel(job)).toBe("medium");
    expect(job.readyAtMs).toBe(BORN_MS + 31_000);
  });

  test("is an attempt, and its worst case counts as spent", () => {
    const job = after(attemptingJob(), at(31_000), failure("timeout", { mayHaveBeenBilled: true }));
    expect(job.progress.tried).toEqual([1, 0, 0]);
    expect(job.cost).toEqual({ known: 0n, presumed: SMALL_NANOS, held: 0n, overrun: 0n });
  });

  test("in the last tier exhausts the job", () => {
    const job = attemptingJob(termsWith({ cascade: [FAST] }));
    expect(inWords(decide(job, failure("timeout"), at(31_000)))).toBe(
      "settling failure exhausted · job.resolved · end timeout released",
    );
  });

  test("at the deadline is the deadline, also in the last tier", () => {
    for (const job of [attemptingJob(), attemptingJob(termsWith({ cascade: [FAST] }))]) {
      expect(inWords(decide(job, failure("timeout"), at(DEADLINE_MS)))).toBe(
        "settling failure deadline · job.resolved · end timeout released",
      );
    }
  });

  test("on every tier never makes more attempts than the job has in all", () => {
    const job = after(attemptingJob(termsWith({ attemptsMax: 2 })), at(2_000), failure("timeout"), claimOf());
    expect(inWords(decide(job, failure("timeout"), at(3_000)))).toBe(
      "settling failure exhausted · job.resolved · end timeout released",
    );
  });
});

describe("too many requests", () => {
  test("rest the whole tier for as long as the provider says, and are no attempt", () => {
    const { next, effects } = movedBy(
      decide(attemptingJob(), failure("rate_limited", { retryAfterMs: 7_000 }), at(2_000)),
    );
    expect(effects).toContainEqual({ type: "pause_tier", tier: "fast", durationMs: 7_000 });
    expect(next.readyAtMs).toBe(BORN_MS + 9_000);
    expect(next.progress).toMatchObject({ step: 0, modelIndex: 0, tried: [0, 0, 0], outages: 0 });
  });

  test("do not make the job fall back to a dearer tier", () => {
    const job = after(attemptingJob(termsWith({ cascade: [STANDARD] })), at(2_000), failure("rate_limited"));
    expect(currentModel(job)).toBe("medium");
  });

  test.each([
    [null, 5_000],
    [0, RATE_LIMIT_PAUSE_MIN_MS],
    [-5, RATE_LIMIT_PAUSE_MIN_MS],
    [86_400_000, RATE_LIMIT_PAUSE_MAX_MS],
  ])("rest it for a bounded time whatever retry-after says: %s ms", (retryAfterMs, durationMs) => {
    const { effects } = movedBy(decide(attemptingJob(), failure("rate_limited", { retryAfterMs }), at(2_000)));
    expect(effects).toContainEqual({ type: "pause_tier", tier: "fast", durationMs });
  });

  test("until the deadline leave the job waiting no longer than that", () => {
    const job = after(attemptingJob(), at(110_000), failure("rate_limited", { retryAfterMs: 30_000 }));
    expect([job.readyAtMs, job.wakeAtMs]).toEqual([job.deadlineAtMs, job.deadlineAtMs]);
  });
});

describe("a worker that vanishes", () => {
  const leaseEnd = (job: Job) => job.wakeAtMs - BORN_MS;

  test("holds the job until five seconds after the call's own timeout, and not a millisecond longer", () => {
    const job = attemptingJob();
    expect(leaseEnd(job)).toBe(1_000 + 30_000 + 5_000);
    expect(inWords(decide(job, { type: "woke" }, at(leaseEnd(job) - 1)))).toBe("ignored: still_waiting");
    expect(inWords(decide(job, { type: "woke" }, at(leaseEnd(job))))).toBe(
      "queued fast · job.retried lost · end lost presumed",
    );
  });

  test("leaves the worst case of its call as spent, and the attempt as not made", () => {
    const job = after(attemptingJob(), at(36_000), { type: "woke" });
    expect(job.cost).toEqual({ known: 0n, presumed: SMALL_NANOS, held: 0n, overrun: 0n });
    expect(job.progress.tried).toEqual([0, 0, 0]);
  });

  test("three times in a row takes the job to the next tier, which begins without strikes", () => {
    const steady = termsWith({ deadlineMs: 600_000 });
    const once = after(attemptingJob(steady), at(36_000), { type: "woke" });
    const twice = after(after(once, at(36_000), claimOf()), at(71_000), { type: "woke" });
    const third = after(twice, at(71_000), claimOf());
    const step = movedBy(decide(third, { type: "woke" }, at(106_000)));
    expect(inWords(step)).toBe("queued standard · job.escalated lost · end lost presumed");
    expect(step.next.progress).toMatchObject({ strikes: 0, tried: [1, 0, 0] });
  });

  test("in turns with workers that report is not vanishing in a row", () => {
    const steady = termsWith({ deadlineMs: 600_000 });
    let job = queuedJob(steady);
    for (let round = 0; round < 4; round += 1) {
      const nowMs = round * 100_000;
      job = after(job, at(nowMs), claimOf());
      job = after(job, at(nowMs + 50_000), { type: "woke" });
      job = after(job, at(nowMs + 50_000), claimOf(), failure("rate_limited"));
      expect(currentModel(job)).toBe("small");
    }
  });

  test("costs a dear tier's worst case where the call was dear", () => {
    const job = after(attemptingJob(), at(2_000), failure("timeout"), claimOf({ attemptId: OTHER, rates: RATES }));
    expect(after(job, at(60_000), { type: "woke" }).cost.presumed).toBe(MEDIUM_NANOS);
  });
});

describe("a model that is known to be away", () => {
  const claim = (...away: readonly string[]) => claimOf({ away: new Set(away) });

  test("is passed over without an attempt, and so is every other one in one step", () => {
    expect(inWords(decide(queuedJob(), claim("small"), at(1_000)))).toBe("queued fast · job.fell_back breaker_open");
    const step = movedBy(decide(queuedJob(), claim("small", "small-b"), at(1_000)));
    expect(inWords(step)).toBe("queued standard · job.fell_back breaker_open");
    expect(step.next.progress).toMatchObject({ outageFromStep: 0, modelIndex: 0 });
    expect(step.next.attempts).toBe(0);
  });

  test("is waited for where none is left, ever longer, from where the outage began, like one that does not answer", () => {
    const all = claim("small", "small-b", "medium");
    const waiting = movedBy(decide(queuedJob(twoTiers), all, at(1_000)));
    expect(inWords(waiting)).toBe("queued fast · job.waited breaker_open");
    expect(waiting.next.progress).toMatchObject({ step: 0, modelIndex: 0, outages: 1, outageFromStep: null });
    expect(waiting.next.readyAtMs).toBe(BORN_MS + 2_000);
    const again = after(waiting.next, at(2_000), all);
    expect(again.readyAtMs).toBe(BORN_MS + 4_000);
    expect(inWords(decide(again, all, at(DEADLINE_MS)))).toBe("settling failure provider_outage · job.resolved");
  });

  test("still counts as a place that the job can afford, so that it is waited for and the job does not end at its cap", () => {
    const terms = termsWith({ cascade: [FAST, STANDARD], costCap: nanos(2_500n) });
    const job = after(queuedJob(terms), at(1_000), claim("small", "small-b"));
    expect(currentModel(job)).toBe("medium");
    expect(inWords(decide(job, claim("small", "small-b"), at(1_000)))).toBe("queued fast · job.waited cost_cap");
  });

  test("does not keep a job from its deadline", () => {
    expect(inWords(decide(queuedJob(), claim("small"), at(DEADLINE_MS)))).toBe(
      "settling failure deadline · job.resolved",
    );
  });
});

describe("a job that comes back to a model which has enough of such", () => {
  const waits = claimOf({ mustWait: true });

  test("stays where it is and comes again in a second or two: that is neither an attempt nor an outage", () => {
    const job = away(away(away(queuedJob(twoTiers), 1_000), 1_000), 1_000);
    const step = movedBy(decide(job, waits, at(2_000)));
    expect(inWords(step)).toBe("queued fast · job.waited retry_budget");
    expect(step.next.progress).toEqual(job.progress);
    expect(step.next.attempts).toBe(job.attempts);
    expect(step.next.readyAtMs).toBe(BORN_MS + 2_000 + 1.5 * RETRY_BUDGET_WAIT_MS);
  });

  test("ends as an outage when its time is over meanwhile", () => {
    const job = away(away(away(queuedJob(twoTiers), 1_000), 1_000), 1_000);
    const last = after(job, at(DEADLINE_MS - 2_500), waits);
    expect(last.readyAtMs).toBe(BORN_MS + DEADLINE_MS - 1_000);
    expect(inWords(decide(last, waits, at(DEADLINE_MS)))).toBe("settling failure provider_outage · job.resolved");
  });
});
