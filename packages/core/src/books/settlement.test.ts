/** Hazard: a charge that no verdict justifies. */
import { describe, expect, test } from "vitest";
import {
  after,
  at,
  cascadeStep,
  FIRST,
  JOBS,
  queuedJob,
  termsWith,
  validatingJob,
  VERDICT,
  verdict,
} from "../job/job.fixture.ts";
import { type Job, type OutcomeInHand, REASONS, type Resolution } from "../job/job.ts";
import { nanos, ZERO } from "../money.ts";
import type { PriceTerms } from "../pricing/price.ts";
import { settlementOf } from "./settlement.ts";

const BINARY: PriceTerms = { shape: "binary", amount: nanos(800n) };
const TIERED: PriceTerms = {
  shape: "tiered",
  amount: nanos(800n),
  bands: [
    { fromScore: 0.5, fraction: 0.5 },
    { fromScore: 0.9, fraction: 1 },
  ],
};

const PASS: OutcomeInHand = {
  attemptId: "att_0001",
  verdictId: "vrd_0001",
  decision: "pass",
  score: 0.95,
  value: null,
};
const PARTIAL: OutcomeInHand = { ...PASS, decision: "partial", score: 0.6 };

function ended(resolution: Resolution | null, best: OutcomeInHand | null, price: PriceTerms = TIERED): Job {
  const job = queuedJob(termsWith({ price }));
  return { ...job, state: "settling", resolution, reason: "verified", progress: { ...job.progress, best } };
}

describe("the settlement of a job", () => {
  test("charges a success by its terms, and names the verdict", () => {
    expect(settlementOf(ended("success", PASS))).toEqual({ kind: "capture", price: 800n, verdictId: "vrd_0001" });
  });

  test("charges a partial outcome what its score is worth", () => {
    expect(settlementOf(ended("partial", PARTIAL))).toEqual({ kind: "capture", price: 400n, verdictId: "vrd_0001" });
  });

  test("gives a partial outcome away where the price is all or nothing", () => {
    expect(settlementOf(ended("partial", PARTIAL, BINARY))).toEqual({ kind: "void" });
    expect(settlementOf(ended("success", PASS, BINARY)).kind).toBe("capture");
  });

  test("charges by the number that the verdict recorded, and nothing where that is nothing", () => {
    const valued: PriceTerms = { shape: "value", rate: 0.02, path: "/recovered", min: ZERO, max: nanos(800n) };
    const carrying = (value: bigint | null) => ({ ...PASS, value: value === null ? null : nanos(value) });
    expect(settlementOf(ended("success", carrying(10_000n), valued))).toMatchObject({ price: 200n });
    expect(settlementOf(ended("success", carrying(10n ** 9n), valued))).toMatchObject({ price: 800n });
    for (const none of [0n, -5n, null]) {
      expect(settlementOf(ended("success", carrying(none), valued))).toEqual({ kind: "void" });
    }
    const partial = { ...carrying(10_000n), decision: "partial" } as const;
    expect(settlementOf(ended("partial", partial, valued))).toEqual({ kind: "void" });
  });

  test("voids an outcome whose score is worth nothing, since a charge of nothing is none", () => {
    expect(settlementOf(ended("success", { ...PASS, score: 0.4 }))).toEqual({ kind: "void" });
  });

  test.each(["success", "partial"] as const)(
    "charges nothing without a verdict in hand, whatever is claimed: %s",
    (resolution) => {
      expect(settlementOf(ended(resolution, null))).toEqual({ kind: "void" });
    },
  );

  test.each(REASONS)("charges nothing for a failure, even with a verdict in hand: %s", (reason) => {
    for (const best of [PASS, PARTIAL, null]) {
      expect(settlementOf({ ...ended("failure", best), reason })).toEqual({ kind: "void" });
    }
  });

  test.each(["queued", "attempting", "validating", "awaiting_acceptance"] as const)(
    "charges nothing for a job that is still %s",
    (state) => {
      expect(settlementOf(JOBS[state])).toEqual({ kind: "void" });
    },
  );

  test("of a job that really went through the pipeline charges the score that its verdict gave", () => {
    const terms = termsWith({ price: TIERED, cascade: [cascadeStep("fast", ["small"], { attemptsMax: 1 })] });
    const passed = after(validatingJob(terms), at(3_000), verdict("pass", 0.92));
    const partial = after(validatingJob(terms), at(3_000), verdict("partial", 0.55));
    const failed = after(validatingJob(terms), at(3_000), verdict("fail", 0.3));
    const prices = [passed, partial, failed].map((job) => {
      const settlement = settlementOf(job);
      return settlement.kind === "capture" ? settlement.price : null;
    });
    expect(prices).toEqual([800n, 400n, null]);
  });

  test("of a job that really went through the pipeline charges by the number that its verdict recorded", () => {
    const price: PriceTerms = { shape: "value", rate: 0.02, path: "/recovered", min: ZERO, max: nanos(800n) };
    const judged = {
      type: "judged",
      attemptId: FIRST,
      verdictId: VERDICT,
      decision: "pass",
      score: 1,
      cost: ZERO,
    } as const;
    const passed = after(validatingJob(termsWith({ price })), at(3_000), { ...judged, value: nanos(10_000n) });
    expect(settlementOf(passed)).toMatchObject({ kind: "capture", price: 200n });
  });
});
