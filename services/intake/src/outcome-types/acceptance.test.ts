import type { Json, JsonObject } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { problemsOf, termsOf } from "./resolve.fixture.ts";

const WINDOW: JsonObject = { mode: "window", duration_ms: 60_000, on_silence: "accept" };
const EXPLICIT: JsonObject = { mode: "explicit", until_ms: 60_000 };
const leaf = (options: Json = WINDOW): JsonObject => ({ use: "customer_acceptance", options });
const SHAPE: JsonObject = { use: "json_schema", options: {} };

test.each([WINDOW, EXPLICIT, { ...EXPLICIT, on_silence: "accept" }])(
  "the leaf with %j comes to the same terms as acceptance with it",
  (how) => {
    const { acceptance } = termsOf({ acceptance: how });
    expect(acceptance.mode).toBe(how["mode"]);
    expect(termsOf({ validator: { all: [SHAPE, leaf(how)] } }).acceptance).toEqual(acceptance);
    expect(termsOf({ validator: leaf(how) }).acceptance).toEqual(acceptance);
  },
);

test("rejections that the leaf allows may lead to rework", () => {
  expect(termsOf({ validator: { all: [SHAPE, leaf()] }, rework: true }).rework).toBe(true);
});

describe("a leaf that asks the customer is refused", () => {
  const MISPLACED = /must stand at the root, or directly under an "all" at the root/;

  test.each<[string, Json, string]>([
    ["under any", { any: [SHAPE, leaf()] }, "/validator/any/1"],
    ["under not", { not: leaf() }, "/validator/not"],
    ["under weighted", { weighted: [{ weight: 1, of: leaf() }] }, "/validator/weighted/0/of"],
    ["deeper than the root", { all: [SHAPE, { all: [leaf()] }] }, "/validator/all/1/all/0"],
  ])("%s", (_, validator, path) => {
    const [problem, ...others] = problemsOf({ validator });
    expect(problem).toMatch(MISPLACED);
    expect(problem?.startsWith(`${path}:`)).toBe(true);
    expect(others).toEqual([]);
  });

  test("a second time", () => {
    expect(problemsOf({ validator: { all: [leaf(), SHAPE, leaf(EXPLICIT)] } })).toEqual([
      "/validator/all/2: asks the customer again: /validator/all/0 does already",
    ]);
  });

  test.each([{ mode: "automatic" }, EXPLICIT, WINDOW])("beside an acceptance of %j", (acceptance) => {
    expect(problemsOf({ validator: { all: [SHAPE, leaf()] }, acceptance })).toEqual([
      "/acceptance: is said by the leaf at /validator/all/1 already: leave one of the two out",
    ]);
  });

  test.each<[Json, RegExp]>([
    [{}, /^\/validator\/options\/mode: /],
    [{ mode: "automatic" }, /^\/validator\/options\/mode: /],
    [{ ...WINDOW, duration_ms: 1 }, /^\/validator\/options\/duration_ms: /],
    [{ mode: "window", duration_ms: 60_000 }, /^\/validator\/options\/on_silence: /],
  ])("with the options %j", (options, problem) => {
    expect(problemsOf({ validator: leaf(options) })).toEqual([expect.stringMatching(problem)]);
  });
});
