/** Hazard: facts that come late, twice, or for an attempt that the job has given up. */
import { describe, expect, test } from "vitest";
import { settlementOf } from "../books/settlement.ts";
import { decide } from "./decide.ts";
import {
  after,
  answer,
  at,
  attemptingJob,
  awaitingJob,
  BROKE,
  claimOf,
  DEADLINE_MS,
  failure,
  inWords,
  JOBS,
  movedBy,
  OTHER,
  queuedJob,
  SMALL_NANOS,
  termsWith,
  validatingJob,
  verdict,
} from "./job.fixture.ts";
import type { Job } from "./job.ts";

/** A job whose first attempt was lost and whose second is under way. */
const secondUnderWay = after(attemptingJob(), at(36_000), { type: "woke" }, claimOf({ attemptId: OTHER }));

describe("an attempt that was given up", () => {
  test.each([answer("end"), answer("truncated"), answer("refused")])(
    "cannot answer for the one under way: $stop",
    (fact) => {
      expect(decide(secondUnderWay, fact, at(37_000))).toEqual({ kind: "ignored", because: "late_answer" });
    },
  );

  test("cannot fail the one under way", () => {
    expect(inWords(decide(secondUnderWay, failure("timeout"), at(37_000)))).toBe("ignored: stale");
    expect(inWords(decide(secondUnderWay, failure("unavailable", { attemptId: OTHER }), at(37_000)))).toMatch(
      /^queued/,
    );
  });

  test("cannot be judged once another one is being validated", () => {
    const judging = after(secondUnderWay, at(37_000), answer("end", 400n, OTHER));
    expect(inWords(decide(judging, verdict("pass"), at(38_000)))).toBe("ignored: stale");
    expect(inWords(decide(judging, BROKE, at(38_000)))).toBe("ignored: stale");
  });

  test("by cancelling counts at its worst, and its late answer changes nothing", () => {
    const canceled = after(attemptingJob(), at(2_000), { type: "cancel" });
    expect(canceled.cost).toEqual({ known: 0n, presumed: SMALL_NANOS, held: 0n, overrun: 0n });
    expect(inWords(decide(canceled, answer(), at(2_001)))).toBe("ignored: late_answer");
  });
});

describe("a fact that comes twice", () => {
  test("starts, answers, judges and settles only once", () => {
    const facts = [claimOf(), answer(), verdict("pass"), { type: "settled" }] as const;
    let job: Job = queuedJob();
    for (const fact of facts) {
      job = after(job, at(2_000), fact);
      expect(decide(job, fact, at(2_000)).kind).toBe("ignored");
    }
    expect(job.state).toBe("closed");
  });

  test("cancels once", () => {
    const canceled = after(queuedJob(), at(1_000), { type: "cancel" });
    expect(inWords(decide(canceled, { type: "cancel" }, at(1_000)))).toBe("ignored: stale");
  });
});

describe("a cancellation", () => {
  test.each(["awaiting_acceptance", "settling", "closed"] as const)("comes too late for a job that is %s", (state) => {
    expect(inWords(decide(JOBS[state], { type: "cancel" }, at(4_000)))).toBe("ignored: stale");
  });

  test("is not charged for, whatever the validator says afterwards", () => {
    const canceled = after(validatingJob(), at(3_000), { type: "cancel" });
    expect(inWords(decide(canceled, verdict("pass"), at(3_000)))).toBe("ignored: stale");
    expect(settlementOf(canceled)).toEqual({ kind: "void" });
  });
});

describe("the deadline", () => {
  test("is met by a verdict one millisecond before it, and missed by one on it", () => {
    const inTime = after(validatingJob(), at(DEADLINE_MS - 1), verdict("pass"));
    const late = after(validatingJob(), at(DEADLINE_MS), verdict("pass"));
    expect([inTime.resolution, late.resolution, late.reason]).toEqual(["success", "failure", "deadline"]);
    expect(settlementOf(inTime).kind).toBe("capture");
  });

  test("makes a late success free of charge: it is not even kept in hand", () => {
    const late = after(validatingJob(), at(DEADLINE_MS), verdict("pass"));
    expect(late.progress.best).toBeNull();
    expect(settlementOf(late)).toEqual({ kind: "void" });
  });

  test("that passes during the call leaves the cost of its answer known and nothing charged", () => {
    const answered = after(attemptingJob(), at(DEADLINE_MS + 1), answer("end", 321n));
    expect(answered.cost).toMatchObject({ known: 321n, held: 0n });
    expect(answered.wakeAtMs).toBeLessThanOrEqual(answered.deadlineAtMs);
    expect(inWords(decide(answered, { type: "woke" }, at(DEADLINE_MS + 1)))).toBe(
      "settling failure deadline · job.resolved",
    );
  });

  test("that passes while a vanished worker holds the job ends it when the lease does", () => {
    const job = after(queuedJob(), at(DEADLINE_MS - 3_000), claimOf());
    expect(inWords(decide(job, { type: "woke" }, at(DEADLINE_MS)))).toBe("ignored: still_waiting");
    expect(inWords(decide(job, { type: "woke" }, at(DEADLINE_MS + 5_000)))).toBe(
      "settling failure deadline · job.resolved · end lost presumed",
    );
  });

  test("that passes after the first outcome was delivered does not end its acceptance window", () => {
    const job = awaitingJob(termsWith({ acceptance: { mode: "window", durationMs: 600_000, onSilence: "accept" } }));
    expect(inWords(decide(job, { type: "woke" }, at(DEADLINE_MS + 1)))).toBe("ignored: still_waiting");
    expect(after(job, at(DEADLINE_MS + 1), { type: "accepted" }).resolution).toBe("success");
  });

  test("wakes every job that is not held by somebody no later than when it passes", () => {
    for (const job of [JOBS.queued, JOBS.validating, queuedJob(termsWith({ deadlineMs: 100 }))]) {
      expect(job.wakeAtMs).toBeLessThanOrEqual(job.deadlineAtMs);
    }
  });
});

describe("a wake-up that finds nothing overdue", () => {
  test.each(["queued", "attempting", "validating", "awaiting_acceptance", "settling"] as const)(
    "changes nothing: perhaps the message of a job that is %s got lost",
    (state) => {
      expect(inWords(decide(JOBS[state], { type: "woke" }, at(4_000)))).toBe("ignored: still_waiting");
    },
  );

  test("does not end a lease early because some other clock is ahead", () => {
    const job = attemptingJob();
    expect(movedBy(decide(job, answer(), at(35_999))).next.state).toBe("validating");
    expect(inWords(decide(job, { type: "woke" }, at(35_999)))).toBe("ignored: still_waiting");
  });
});
