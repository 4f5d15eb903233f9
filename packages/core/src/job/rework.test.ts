/** Hazard: a rejected outcome that is worked on for ever, beyond its cap, or charged all the same. */
import { describe, expect, test } from "vitest";
import { settlementOf } from "../books/settlement.ts";
import { nanos, ZERO } from "../money.ts";
import type { Terms } from "../outcome-type.ts";
import { decide } from "./decide.ts";
import {
  after,
  answer,
  at,
  awaitingJob,
  BORN_MS,
  cascadeStep,
  claimOf,
  DEADLINE_MS,
  failure,
  inWords,
  movedBy,
  OTHER,
  partialInHand,
  SMALL_NANOS,
  STANDARD,
  termsWith,
  verdict,
  WINDOW,
} from "./job.fixture.ts";
import { budgetLeft, type Job } from "./job.ts";

const REJECTED = { type: "rejected" } as const;
const REJECTED_MS = 50_000;
const ENDED = "settling failure rejected · job.resolved";

function reworkable(changes: Partial<Terms> = {}): Terms {
  return termsWith({ acceptance: WINDOW, rework: true, ...changes });
}

/** The job after its first outcome was rejected. */
function reopened(changes: Partial<Terms> = {}): Job {
  return after(awaitingJob(reworkable(changes)), at(REJECTED_MS), REJECTED);
}

/** The job's next attempt, answered and judged. */
function tryAgain(job: Job, decision: "pass" | "partial" | "fail", sinceBirthMs: number): Job {
  const score = { pass: 0.95, partial: 0.6, fail: 0.1 }[decision];
  return after(job, at(sinceBirthMs), claimOf({ attemptId: OTHER }), answer("end", 400n, OTHER), {
    type: "judged",
    attemptId: OTHER,
    verdictId: "vrd_0002",
    decision,
    score,
    value: null,
    cost: ZERO,
  });
}

describe("an outcome that the customer sends back", () => {
  test("is no longer the job's result, and another one is wanted of the same tier at once", () => {
    const { next, event, effects } = movedBy(decide(awaitingJob(reworkable()), REJECTED, at(REJECTED_MS)));
    expect(next).toMatchObject({ state: "queued", resolution: null, reason: null, readyAtMs: BORN_MS + REJECTED_MS });
    expect(next.progress).toMatchObject({ step: 0, best: null, current: null, tried: [1, 0, 0], reworkedAfter: 1 });
    expect(event).toEqual({
      type: "job.reopened",
      data: { cause: "rejected", tier: "fast", model: "small", delay_ms: 0 },
    });
    expect(effects).toEqual([]);
    expect(settlementOf(next)).toEqual({ kind: "void" });
  });

  test("goes to the next tier when its own has no attempts left", () => {
    const cascade: Terms["cascade"] = [cascadeStep("fast", ["small"], { attemptsMax: 1 }), STANDARD];
    expect(inWords(decide(awaitingJob(reworkable({ cascade })), REJECTED, at(REJECTED_MS)))).toBe(
      "queued standard · job.reopened rejected",
    );
  });

  test.each<[string, Partial<Terms>]>([
    ["no tier", { cascade: [cascadeStep("fast", ["small"], { attemptsMax: 1 })] }],
    ["the job", { attemptsMax: 1 }],
  ])("ends the job, free of charge, when %s has attempts left", (_, changes) => {
    const job = awaitingJob(reworkable(changes));
    expect(inWords(decide(job, REJECTED, at(REJECTED_MS)))).toBe(ENDED);
    expect(settlementOf(after(job, at(REJECTED_MS), REJECTED))).toEqual({ kind: "void" });
  });

  test("takes what was verified in part before along: it is never delivered in its place", () => {
    const delivered = tryAgain(partialInHand(reworkable()), "pass", 4_000);
    expect(delivered.state).toBe("awaiting_acceptance");
    const again = after(delivered, at(REJECTED_MS), REJECTED);
    expect(after(again, at(REJECTED_MS + DEADLINE_MS), { type: "woke" })).toMatchObject({
      state: "settling",
      resolution: "failure",
      reason: "deadline",
    });
  });

  test("is sent back within its window, or not at all", () => {
    expect(inWords(decide(awaitingJob(reworkable()), REJECTED, at(63_000)))).toBe("ignored: stale");
  });
});

describe("the rework", () => {
  test("does not get an attempt back whose verdict came too late", () => {
    const partial = partialInHand(reworkable());
    const answered = after(partial, at(4_000), claimOf({ attemptId: OTHER }), answer("end", 400n, OTHER));
    const tooLateMs = DEADLINE_MS + 1_000;
    const said = { verdictId: "vrd_0002", decision: "fail", score: 0.1, value: null, cost: ZERO } as const;
    const tooLate = { type: "judged", attemptId: OTHER, ...said } as const;
    const delivered = movedBy(decide(answered, tooLate, at(tooLateMs))).next;
    expect(delivered).toMatchObject({ state: "awaiting_acceptance", resolution: "partial" });
    const next = after(delivered, at(tooLateMs + 1_000), REJECTED);
    expect(next.progress).toMatchObject({ step: 1, tried: [2, 0, 0] });
  });

  test("has a whole deadline from the rejection on, in whole milliseconds", () => {
    const late = { ...at(REJECTED_MS), nowMs: BORN_MS + REJECTED_MS + 0.75 };
    const job = after(awaitingJob(reworkable({ deadlineMs: 10_000 })), late, REJECTED);
    expect(job.deadlineAtMs).toBe(BORN_MS + REJECTED_MS + 10_000);
    expect(job.wakeAtMs).toBe(job.deadlineAtMs);
    expect(inWords(decide(job, { type: "woke" }, at(REJECTED_MS + 10_000)))).toBe(
      "settling failure deadline · job.resolved",
    );
  });

  test("may be accepted, and is what is charged then, once", () => {
    const again = tryAgain(reopened(), "pass", REJECTED_MS + 1_000);
    expect(again).toMatchObject({ state: "awaiting_acceptance", resolution: "success" });
    const accepted = after(again, at(REJECTED_MS + 2_000), { type: "accepted" });
    expect(settlementOf(accepted)).toEqual({ kind: "capture", price: 500n, verdictId: "vrd_0002" });
  });

  test("may be rejected in turn, until no attempts are left", () => {
    const again = tryAgain(reopened({ attemptsMax: 2 }), "pass", REJECTED_MS + 1_000);
    expect(inWords(decide(again, REJECTED, at(REJECTED_MS + 2_000)))).toBe(ENDED);
  });

  test("that fails its verdict is retried and escalated like any other work, and ends for its own reason", () => {
    const failed = tryAgain(reopened({ attemptsMax: 2 }), "fail", REJECTED_MS + 1_000);
    expect([failed.resolution, failed.reason]).toEqual(["failure", "exhausted"]);
  });

  test("pays from the same cap: what was spent stays spent", () => {
    const before = awaitingJob(reworkable());
    expect(budgetLeft(reopened())).toBe(budgetLeft(before));
    expect(reopened().cost.known).toBe(400n);
  });

  test("that the cap leaves no room for does not begin: the job ends as rejected", () => {
    const job = reopened({ costCap: nanos(SMALL_NANOS + 100n), outputTokens: { start: 100, min: 100, max: 100 } });
    expect(inWords(decide(job, claimOf({ attemptId: OTHER }), at(REJECTED_MS)))).toBe(ENDED);
  });

  test("that has begun and then exceeds the cap ends for the cap", () => {
    const job = reopened({ costCap: nanos(2n * SMALL_NANOS + 100n), outputTokens: { start: 100, min: 100, max: 100 } });
    const failed = tryAgain(job, "fail", REJECTED_MS);
    const claim = claimOf({ attemptId: "att_0003" });
    expect(inWords(decide(failed, claim, at(REJECTED_MS + 9_000)))).toBe("settling failure cost_cap · job.resolved");
  });

  test("does not inherit the strikes of the work before", () => {
    const delivered = awaitingJob(reworkable());
    const struck: Job = { ...delivered, progress: { ...delivered.progress, strikes: 2 } };
    expect(after(struck, at(REJECTED_MS), REJECTED).progress.strikes).toBe(0);
  });

  test("does not inherit an outage that the delivered outcome outlived", () => {
    const gone = claimOf({ attemptId: OTHER });
    let job = partialInHand(reworkable({ cascade: [cascadeStep("fast", ["small"])] }));
    job = after(job, at(4_000), gone, failure("unavailable", { attemptId: OTHER }));
    expect(job.progress.outages).toBe(1);
    const delivered = after(job, at(DEADLINE_MS), { type: "woke" });
    expect(delivered).toMatchObject({ state: "awaiting_acceptance", resolution: "partial" });
    const again = after(delivered, at(DEADLINE_MS + 1_000), REJECTED);
    expect(again.progress).toMatchObject({ outages: 0, outageFromStep: null });
  });
});

test("the first attempt's answer cannot come back for the reopened job", () => {
  const job = reopened();
  for (const fact of [answer(), verdict("pass")]) expect(decide(job, fact, at(REJECTED_MS)).kind).toBe("ignored");
  const judging = after(job, at(REJECTED_MS), claimOf({ attemptId: OTHER }), answer("end", 400n, OTHER));
  expect(inWords(decide(judging, verdict("pass"), at(REJECTED_MS)))).toBe("ignored: stale");
});
