import fc from "fast-check";
import { expect, test } from "vitest";
import { add, min, nanos, subtract, ZERO } from "../money.ts";
import { type BookedCost, correctionMoves } from "./cost-correction.ts";

test.each<[string, BookedCost["state"], bigint, bigint, bigint, [bigint, bigint, bigint]]>([
  // state, cost, counted, corrected to; known, presumed, overrun
  ["less than was reported", "known", 400n, 400n, 300n, [-100n, 0n, 0n]],
  ["more than was reported: the rest of the reserve may be spent already", "known", 400n, 400n, 500n, [100n, 0n, 100n]],
  ["less than was estimated", "presumed", 900n, 900n, 400n, [400n, -900n, 0n]],
  ["exactly what was estimated", "presumed", 900n, 900n, 900n, [900n, -900n, 0n]],
  ["more than was estimated", "presumed", 900n, 900n, 950n, [950n, -900n, 50n]],
  ["nothing at all", "known", 400n, 400n, 0n, [-400n, 0n, 0n]],
  ["down again, what was added before", "known", 500n, 400n, 400n, [-100n, 0n, -100n]],
  ["down further than it was before", "known", 500n, 400n, 350n, [-150n, 0n, -100n]],
  ["up again after it was lowered", "known", 300n, 300n, 400n, [100n, 0n, 100n]],
])("%s", (_, state, cost, counted, amount, [known, presumed, overrun]) => {
  const moves = correctionMoves({ state, cost: nanos(cost), counted: nanos(counted) }, nanos(amount));
  expect(moves).toEqual({ known, presumed, overrun });
});

test("however often it is corrected: the cost is the last word, the cap is never exceeded by what counts against it", () => {
  const amount = fc.bigInt({ min: 0n, max: 2_000n }).map(nanos);
  fc.assert(
    fc.property(amount, amount, fc.boolean(), fc.array(amount, { minLength: 1, maxLength: 8 }), (...drawn) => {
      const [reserve, reported, isPresumed, corrections] = drawn;
      let cost = isPresumed ? reserve : reported;
      let counted = min(reserve, cost);
      const job = isPresumed
        ? { known: ZERO, presumed: cost, overrun: ZERO }
        : { known: cost, presumed: ZERO, overrun: subtract(cost, counted) };
      let state: BookedCost["state"] = isPresumed ? "presumed" : "known";
      for (const corrected of corrections) {
        const countedBefore = subtract(add(job.known, job.presumed), job.overrun);
        const moves = correctionMoves({ state, cost, counted }, corrected);
        job.known = add(job.known, moves.known);
        job.presumed = add(job.presumed, moves.presumed);
        job.overrun = add(job.overrun, moves.overrun);
        [cost, counted, state] = [corrected, min(counted, corrected), "known"];
        expect(job.known).toBe(corrected);
        expect(job.presumed).toBe(0n);
        expect(job.overrun).toBeGreaterThanOrEqual(0n);
        expect(subtract(job.known, job.overrun)).toBeLessThanOrEqual(countedBefore);
      }
    }),
  );
});
