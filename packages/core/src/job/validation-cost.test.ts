/** Hazard: verdicts that somebody is paid for, and a job that has no money left for them, or forgets what they cost. */
import { describe, expect, test } from "vitest";
import { nanos } from "../money.ts";
import type { Terms } from "../outcome-type.ts";
import { decide } from "./decide.ts";
import {
  after,
  at,
  cascadeStep,
  claimOf,
  DEADLINE_MS,
  inWords,
  movedBy,
  queuedJob,
  SMALL_NANOS,
  termsWith,
  validatingJob,
  VERDICT,
  verdict,
} from "./job.fixture.ts";
import { attemptBudgetLeft, budgetLeft } from "./job.ts";

const NOW = at(3_000);
const PAID = nanos(70n);
const validation: Terms["validation"] = { provider: "judges", name: "court", cost: PAID };
const PAY = "pay judges:court 70";

describe("a verdict that costs something", () => {
  test("is booked with the decision it leads to, whatever that is", () => {
    const job = validatingJob(termsWith({ validation }));
    const words = (["pass", "partial", "fail"] as const).map((decision) =>
      inWords(decide(job, verdict(decision, 0.95, VERDICT, PAID), NOW)),
    );
    expect(words).toEqual([
      `settling success verified · job.resolved · ${PAY}`,
      `queued fast · job.retried verdict · ${PAY}`,
      `queued fast · job.retried verdict · ${PAY}`,
    ]);
  });

  test("counts as spent on the job, beside the answer", () => {
    const job = validatingJob(termsWith({ validation }));
    const { next, effects } = movedBy(decide(job, verdict("fail", 0.1, VERDICT, PAID), NOW));
    expect(next.cost).toEqual({ known: 470n, presumed: 0n, held: 0n, overrun: 0n });
    expect(effects).toEqual([
      { type: "pay_verdict", verdictId: VERDICT, provider: "judges", name: "court", cost: PAID, reserve: PAID },
    ]);
  });

  test("is paid also when it comes too late to be charged to the customer", () => {
    const late = decide(validatingJob(termsWith({ validation })), verdict("pass", 1, VERDICT, PAID), at(DEADLINE_MS));
    expect(inWords(late)).toBe(`settling failure deadline · job.resolved · ${PAY}`);
  });

  test("may cost less than declared, and what it costs more is an overrun", () => {
    const job = validatingJob(termsWith({ validation }));
    const costs = [20n, 100n].map(
      (cost) => movedBy(decide(job, verdict("fail", 0.1, VERDICT, nanos(cost)), NOW)).next.cost,
    );
    expect(costs).toMatchObject([
      { known: 420n, overrun: 0n },
      { known: 500n, overrun: 30n },
    ]);
  });

  test("that nobody is to be paid for costs nothing", () => {
    const free = decide(validatingJob(), verdict("pass", 1, VERDICT, PAID), NOW);
    expect(inWords(free)).toBe("settling success verified · job.resolved");
    expect(movedBy(free).next.cost.known).toBe(400n);
  });

  test("that does not belong to the answer under way moves nothing: its cost is booked by whoever brings it", () => {
    const late = decide(queuedJob(termsWith({ validation })), verdict("pass", 1, VERDICT, PAID), NOW);
    expect(inWords(late)).toBe("ignored: late_answer");
  });
});

describe("a claim leaves room for the verdict", () => {
  const capped = (costCap: bigint, changes: Partial<Terms> = {}) =>
    queuedJob(termsWith({ costCap: nanos(costCap), validation, ...changes }));
  const granted = (costCap: bigint) => {
    const [effect] = movedBy(decide(capped(costCap), claimOf(), NOW)).effects;
    return effect?.type === "start_attempt" ? effect.outputTokensMax : null;
  };

  test("to the nano: the answer is cut short rather than the verdict", () => {
    expect(granted(SMALL_NANOS + PAID)).toBe(100);
    expect(granted(SMALL_NANOS + PAID - 1n)).toBe(99);
  });

  test("and does not start where only the answer would fit", () => {
    const step = decide(capped(SMALL_NANOS, { outputTokens: { start: 100, min: 100, max: 100 } }), claimOf(), NOW);
    expect(inWords(step)).toBe("settling failure cost_cap · job.resolved");
  });

  test("also at another place of the cascade that would fit without it", () => {
    const cascade: Terms["cascade"] = [cascadeStep("standard", ["medium"]), cascadeStep("fast", ["small"])];
    const outputTokens = { start: 100, min: 100, max: 100 };
    const there = (costCap: bigint) => inWords(decide(capped(costCap, { cascade, outputTokens }), claimOf(), NOW));
    expect(there(SMALL_NANOS + PAID)).toBe("queued fast · job.rerouted cost_cap");
    expect(there(SMALL_NANOS + PAID - 1n)).toBe("settling failure cost_cap · job.resolved");
  });

  test("which is still there when the answer has cost all that was reserved for it", () => {
    const attempting = after(capped(SMALL_NANOS + PAID), NOW, claimOf());
    const answered = after(attempting, NOW, {
      type: "answered",
      attemptId: "att_0001",
      cost: SMALL_NANOS,
      stop: "end",
    });
    expect([budgetLeft(answered), attemptBudgetLeft(answered)]).toEqual([PAID, 0n]);
    const judged = after(answered, NOW, verdict("fail", 0.1, VERDICT, PAID));
    expect(budgetLeft(judged)).toBe(0n);
    expect(inWords(decide({ ...judged, readyAtMs: NOW.nowMs }, claimOf(), NOW))).toMatch(/cost_cap/);
  });
});
