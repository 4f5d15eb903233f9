/** Hazard: an attempt that we cannot pay for, or that cannot be done in time. */
import { describe, expect, test } from "vitest";
import { nanos } from "../money.ts";
import type { Terms } from "../outcome-type.ts";
import { decide } from "./decide.ts";
import {
  after,
  answer,
  at,
  attemptingJob,
  BORN_MS,
  cascadeStep,
  claimOf,
  DEADLINE_MS,
  failure,
  FAST,
  FIRST,
  inWords,
  MEDIUM_NANOS,
  movedBy,
  partialInHand,
  queuedJob,
  rate,
  ratesOf,
  SMALL_NANOS,
  STANDARD,
  termsWith,
} from "./job.fixture.ts";
import { budgetLeft, currentModel, type Job, type JobCost } from "./job.ts";

const NOW = at(1_000);
const STARTED = "attempting · attempt.started · start small";
const COST_CAP = "settling failure cost_cap · job.resolved";
const DEADLINE = "settling failure deadline · job.resolved";

function capped(costCap: bigint, changes: Partial<Terms> = {}): Job {
  return queuedJob(termsWith({ costCap: nanos(costCap), ...changes }));
}

/** The output limit and the reserve of the attempt that the claim starts. */
function granted(job: Job, fact = claimOf()): readonly [outputTokensMax: number, reserve: bigint] {
  const [effect] = movedBy(decide(job, fact, NOW)).effects;
  if (effect?.type !== "start_attempt") throw new Error("no attempt started");
  return [effect.outputTokensMax, effect.reserve];
}

describe("a claim that is granted", () => {
  test("writes the attempt down with its worst case before the call is made", () => {
    const { next, effects, event } = movedBy(decide(queuedJob(), claimOf(), NOW));
    expect(effects).toEqual([
      {
        type: "start_attempt",
        attemptId: FIRST,
        number: 1,
        tier: "fast",
        provider: "anthropic",
        model: "small",
        outputTokensMax: 100,
        reserve: SMALL_NANOS,
        timeoutMs: 30_000,
      },
    ]);
    expect(next.cost.held).toBe(SMALL_NANOS);
    expect(next.progress.current).toEqual({
      attemptId: FIRST,
      provider: "anthropic",
      model: "small",
      reserve: SMALL_NANOS,
    });
    expect(event).toEqual({
      type: "attempt.started",
      data: { attempt: FIRST, number: 1, tier: "fast", model: "small" },
    });
  });

  test("numbers the attempts of a job one after the other, whatever became of them", () => {
    const job = after(
      queuedJob(),
      NOW,
      claimOf(),
      failure("unavailable"),
      claimOf(),
      failure("unavailable"),
      claimOf(),
    );
    expect(job.attempts).toBe(3);
  });

  test("aborts the call at the deadline when that comes before the tier's timeout", () => {
    const [effect] = movedBy(decide(queuedJob(), claimOf(), at(DEADLINE_MS - 10_000))).effects;
    expect(effect).toMatchObject({ timeoutMs: 10_000 });
  });

  test("turns the reserve into what the answer cost, and gives the rest back", () => {
    const answered = after(attemptingJob(), at(2_000), answer("end", 400n));
    expect(answered.cost).toEqual({ known: 400n, presumed: 0n, held: 0n, overrun: 0n });
    expect(budgetLeft(answered)).toBe(999_600n);
  });
});

describe("a claim during a back-off", () => {
  test("is ignored until the wait is over to the millisecond", () => {
    const waiting = after(attemptingJob(), at(2_000), answer("truncated"));
    const readyAt = waiting.readyAtMs - BORN_MS;
    expect(inWords(decide(waiting, claimOf(), at(readyAt - 1)))).toBe("ignored: not_yet");
    expect(inWords(decide(waiting, claimOf(), at(readyAt)))).toBe(STARTED);
  });
});

describe("the cost cap", () => {
  test("is met to the nano: an attempt that fits exactly is started whole", () => {
    expect(granted(capped(600n))).toEqual([100, 600n]);
  });

  test("lowers the output limit by just what does not fit", () => {
    expect(granted(capped(599n))).toEqual([99, 595n]);
    expect(granted(capped(595n))).toEqual([99, 595n]);
  });

  test("lowers it down to the type's minimum, and stops below that", () => {
    const oneModel = { cascade: [cascadeStep("fast", ["small"])] } as const;
    expect(granted(capped(150n, oneModel))).toEqual([10, 150n]);
    expect(inWords(decide(capped(149n, oneModel), claimOf(), NOW))).toBe(COST_CAP);
  });

  test("stops a job whose prompt alone does not fit", () => {
    expect(inWords(decide(capped(99n), claimOf(), NOW))).toBe(COST_CAP);
  });

  test("never grants more than what is left, even to a type whose smallest answer is nothing", () => {
    const outputTokens = { start: 100, min: 0, max: 100 };
    expect(inWords(decide(capped(99n, { outputTokens }), claimOf(), NOW))).toBe(COST_CAP);
  });

  test.each<[string, Partial<JobCost>]>([
    ["what is known to have been spent", { known: nanos(500n) }],
    ["what is presumed spent", { presumed: nanos(500n) }],
    ["what is still held", { held: nanos(500n) }],
    ["what exceeded its reserve", { known: nanos(500n), overrun: nanos(300n) }],
  ])("counts %s", (_, cost) => {
    const job = capped(1_000n);
    expect(granted({ ...job, cost: { ...job.cost, ...cost } })).toEqual([80, 500n]);
  });

  test("records by how much a report exceeded its reserve, and spends it", () => {
    const job = after(attemptingJob(), at(2_000), answer("end", 1_000n));
    expect(job.cost).toEqual({ known: 1_000n, presumed: 0n, held: 0n, overrun: 400n });
    expect(budgetLeft(job)).toBe(999_000n);
  });
});

describe("a bound on the prompt's size", () => {
  test("is good enough while the whole attempt fits", () => {
    expect(inWords(decide(capped(600n), claimOf({ exact: false }), NOW))).toBe(STARTED);
  });

  test("that does not fit asks for an exact count before anything is lowered, rerouted or stopped", () => {
    for (const cap of [599n, 150n, 10n]) {
      expect(inWords(decide(capped(cap), claimOf({ exact: false }), NOW))).toBe("count_tokens");
    }
  });

  test("gives way to the exact count, which may fit whole", () => {
    expect(granted(capped(599n), claimOf({ inputTokens: 90 }))).toEqual([100, 590n]);
  });
});

describe("a model that does not fit the cost cap", () => {
  const dear = rate("small", 1_000n, 5_000n);
  const cheap = rate("small-b", 1n, 5n);
  const medium = rate("medium", 20n, 100n);

  test("gives way to a cheaper one of its tier", () => {
    const step = decide(capped(1_000n), claimOf({ rates: ratesOf(dear, cheap, medium) }), NOW);
    expect(inWords(step)).toBe("queued fast · job.rerouted cost_cap");
    expect(currentModel(movedBy(step).next)).toBe("small-b");
  });

  test("gives way to a cheaper remaining tier", () => {
    const rates = ratesOf(dear, rate("small-b", 1_000n, 5_000n), rate("medium", 500n, 500n), rate("large", 1n, 1n));
    const step = decide(capped(1_000n), claimOf({ rates }), NOW);
    expect(inWords(step)).toBe("queued premium · job.rerouted cost_cap");
    expect(movedBy(step).next.progress.tried).toEqual([0, 0, 0]);
  });

  test("does not send the job back to a tier that it has left", () => {
    const escalated = after(attemptingJob(termsWith({ costCap: nanos(2_500n) })), NOW, failure("timeout"));
    expect(currentModel(escalated)).toBe("medium");
    expect(inWords(decide(escalated, claimOf(), NOW))).toBe(COST_CAP);
  });

  test("does not send it to a tier whose attempts are used up", () => {
    const job = capped(1_000n);
    const rates = ratesOf(dear, rate("medium", 1n, 1n));
    const used: Job = { ...job, progress: { ...job.progress, tried: [0, 2, 1] } };
    expect(inWords(decide(used, claimOf({ rates }), NOW))).toBe(COST_CAP);
  });

  test("does not send it to a model without a known price", () => {
    expect(inWords(decide(capped(1_000n), claimOf({ rates: ratesOf(dear) }), NOW))).toBe(COST_CAP);
  });

  test("delivers a partial outcome in hand instead of stopping", () => {
    const job = partialInHand();
    const spent: Job = { ...job, cost: { ...job.cost, known: nanos(999_999n) } };
    expect(inWords(decide(spent, claimOf(), NOW))).toBe("ignored: not_yet");
    expect(inWords(decide(spent, claimOf(), at(3_000)))).toBe("settling partial verified · job.resolved");
  });
});

describe("the time left", () => {
  const slow = cascadeStep("slow", ["medium"], { timeNeededMs: 20_000 });
  const quick = cascadeStep("quick", ["large"], { timeNeededMs: 1_000 });

  test("that just suffices is used", () => {
    expect(inWords(decide(queuedJob(), claimOf(), at(DEADLINE_MS - 2_000)))).toBe(STARTED);
  });

  test("that is too short for the tier skips to a later tier that is quick enough", () => {
    const job = queuedJob(termsWith({ cascade: [slow, slow, quick] }));
    const step = decide(job, claimOf(), at(DEADLINE_MS - 19_999));
    expect(inWords(step)).toBe("queued quick · job.rerouted too_slow");
  });

  test("that is too short for every tier ends the job before the deadline does", () => {
    expect(inWords(decide(queuedJob(), claimOf(), at(DEADLINE_MS - 1_999)))).toBe(DEADLINE);
  });

  test("does not reroute to a tier whose attempts are used up", () => {
    const job = queuedJob(termsWith({ cascade: [slow, quick] }));
    const used: Job = { ...job, progress: { ...job.progress, tried: [0, 2] } };
    expect(inWords(decide(used, claimOf(), at(DEADLINE_MS - 5_000)))).toBe(DEADLINE);
  });

  test("that is nil starts nothing, even in a tier that needs no time", () => {
    const instant = cascadeStep("fast", ["small"], { timeNeededMs: 0 });
    const job = queuedJob(termsWith({ cascade: [instant, { ...STANDARD, timeNeededMs: 0 }] }));
    expect(inWords(decide(job, claimOf(), at(DEADLINE_MS)))).toBe(DEADLINE);
  });

  test("is looked at before the price: no tokens are counted for an attempt that cannot be made", () => {
    const job = queuedJob(termsWith({ cascade: [FAST], costCap: MEDIUM_NANOS }));
    expect(inWords(decide(job, claimOf({ exact: false, inputTokens: 99_999 }), at(DEADLINE_MS)))).toBe(DEADLINE);
  });
});
