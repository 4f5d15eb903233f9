/** Hazard: calls that fail are made again and again on top of the others, and keep the provider from getting well. */
import { describe, expect, test } from "vitest";
import {
  earned,
  fullBudget,
  putBack,
  type RetryBudget,
  RETRIES_MAX,
  RETRIES_PER_SECOND,
  taken,
} from "./retry-budget.ts";

/** As many as can be taken at an instant. */
function takeAll(budget: RetryBudget, nowMs: number): { readonly budget: RetryBudget; readonly count: number } {
  let left = budget;
  for (let count = 0; ; count += 1) {
    const next = taken(left, nowMs);
    if (next === null) return { budget: left, count };
    left = next;
  }
}

describe("calls that come back", () => {
  test("are a few each second, and no more after however long a rest", () => {
    const first = takeAll(fullBudget(0), 0);
    expect(first.count).toBe(RETRIES_MAX);
    const second = takeAll(first.budget, 1_000);
    expect(second.count).toBe(RETRIES_PER_SECOND);
    expect(takeAll(second.budget, 3_600_000).count).toBe(RETRIES_MAX);
  });

  test("that fail are at most a quarter of the others on top of that", () => {
    let { budget } = takeAll(fullBudget(0), 0);
    for (let i = 0; i < 60; i += 1) budget = earned(budget);
    expect(takeAll(budget, 0).count).toBe(15);
  });

  test("that are answered cost nothing: whatever waited for a model that is well again gets through", () => {
    let budget = fullBudget(0);
    for (let i = 0; i < 1_000; i += 1) {
      const next = taken(budget, 0);
      expect(next).not.toBeNull();
      budget = putBack(next ?? budget);
    }
    expect(budget.left).toBe(RETRIES_MAX);
  });

  test("are not let through by a clock that stands still or a budget that was read late", () => {
    const { budget } = takeAll(fullBudget(1_000), 1_000);
    expect(taken(budget, 0)).toBeNull();
  });
});
