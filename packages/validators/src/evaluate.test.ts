import type { ValidatorNode } from "@contingent/core/outcome-type";
import { describe, expect, test } from "vitest";
import { VERDICT_FINDINGS_MAX } from "./bounds.ts";
import { checkTree } from "./check-tree.ts";
import { evaluate } from "./evaluate.ts";
import { validatorNames } from "./registry.ts";
import { type Problem, runHere, type Subject } from "./validator.ts";

type Expected = readonly [path: string, message: string];

const complete: ValidatorNode = { use: "fields_complete", options: { entities: "/items", required: ["a", "b"] } };
const shape: ValidatorNode = { use: "json_schema", options: {} };
const dated: ValidatorNode = { use: "format", options: { fields: ["/items/*/a"], format: "date" } };
const tree: ValidatorNode = { all: [shape, { all: [complete, dated] }] };
const thresholds = { successAt: 0.9, partialAt: 0.5 };

function subject(output: Subject["output"]): Subject {
  return { input: {}, output, outputSchema: { type: "object", required: ["items"] } };
}

/** Problems as path and message, the message cut down to the part that is expected in it. */
function found(problems: readonly Problem[], expected: readonly Expected[]): readonly Expected[] {
  return problems.map(({ path, message }, index) => {
    const part = expected[index]?.[1] ?? "";
    return [path, message.includes(part) ? part : message];
  });
}

describe("evaluate", () => {
  test("an answer that passes every check passes", async () => {
    const verdict = await evaluate(tree, subject({ items: [{ a: "2026-01-02", b: 1 }] }), thresholds, runHere);
    expect(verdict).toMatchObject({ decision: "pass", score: 1, findings: [] });
    // The cheapest first: what needs a process of its own comes last.
    expect(verdict.validators).toEqual(["fields_complete@1", "format@1", "json_schema@1"]);
    expect(verdict.leaves.map(({ leaf, validator, score }) => `${leaf} ${validator} ${score}`)).toEqual([
      "/all/1/all/0 fields_complete@1 1",
      "/all/1/all/1 format@1 1",
      "/all/0 json_schema@1 1",
    ]);
  });

  test("the worst check decides, whatever the others say", async () => {
    const items = [{ a: "2026-01-02", b: 1 }, { a: "2026-01-03" }, { a: "4.1.2026", b: 1 }, { a: "5.1.2026", b: 1 }];
    const verdict = await evaluate(tree, subject({ items }), thresholds, runHere);
    expect(verdict.score).toBe(0.5);
    expect(verdict.decision).toBe("partial");
    expect(verdict.findings.map(({ path, code }) => `${path} ${code}`)).toEqual([
      "/items/1/b missing_field",
      "/items/2/a not_date",
      "/items/3/a not_date",
    ]);
  });

  test("a gate that failed fails the answer, even under a threshold of nought", async () => {
    expect((await evaluate(shape, subject({}), { successAt: 0.9, partialAt: 0 }, runHere)).decision).toBe("fail");
    expect((await evaluate(shape, subject({}), { successAt: 0, partialAt: null }, runHere)).decision).toBe("fail");
  });

  test("without a partial threshold there is only pass and fail", async () => {
    const items = [{ a: "2026-01-02", b: 1 }, { a: "2026-01-03" }];
    expect((await evaluate(complete, subject({ items }), { successAt: 0.9, partialAt: null }, runHere)).decision).toBe(
      "fail",
    );
  });

  test("findings are bounded however bad the answer is", async () => {
    const items = Array.from({ length: 500 }, () => ({ a: "x" }));
    const verdict = await evaluate(
      { all: [complete, dated, dated, complete] },
      subject({ items }),
      thresholds,
      runHere,
    );
    expect(verdict.findings).toHaveLength(VERDICT_FINDINGS_MAX);
  });

  test("an answer with very many errors is left at its first one", async () => {
    const wide: Subject = {
      input: {},
      output: Array.from({ length: 3_000 }, () => 1),
      outputSchema: { items: { type: "string" } },
    };
    const few: Subject = { ...wide, output: [1, 1, 1] };
    expect((await evaluate(shape, wide, thresholds, runHere)).findings).toHaveLength(1);
    expect((await evaluate(shape, few, thresholds, runHere)).findings).toHaveLength(3);
  });

  test.each<[string, ValidatorNode, string]>([
    ["an unknown validator", { use: "fields_compelte", options: {} }, 'there is no validator "fields_compelte"'],
    ["options that do not fit", { use: "format", options: { fields: ["/a"] } }, "the options of format@1 do not fit"],
    ["an empty `all`", { all: [] }, "a node without members"],
    ["an output schema that cannot be used", shape, "is not a usable JSON Schema"],
  ])("%s is no verdict: it throws", async (_, broken, message) => {
    const judged: Subject = { input: {}, output: {}, outputSchema: { type: "objekt" } };
    await expect(evaluate(broken, judged, thresholds, runHere)).rejects.toThrow(message);
  });
});

describe("checkTree", () => {
  test("a good tree has no problems", () => {
    expect(checkTree(tree, "/validator")).toEqual([]);
  });

  const names = validatorNames().join(", ");
  const aPointer = 'must be a JSON pointer such as "/total" or "/line_items/*/amount"';

  test.each<[string, unknown, readonly Expected[]]>([
    [
      "an unknown validator, with the names that exist",
      { all: [shape, { use: "regex", options: {} }] },
      [["/validator/all/1/use", `there is no validator "regex"; there are: ${names}`]],
    ],
    [
      "an option that is missing or misspelt",
      { use: "fields_complete", options: { entities: "/items", requires: ["a"] } },
      [
        ["/validator/options/required", "expected array, received undefined"],
        ["/validator/options", 'Unrecognized key: "requires"'],
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
    expect(checkTree(wide, "")).toEqual([{ path: "", message: "has 33 validators; at most 32 are allowed" }]);
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
});
