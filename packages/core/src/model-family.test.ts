import { describe, expect, test } from "vitest";
import { familyOf, mayJudge } from "./model-family.ts";

test.each([
  ["claude-haiku-5-5", "claude-haiku"],
  ["claude-sonnet-5", "claude-sonnet"],
  ["gpt-5.2-mini", "gpt-mini"],
  ["llama-4-70b", "llama-70b"],
  ["o3", "o3"],
  ["7", "7"],
])("the family of %s is its name without the version", (model, family) => {
  expect(familyOf(model)).toBe(family);
});

describe("a model may judge", () => {
  test("the answers of another family", () => {
    expect(
      mayJudge({ model: "claude-sonnet-5-5", tier: "standard" }, { model: "claude-haiku-5-5", tier: "fast" }),
    ).toBe(true);
    expect(mayJudge({ model: "claude-fable-5-1", tier: null }, { model: "claude-opus-5-5", tier: "premium" })).toBe(
      true,
    );
  });

  test("its family's answers from another tier, where both tiers are known", () => {
    expect(mayJudge({ model: "x-large-2", tier: "premium" }, { model: "x-large-1", tier: "standard" })).toBe(true);
    expect(mayJudge({ model: "x-large-2", tier: null }, { model: "x-large-1", tier: "standard" })).toBe(false);
    expect(mayJudge({ model: "x-large-2", tier: "premium" }, { model: "x-large-1", tier: null })).toBe(false);
  });

  test("neither its own answers, whatever tier they were made on, nor its older version's of the same tier", () => {
    expect(mayJudge({ model: "claude-opus-5-5", tier: "premium" }, { model: "claude-opus-5-5", tier: "fast" })).toBe(
      false,
    );
    expect(mayJudge({ model: "claude-opus-5-5", tier: "premium" }, { model: "claude-opus-5", tier: "premium" })).toBe(
      false,
    );
  });
});
