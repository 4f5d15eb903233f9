import type { JsonObject } from "@contingent/core/json";
import { thresholdsAt } from "@contingent/core/outcome-type";
import { decodeOutcomeType, encodeOutcomeType } from "@contingent/db/outcome-type-json";
import { expect, test } from "vitest";
import { contentOf, problemsOf, termsOf } from "./resolve.fixture.ts";

/** A cascade whose steps ask for these scores; undefined: for the type's. */
function asking(...scores: readonly (number | undefined)[]): JsonObject {
  const tiers = ["fast", "standard", "premium"];
  return {
    cascade: scores.map((score, i) => ({
      tier: tiers[i] ?? "fast",
      ...(score === undefined ? {} : { success_at: score }),
    })),
  };
}

test("a step asks for its own score, or else for the type's", () => {
  const terms = termsOf({ success_at: 0.8, ...asking(undefined, 0.85, 0.95) });
  expect(terms.cascade.map(({ successAt }) => successAt)).toEqual([null, 0.85, 0.95]);
  expect([0, 1, 2].map((step) => thresholdsAt(terms, step))).toEqual(
    [0.8, 0.85, 0.95].map((successAt) => ({ successAt, partialAt: null })),
  );
});

test.each<[string, JsonObject, string]>([
  ["less than the type", asking(0.7), "/cascade/0/success_at: must be at least 0.8"],
  ["less than the step before", asking(0.9, 0.85), "/cascade/1/success_at: must be at least 0.9"],
  ["the type's after a step that asks for more", asking(0.9, undefined), "/cascade/1/success_at: must be at least 0.9"],
  ["less than an earlier step", asking(0.95, 0.95, 0.9), "/cascade/2/success_at: must be at least 0.95"],
])("no step may ask for %s", (_, cascade, problem) => {
  expect(problemsOf({ success_at: 0.8, ...cascade })).toEqual([expect.stringContaining(problem)]);
});

test("what is stored keeps the scores; where a definition has none it is stored as before there were any", () => {
  const content = contentOf({ success_at: 0.8, ...asking(undefined, 0.9) });
  const stored = JSON.parse(JSON.stringify(encodeOutcomeType(content))) as JsonObject;
  expect(decodeOutcomeType(stored)).toEqual(content);

  const plain = contentOf({ success_at: 0.8, ...asking(undefined, undefined) });
  const old = JSON.parse(JSON.stringify(encodeOutcomeType(plain))) as JsonObject;
  expect(JSON.stringify(old).match(/"(successAt|features)"/g)).toEqual(['"successAt"']);
  expect(decodeOutcomeType(old)).toEqual(plain);
});
