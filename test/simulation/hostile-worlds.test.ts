/** One job in thousands of hostile worlds, in virtual time. A failure prints the seed and path that repeat it. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AttemptId } from "@contingent/core/ids";
import { add, max, nanos, ZERO } from "@contingent/core/money";
import { rate } from "@contingent/core/job/job.fixture";
import type { Effect, Fact, JobEventType } from "@contingent/core/job/facts";
import { REASONS, verdictCostMax } from "@contingent/core/job/job";
import { rates, setting, terms } from "./arbitraries.ts";
import { World } from "./world.ts";
import type { Deed } from "./deeds.ts";

/** Half of the time whoever holds the job does what it should; otherwise anything may come from anybody. */
const does: fc.Arbitrary<Deed["does"]> = fc.oneof(
  { weight: 20, arbitrary: fc.constant("its turn" as const) },
  { weight: 2, arbitrary: fc.constantFrom("claim" as const, "wake" as const, "repeat" as const) },
  { weight: 6, arbitrary: fc.constantFrom("answer" as const, "fail" as const, "judge" as const, "break" as const) },
  { weight: 3, arbitrary: fc.constantFrom("inquire" as const, "put off" as const, "reply" as const, "lose" as const) },
  { weight: 1, arbitrary: fc.constantFrom("cancel" as const, "accept" as const, "reject" as const, "settle" as const) },
);

/** Evenly from 0 to 1: `fc.double` is even over representations, nearly all of which are next to nothing. */
const fraction = fc.integer({ min: 0, max: 1_000 }).map((n) => n / 1_000);

const deed: fc.Arbitrary<Deed> = fc.record({
  afterMs: fc.oneof(
    { weight: 30, arbitrary: fc.constant(0) },
    { weight: 30, arbitrary: fc.integer({ min: 1, max: 3_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 90_000 }) },
  ),
  does,
  who: fc.nat(7),
  share: fraction,
  random: fraction.map((f) => f * 0.999),
  stop: fc.oneof(
    { weight: 4, arbitrary: fc.constant("end" as const) },
    { weight: 1, arbitrary: fc.constantFrom("truncated" as const, "refused" as const) },
  ),
  failure: fc.constantFrom("unavailable", "timeout", "rate_limited", "rejected"),
  decision: fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom("fail" as const, "partial" as const) },
    { weight: 2, arbitrary: fc.constant("pass" as const) },
  ),
  yes: fc.boolean(),
});

const deeds = fc.array(deed, { maxLength: 100, size: "max" });

/** What can be told of a job after it was accepted. */
const EVENTS = Object.keys({
  "attempt.started": 0,
  "attempt.answered": 0,
  "inquiry.opened": 0,
  "inquiry.answered": 0,
  "job.retried": 0,
  "job.escalated": 0,
  "job.fell_back": 0,
  "job.rerouted": 0,
  "job.waited": 0,
  "job.delivered": 0,
  "job.reopened": 0,
  "job.resolved": 0,
  "job.closed": 0,
} satisfies Record<Exclude<JobEventType, "job.accepted">, 0>);

/** Each way an inquiry can end, and each thing that can be known of its cost. */
const INQUIRY_ENDS = [
  "replied known",
  "silence known",
  "broke known",
  "broke presumed",
  "dropped presumed",
  "dropped released",
];

function tellingWord(effect: Effect): string {
  return effect.type === "end_inquiry" ? `${effect.outcome} ${effect.costState}` : effect.type;
}

const RUNS = 6_000;
/** Seconds on an idle machine; a busy one may take its time. */
const PATIENCE = { timeout: 120_000 };

describe("whatever happens to a job", () => {
  test("its cap, its attempts and its hold are kept, its costs add up, and it closes in time", PATIENCE, () => {
    const seen = new Map<string, number>();
    fc.assert(
      fc.property(setting, deeds, (setting, deeds) => {
        const world = new World(setting);
        for (const deed of deeds) world.act(deed);
        world.end();
        const effects = world.moves.flatMap((m) => m.effects.map(tellingWord));
        const words = [world.job.reason ?? "", ...world.moves.map((m) => m.event.type), ...effects];
        for (const word of words) seen.set(word, (seen.get(word) ?? 0) + 1);
      }),
      { numRuns: RUNS, includeErrorInReport: true },
    );
    // Worlds in which nothing happens would prove nothing: every end and every event must have come up.
    expect([...REASONS, ...EVENTS, "pay_verdict", ...INQUIRY_ENDS].filter((word) => !seen.has(word))).toEqual([]);
  });
});

const CALL_MS = 100;
/** Steps after which a world that should have come to its end turns in a circle. */
const ROUNDS_MAX = 5_000;

const shortTerms = terms.map((t) => ({ ...t, deadlineMs: Math.min(t.deadlineMs, 20_000) }));

describe("while every model is away", () => {
  test("a job tries each place once and then waits: it never turns in a circle", PATIENCE, () => {
    fc.assert(
      fc.property(shortTerms, rates, fc.integer({ min: 1, max: 300 }), (terms, rates, inputTokens) => {
        const world = new World({ terms, rates, inputTokens, sweepLagMs: null, overruns: false });
        const places = terms.cascade.reduce((total, s) => total + s.models.length, 0);
        let movesAtOnce = 0;
        for (let round = 0; world.job.state !== "settling"; round += 1) {
          expect(round).toBeLessThan(ROUNDS_MAX);
          const waitMs = Math.max(0, world.job.readyAtMs - world.nowMs);
          world.advance(waitMs);
          movesAtOnce = waitMs > 0 ? 0 : movesAtOnce + 1;
          expect(movesAtOnce).toBeLessThanOrEqual(2 * places + 1);
          world.meet(world.claim(true));
          const { current } = world.job.progress;
          if (current !== null) world.meet(unavailable(current.attemptId));
        }
        expect(world.job.resolution).toBe("failure");
        expect(world.job.cost).toEqual({ known: 0n, presumed: 0n, held: 0n, overrun: 0n });
      }),
      { numRuns: 500, includeErrorInReport: true },
    );
  });

  test(
    "a job that its first model could do waits for it, whatever the others cost or how slow they are",
    PATIENCE,
    () => {
      const lasting = terms.filter((t) => t.deadlineMs >= 120_000);
      fc.assert(
        fc.property(lasting, rates, fc.integer({ min: 0, max: 20_000 }), (terms, others, outageMs) => {
          const [first] = terms.cascade;
          const cheap = rate(first.models[0], 0n, 1n);
          const rates = [...others.filter((r) => r.model !== cheap.model), cheap];
          const judging = add(terms.validation?.cost ?? ZERO, terms.inquiryReserve);
          const needed = add(nanos(BigInt(terms.outputTokens.max)), judging);
          const capped = { ...terms, costCap: max(terms.costCap, needed) };
          const world = new World({ terms: capped, rates, inputTokens: 100, sweepLagMs: null, overruns: false });
          const backAtMs = world.nowMs + outageMs;
          for (let round = 0; !["awaiting_acceptance", "settling"].includes(world.job.state); round += 1) {
            expect(round).toBeLessThan(ROUNDS_MAX);
            world.advance(Math.max(0, world.job.readyAtMs - world.nowMs));
            world.meet(world.claim(true));
            const { current } = world.job.progress;
            if (current === null) continue;
            world.advance(CALL_MS);
            if (world.nowMs < backAtMs) world.meet(unavailable(current.attemptId));
            else succeed(world, current.attemptId);
          }
          expect(world.job.resolution).toBe("success");
        }),
        { numRuns: 500, includeErrorInReport: true },
      );
    },
  );
});

function unavailable(attemptId: AttemptId): Fact {
  return { type: "call_failed", attemptId, failure: "unavailable", mayHaveBeenBilled: false, retryAfterMs: null };
}

function succeed(world: World, attemptId: AttemptId): void {
  world.meet({ type: "answered", attemptId, cost: nanos(1n), stop: "end" });
  world.meet({
    type: "judged",
    attemptId,
    verdictId: "vrd_0001",
    decision: "pass",
    score: 1,
    value: null,
    cost: verdictCostMax(world.job),
  });
}
