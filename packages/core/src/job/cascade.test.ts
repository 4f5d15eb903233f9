/** Hazard: the model answered, and the answer is not good enough. */
import { describe, expect, test } from "vitest";
import { nanos } from "../money.ts";
import { decide } from "./decide.ts";
import {
  after,
  answer,
  at,
  attemptingJob,
  BORN_MS,
  cascadeStep,
  claimOf,
  FAST,
  inWords,
  movedBy,
  queuedJob,
  STANDARD,
  termsWith,
  validatingJob,
  verdict,
} from "./job.fixture.ts";
import { currentStep, type Job } from "./job.ts";
import { nextMessage } from "./messages.ts";
import { backoffMs } from "./moves.ts";

const NOW = at(5_000);

/** The job after its next attempt was judged to have failed. */
function failed(job: Job): Job {
  return after({ ...job, readyAtMs: 0 }, NOW, claimOf(), answer(), verdict("fail", 0.2));
}

/** The tiers that a job goes through while every answer fails, and how it ends. */
function journey(job: Job): readonly string[] {
  const tiers: string[] = [];
  let present = job;
  while (present.state === "queued") {
    tiers.push(currentStep(present).tier);
    present = failed(present);
  }
  return [...tiers, `${present.resolution} ${present.reason}`];
}

describe("a failed verdict", () => {
  test("is retried in its tier, then escalated, then exhausted", () => {
    expect(journey(queuedJob())).toEqual(["fast", "fast", "standard", "standard", "premium", "failure exhausted"]);
  });

  test("is not retried beyond the job's attempts over all tiers", () => {
    expect(journey(queuedJob(termsWith({ attemptsMax: 3 })))).toEqual([
      "fast",
      "fast",
      "standard",
      "failure exhausted",
    ]);
    expect(journey(queuedJob(termsWith({ attemptsMax: 1 })))).toEqual(["fast", "failure exhausted"]);
  });

  test("waits longer before each retry in a tier and not at all before an escalation", () => {
    const terms = termsWith({ cascade: [cascadeStep("fast", ["small"], { attemptsMax: 4 }), STANDARD] });
    const jobs = [queuedJob(terms)];
    for (let n = 0; n < 4; n += 1) jobs.push(failed(jobs.at(-1) ?? queuedJob(terms)));
    expect(jobs.slice(1).map((j) => j.readyAtMs - NOW.nowMs)).toEqual([1_000, 2_000, 4_000, 0]);
  });

  test("is retried with the model that stands in, and escalates to the next tier's own", () => {
    const standIn: Job = { ...queuedJob(), progress: { ...queuedJob().progress, modelIndex: 1 } };
    const retried = failed(standIn);
    expect(retried.progress).toMatchObject({ step: 0, modelIndex: 1 });
    expect(failed(retried).progress).toMatchObject({ step: 1, modelIndex: 0 });
  });

  test("skips a further tier whose attempts are used up", () => {
    const job = queuedJob();
    const used: Job = { ...job, progress: { ...job.progress, tried: [1, 2, 0] } };
    expect(currentStep(failed(used)).tier).toBe("premium");
  });
});

test.each(["refused", "truncated"] as const)(
  "an answer that was %s is judged by nobody, whatever it says",
  (stopped) => {
    const job = after(attemptingJob(), at(2_000), answer(stopped));
    expect(nextMessage(job, NOW.nowMs)?.destination.queue).toBe("attempt");
    for (const decision of ["pass", "partial", "fail"] as const) {
      expect(inWords(decide(job, verdict(decision), NOW))).toBe("ignored: stale");
    }
  },
);

describe("a refused answer", () => {
  test("goes to the next tier once, and a second refusal ends the job", () => {
    const job = after(attemptingJob(), at(2_000), answer("refused"));
    expect(currentStep(job).tier).toBe("standard");
    const again = decide(after(job, at(2_000), claimOf()), answer("refused"), at(3_000));
    expect(inWords(again)).toBe("settling failure refused · job.resolved · end refused known");
  });

  test("without a further tier ends the job as refused", () => {
    const job = attemptingJob(termsWith({ cascade: [FAST] }));
    expect(inWords(decide(job, answer("refused"), at(2_000)))).toBe(
      "settling failure refused · job.resolved · end refused known",
    );
  });

  test("is an attempt and costs what the provider says", () => {
    const job = after(attemptingJob(), at(2_000), answer("refused", 123n));
    expect(job.progress.tried).toEqual([1, 0, 0]);
    expect(job.cost.known).toBe(123n);
  });

  test("does not go on when the job has no attempts left", () => {
    const job = attemptingJob(termsWith({ attemptsMax: 1 }));
    expect(inWords(decide(job, answer("refused"), at(2_000)))).toBe(
      "settling failure refused · job.resolved · end refused known",
    );
  });
});

describe("a cut-off answer", () => {
  test("is retried with twice the output limit, up to the type's largest", () => {
    const first = after(attemptingJob(), at(2_000), answer("truncated"));
    const second = after({ ...first, readyAtMs: 0 }, at(2_000), claimOf(), answer("truncated"));
    expect([first.progress.outputTokensMax, second.progress.outputTokensMax]).toEqual([200, 300]);
    expect(currentStep(second).tier).toBe("standard");
  });

  test("is an attempt: with the last one used up the job is exhausted", () => {
    const job = attemptingJob(termsWith({ attemptsMax: 1 }));
    expect(inWords(decide(job, answer("truncated"), at(2_000)))).toBe(
      "settling failure exhausted · job.resolved · end truncated known",
    );
  });
});

describe("a partial outcome in hand", () => {
  const terms = termsWith({ cascade: [FAST, STANDARD], attemptsMax: 3 });
  const once = after(validatingJob(terms), NOW, verdict("partial", 0.6, "vrd_first"));

  test("does not end the job: a better one may come", () => {
    expect(inWords(decide(validatingJob(terms), verdict("partial", 0.6), NOW))).toBe(
      "queued fast · job.retried verdict",
    );
    expect(once.progress.best).toEqual({
      attemptId: "att_0001",
      verdictId: "vrd_first",
      decision: "partial",
      score: 0.6,
      value: null,
    });
  });

  test("is delivered when the attempts are exhausted, and the verdict that is charged for is named", () => {
    const job = after(failed(once), NOW, claimOf(), answer());
    const end = movedBy(decide(job, verdict("fail", 0.1, "vrd_last"), NOW));
    expect(inWords(end)).toBe("settling partial verified · job.resolved");
    expect(end.event.data["verdict"]).toBe("vrd_first");
  });

  test.each([
    ["better", 0.8, "vrd_second"],
    ["as good", 0.6, "vrd_first"],
    ["worse", 0.5, "vrd_first"],
  ])("is replaced by a partial outcome only if that one is better: %s", (_, score, kept) => {
    const judging = after({ ...once, readyAtMs: 0 }, NOW, claimOf(), answer());
    expect(after(judging, NOW, verdict("partial", score, "vrd_second")).progress.best?.verdictId).toBe(kept);
  });

  test("gives way to a success, even one with a lower score", () => {
    const judging = after({ ...once, readyAtMs: 0 }, NOW, claimOf(), answer());
    const end = movedBy(decide(judging, verdict("pass", 0.5, "vrd_second"), NOW));
    expect(inWords(end)).toBe("settling success verified · job.resolved");
    expect(end.next.progress.best?.verdictId).toBe("vrd_second");
  });

  test("is delivered when the cost cap, a refusal or the provider ends the job", () => {
    const broke: Job = { ...once, readyAtMs: 0, cost: { ...once.cost, known: terms.costCap } };
    expect(inWords(decide(broke, claimOf(), NOW))).toBe("settling partial verified · job.resolved");
    const asked = after({ ...once, readyAtMs: 0 }, NOW, claimOf(), answer("refused"), claimOf());
    expect(inWords(decide(asked, answer("refused"), NOW))).toBe(
      "settling partial verified · job.resolved · end refused known",
    );
  });

  test("is delivered when the deadline passes: it was verified in time", () => {
    expect(inWords(decide(once, { type: "woke" }, at(120_000)))).toBe("settling partial verified · job.resolved");
  });

  test("is not delivered to a customer who canceled", () => {
    const judging = after({ ...once, readyAtMs: 0 }, NOW, claimOf(), answer());
    for (const job of [once, judging]) {
      expect(inWords(decide(job, { type: "cancel" }, NOW))).toBe("settling failure canceled · job.resolved");
    }
  });
});

describe("the wait before a retry", () => {
  const policy = { initialDelayMs: 100, multiplier: 3, jitter: 0.5, delayMaxMs: 1_000 };

  test.each([
    [1, 0.5, 100],
    [2, 0.5, 300],
    [3, 0.5, 900],
    [4, 0.5, 1_000],
    [1, 0, 50],
    [1, 1 - Number.EPSILON, 150],
    [3, 1 - Number.EPSILON, 1_000],
  ])("before retry %i at random %f is %i ms", (wait, random, delayMs) => {
    expect(backoffMs(policy, wait, random)).toBe(delayMs);
  });

  test("stays a number however long an outage lasts", () => {
    expect(backoffMs({ ...policy, initialDelayMs: 0 }, 5_000, 0.5)).toBe(0);
    expect(backoffMs({ ...policy, jitter: 1 }, 5_000, 0)).toBe(0);
    expect(backoffMs(policy, 5_000, 0.5)).toBe(1_000);
  });

  test("never leads past the deadline", () => {
    const patient = cascadeStep("fast", ["small"], {
      retry: { ...policy, initialDelayMs: 500_000, delayMaxMs: 500_000 },
    });
    const job = failed(queuedJob(termsWith({ cascade: [patient], costCap: nanos(10_000n) })));
    expect(job.readyAtMs).toBe(job.deadlineAtMs);
    expect(job.deadlineAtMs).toBe(BORN_MS + 120_000);
  });
});
