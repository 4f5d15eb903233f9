import { describe, expect, it } from "vitest";
import { Steadiness } from "./steadiness.ts";

const GAP_MAX_MS = 3_000;

/** Answers at these instants. @returns how long it has been steady at each */
function steadyAt(steadiness: Steadiness, ...instantsMs: readonly number[]): readonly number[] {
  return instantsMs.map((nowMs) => steadiness.answered(nowMs));
}

describe("the database has been seen without interruption", () => {
  it("since the first answer", () => {
    expect(steadyAt(new Steadiness(GAP_MAX_MS), 500, 1_000, 4_000, 5_500)).toEqual([0, 500, 3_500, 5_000]);
  });

  it("only since the first answer after it was away", () => {
    const steadiness = new Steadiness(GAP_MAX_MS);
    steadyAt(steadiness, 0, 2_000);
    steadiness.interrupted();
    expect(steadyAt(steadiness, 2_100, 2_600)).toEqual([0, 500]);
  });

  it("only since nobody has been asleep: a process that stood still has not seen it either", () => {
    expect(steadyAt(new Steadiness(GAP_MAX_MS), 0, 3_000, 6_001, 6_501)).toEqual([0, 3_000, 0, 500]);
  });
});
