import type { ValidatorNode } from "@contingent/core/outcome-type";
import type { JsonSchema } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { TREE_DEPTH_MAX, WEIGHT_MAX } from "./bounds.ts";
import { checkTree } from "./check-tree.ts";
import { validatorNames } from "./registry.ts";
import type { Problem } from "./validator.ts";

type Expected = readonly [path: string, message: string];

const complete: ValidatorNode = { use: "fields_complete", options: { entities: "/items", required: ["a", "b"] } };
const shape: ValidatorNode = { use: "json_schema", options: {} };
const dated: ValidatorNode = { use: "format", options: { fields: ["/items/*/a"], format: "date" } };
const tree: ValidatorNode = { all: [shape, { all: [complete, dated] }] };

/** Problems as path and message, the message cut down to the part that is expected in it. */
function found(problems: readonly Problem[], expected: readonly Expected[]): readonly Expected[] {
  return problems.map(({ path, message }, index) => {
    const part = expected[index]?.[1] ?? "";
    return [path, message.includes(part) ? part : message];
  });
}

describe("checkTree", () => {
  test("a good tree has no problems", () => {
    expect(checkTree(tree, "/validator")).toEqual([]);
    const weighted = [
      { weight: 0.5, of: tree },
      { weight: WEIGHT_MAX, of: { not: dated } },
    ];
    expect(checkTree({ any: [{ weighted, threshold: 1 }, { not: { any: [shape] } }] }, "/validator")).toEqual([]);
  });

  test("every kind of node counts towards the depth", () => {
    const wrap: readonly ((of: unknown) => unknown)[] = [
      (of) => ({ all: [of] }),
      (of) => ({ any: [of] }),
      (of) => ({ not: of }),
      (of) => ({ weighted: [{ weight: 1, of }] }),
    ];
    const nested = (levels: number): unknown =>
      Array.from({ length: levels - 1 }).reduce((node, _, i) => wrap[i % wrap.length]?.(node), shape);
    expect(checkTree(nested(TREE_DEPTH_MAX), "")).toEqual([]);
    expect(checkTree(nested(TREE_DEPTH_MAX + 1), "").map(({ message }) => message)).toEqual([
      "nests deeper than 8 levels",
    ]);
  });

  const names = validatorNames().join(", ");
  const aPointer = 'must be a JSON pointer such as "/total" or "/line_items/*/amount"';

  test.each<[string, unknown, readonly Expected[]]>([
    [
      "an unknown validator, with the names that exist",
      { all: [shape, { use: "vibes", options: {} }] },
      [["/validator/all/1/use", `there is no validator "vibes"; there are: ${names}`]],
    ],
    [
      "an option that is missing or misspelt",
      { use: "fields_complete", options: { entities: "/items", requires: ["a"] } },
      [
        ["/validator/options/required", "is required; add it"],
        ["/validator/options/requires", "is not known here; remove it or correct its name"],
      ],
    ],
    [
      "an option that is wrong, deep in a list",
      { use: "format", options: { fields: ["/a", "b/c"], format: "date" } },
      [["/validator/options/fields/1", aPointer]],
    ],
    [
      "a `*` where one place is meant",
      { use: "test_cases", options: { cases: "/a/*/b" } },
      [["/validator/options/cases", 'must mean one place: "*" is not allowed here']],
    ],
    ["missing options", { use: "json_schema" }, [["/validator/options", "{} if it needs none"]]],
    ["neither `use` nor `all`", {}, [["/validator", 'must be one of: {"use"']]],
    ["an empty `all`", { all: [] }, [["/validator/all", "at least one"]]],
    ["a tree that is no object", "json_schema", [["/validator", "must be an object"]]],
    ["a key that means nothing", { all: [shape], any: [shape] }, [["/validator/any", "is not known here: remove it"]]],
    ["an empty `any`", { any: [] }, [["/validator/any", "at least one"]]],
    ["an empty `weighted`", { weighted: [] }, [["/validator/weighted", "at least one"]]],
    ["a `not` of several", { not: [shape] }, [["/validator/not", "must be an object"]]],
    [
      "a mistake below each kind of node",
      { any: [{ not: { weighted: [{ weight: 1, of: { use: "vibes" } }] } }] },
      [["/validator/any/0/not/weighted/0/of/use", 'there is no validator "vibes"']],
    ],
    [
      "a member without a weight",
      { weighted: [shape] },
      [
        ["/validator/weighted/0/weight", `must be a number above 0 and at most ${WEIGHT_MAX}`],
        ["/validator/weighted/0/use", "is not known here: remove it"],
        ["/validator/weighted/0/options", "is not known here: remove it"],
        ["/validator/weighted/0/of", "must be an object"],
      ],
    ],
    [
      "a member that is no object",
      { weighted: ["json_schema"] },
      [["/validator/weighted/0", 'must be an object: {"weight": 1, "of": … }']],
    ],
    ...[0, -1, Number.NaN, Number.POSITIVE_INFINITY, WEIGHT_MAX + 1, "1", null].map(
      (weight): [string, unknown, readonly Expected[]] => [
        `the weight ${String(weight)}`,
        { weighted: [{ weight, of: shape }] },
        [["/validator/weighted/0/weight", "must be a number above 0"]],
      ],
    ),
    ...[0, -0.5, 1.01, Number.NaN, "0.9", null].map((threshold): [string, unknown, readonly Expected[]] => [
      `the threshold ${String(threshold)}`,
      { weighted: [{ weight: 1, of: shape }], threshold },
      [["/validator/threshold", "must be a number above 0 and at most 1"]],
    ]),
    [
      "a threshold where nothing is weighed",
      { all: [shape], threshold: 0.9 },
      [["/validator/threshold", "is not known here: remove it"]],
    ],
    [
      "an inherited name, which is no validator",
      { use: "constructor", options: {} },
      [["/validator/use", 'there is no validator "constructor"']],
    ],
  ])("names %s", (_, broken, expected) => {
    expect(found(checkTree(broken, "/validator"), expected)).toEqual(expected);
  });

  test("a schema may name its draft and itself, again in the next version", () => {
    for (const type of ["object", "array"]) {
      const schema = { $schema: "https://json-schema.org/draft/2020-12/schema", $id: "https://example.com/s", type };
      expect(checkTree({ use: "json_schema", options: { schema } }, "")).toEqual([]);
    }
  });

  test("a tree that is too large or too deep is refused", () => {
    const wide = { all: Array.from({ length: 33 }, () => shape) };
    expect(checkTree(wide, "")).toEqual([{ path: "", message: "has more than 32 validators: leave some out" }]);
    let deep: unknown = shape;
    for (let level = 0; level < 10_000; level++) deep = { all: [deep] };
    expect(checkTree(deep, "").map(({ message }) => message)).toEqual(["nests deeper than 8 levels"]);
  });

  test.each<[string, unknown, string, string]>([
    [
      "a schema that recurses",
      { $defs: { t: { items: { $ref: "#/$defs/t" } } }, $ref: "#/$defs/t" },
      "/$ref/items/$ref",
      "recurses",
    ],
    ["a schema from elsewhere", { $ref: "https://example.com/s.json" }, "/$ref", "must point into this schema"],
    ["a keyword that is misspelt", { type: "object", requried: ["a"] }, "", 'unknown keyword: "requried"'],
    ["a pattern that is no pattern", { type: "string", pattern: "(" }, "", "not a usable JSON Schema"],
    ["a pattern that needs backtracking", { type: "string", pattern: "(a)\\1" }, "", "not a usable JSON Schema"],
    ["a format that does not exist", { type: "string", format: "iban" }, "", "unknown format"],
    ["a quadratic check without a bound", { type: "array", uniqueItems: true }, "/uniqueItems", 'needs "maxItems"'],
  ])("refuses %s", (_, schema, path, message) => {
    const expected: Expected[] = [[`/options/schema${path}`, message]];
    expect(found(checkTree({ use: "json_schema", options: { schema } }, ""), expected)).toEqual(expected);
  });

  test("a small schema that unfolds into a huge one is refused, at once", () => {
    const $defs: Record<string, unknown> = { d0: { type: "string" } };
    for (let level = 1; level <= 25; level++)
      $defs[`d${level}`] = {
        properties: { a: { $ref: `#/$defs/d${level - 1}` }, b: { $ref: `#/$defs/d${level - 1}` } },
      };
    const [problem] = checkTree({ use: "json_schema", options: { schema: { $defs, $ref: "#/$defs/d25" } } }, "");
    expect(problem?.message).toContain("too large with its references written out");
  });

  test.each<[string, JsonSchema, string]>([
    [
      "branches",
      { oneOf: Array.from({ length: 1_500 }, (_, i) => ({ properties: { a: { const: i } } })) },
      "over 3000 nodes",
    ],
    [
      "patterns",
      {
        properties: Object.fromEntries(
          Array.from({ length: 400 }, (_, i) => [`p${i}`, { pattern: `^([a-z]{1,50}x${i}){1,15}$` }]),
        ),
      },
      "over 8192 characters of patterns",
    ],
    ["patterns of names", { patternProperties: { ["a".repeat(9_000)]: {} } }, "over 8192 characters of patterns"],
  ])("a schema with so many %s that compiling it would hold up others is refused, at once", (_, schema, message) => {
    const startedMs = performance.now();
    const [problem] = checkTree({ use: "json_schema", options: { schema } }, "");
    expect(problem?.message).toContain(message);
    // Compiled, the branches took 2.7 s of processor time.
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});
