import type { ValidatorNode } from "@contingent/core/outcome-type";
import { renderFeedback } from "@contingent/core/verdict";
import { describe, expect, test } from "vitest";
import { VERDICT_FINDINGS_MAX } from "./bounds.ts";
import { inline, outputFor, sandboxed, scripted, verdictBy } from "./tree.fixture.ts";
import { type LeafResult, runHere, type Subject } from "./validator.ts";

const complete: ValidatorNode = { use: "fields_complete", options: { entities: "/items", required: ["a", "b"] } };
const shape: ValidatorNode = { use: "json_schema", options: {} };
const dated: ValidatorNode = { use: "format", options: { fields: ["/items/*/a"], format: "date" } };
const tree: ValidatorNode = { all: [shape, { all: [complete, dated] }] };
const thresholds = { successAt: 0.9, partialAt: 0.5 };

function subject(output: Subject["output"]): Subject {
  return { input: {}, output, outputSchema: { type: "object", required: ["items"] } };
}

describe("evaluate", () => {
  test("an answer that passes every check passes", async () => {
    const verdict = await verdictBy(tree, subject({ items: [{ a: "2026-01-02", b: 1 }] }), thresholds, runHere);
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
    const verdict = await verdictBy(tree, subject({ items }), thresholds, runHere);
    expect(verdict.score).toBe(0.5);
    expect(verdict.decision).toBe("partial");
    expect(verdict.findings.map(({ path, code }) => `${path} ${code}`)).toEqual([
      "/items/1/b missing_field",
      "/items/2/a not_date",
      "/items/3/a not_date",
    ]);
  });

  test("a threshold that is reached exactly is reached, whatever a check had to add up for it", async () => {
    const labelled: ValidatorNode = { use: "classifier_label", options: { label: "/*", labels: ["a"] } };
    const labels = Array.from({ length: 100 }, (_, i) => (i < 93 ? "a" : "b"));
    const verdict = await verdictBy(labelled, subject(labels), { successAt: 0.93, partialAt: null }, runHere);
    expect(verdict).toMatchObject({ decision: "pass", score: 0.93, leaves: [{ score: 0.93 }] });
  });

  test("a gate that failed fails the answer, even under a threshold of nought", async () => {
    expect((await verdictBy(shape, subject({}), { successAt: 0.9, partialAt: 0 }, runHere)).decision).toBe("fail");
    expect((await verdictBy(shape, subject({}), { successAt: 0, partialAt: null }, runHere)).decision).toBe("fail");
  });

  test("without a partial threshold there is only pass and fail", async () => {
    const items = [{ a: "2026-01-02", b: 1 }, { a: "2026-01-03" }];
    expect((await verdictBy(complete, subject({ items }), { successAt: 0.9, partialAt: null }, runHere)).decision).toBe(
      "fail",
    );
  });

  test("findings are bounded however bad the answer is", async () => {
    const items = Array.from({ length: 500 }, () => ({ a: "x" }));
    const verdict = await verdictBy(
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
    expect((await verdictBy(shape, wide, thresholds, runHere)).findings).toHaveLength(1);
    expect((await verdictBy(shape, few, thresholds, runHere)).findings).toHaveLength(3);
  });

  test.each<[string, ValidatorNode, string]>([
    ["an unknown validator", { use: "fields_compelte", options: {} }, 'there is no validator "fields_compelte"'],
    ["options that do not fit", { use: "format", options: { fields: ["/a"] } }, "the options of format@1 do not fit"],
    ["an empty `all`", { all: [] }, "a node without members"],
    ["an output schema that cannot be used", shape, "is not a usable JSON Schema"],
  ])("%s is no verdict: it throws", async (_, broken, message) => {
    const judged: Subject = { input: {}, output: {}, outputSchema: { type: "objekt" } };
    await expect(verdictBy(broken, judged, thresholds, runHere)).rejects.toThrow(message);
  });
});

/** The score of a tree of leaves with known scores, and the codes of its findings. */
async function judged(
  node: ValidatorNode,
): Promise<{ score: number; findings: readonly string[]; ran: readonly string[] }> {
  const { run, ran } = scripted();
  const { score, findings } = await verdictBy(node, outputFor("field"), thresholds, run);
  return { score, findings: findings.map(({ path, code }) => (path === "" ? code : path)), ran };
}

describe("any", () => {
  test("is as good as its best member", async () => {
    expect((await judged({ any: [inline(0.25), inline(0.75), inline(0.5)] })).score).toBe(0.75);
    expect(await judged({ any: [inline(0), inline(1)] })).toMatchObject({ score: 1, findings: [] });
  });
});

const weighted = (
  threshold: number | undefined,
  ...members: readonly (readonly [number, ValidatorNode])[]
): ValidatorNode => ({
  weighted: members.map(([weight, of]) => ({ weight, of })),
  ...(threshold === undefined ? {} : { threshold }),
});

describe("weighted", () => {
  test.each<[string, ValidatorNode, number]>([
    ["the mean by weight", weighted(undefined, [3, inline(1)], [1, inline(0)]), 0.75],
    ["whatever the weights add up to", weighted(undefined, [0.3, inline(1)], [0.1, inline(0)]), 0.75],
    ["exactly 1 if every member is", weighted(undefined, [0.1, inline(1)], [0.2, inline(1)], [0.7, inline(1)]), 1],
    ["the mean also of the smallest weights", weighted(undefined, [Number.MIN_VALUE, inline(0.75)]), 0.75],
    ["0 if every member is", weighted(undefined, [0.1, inline(0)], [0.2, inline(0)], [0.7, inline(0)]), 0],
    ["itself below the threshold", weighted(0.8, [3, inline(1)], [1, inline(0)]), 0.75],
    ["1 from the threshold on", weighted(0.75, [3, inline(1)], [1, inline(0)]), 1],
    // 0.7 + 0.2 + 0.1 is 0.9999999999999999 in doubles, and (0.7 + 0.2) of it is 0.8999999999999999.
    [
      "1 at the threshold, however its weights add up",
      weighted(0.9, [0.7, inline(1)], [0.2, inline(1)], [0.1, inline(0)]),
      1,
    ],
    ["without the noise of doubles", weighted(1, [0.7, inline(1)], [0.2, inline(1)], [0.1, inline(0)]), 0.9],
  ])("is %s", async (_, node, score) => {
    expect((await judged(node)).score).toBe(score);
  });
});

test("the order of what is weighed changes no digit, where one lies in the middle between two", async () => {
  const third = weighted(undefined, [0.1, inline(0.75)], [0.9, inline(0)], [0.8, inline(0)]);
  const [a, b, c] = [[0.3, inline(0)] as const, [0.7, inline(0.5)] as const, [1, third] as const];
  const orders = [
    [a, b, c],
    [a, c, b],
    [b, a, c],
    [b, c, a],
    [c, a, b],
    [c, b, a],
  ];
  const scores = await Promise.all(
    orders.map(async (members) => (await judged(weighted(undefined, ...members))).score),
  );
  expect(new Set(scores).size).toBe(1);
});

describe("not", () => {
  test("is one minus its member, and says only that", async () => {
    expect(await judged({ not: inline(0) })).toMatchObject({ score: 1, findings: [] });
    expect(await judged({ not: inline(0.25) })).toMatchObject({ score: 0.75, findings: ["must_not_pass"] });
    expect(await judged({ not: inline(1) })).toMatchObject({ score: 0, findings: ["must_not_pass"] });
    expect(
      (
        await judged({
          not: {
            weighted: [
              { weight: 9, of: inline(1) },
              { weight: 1, of: inline(0) },
            ],
          },
        })
      ).score,
    ).toBe(0.1);
  });

  test("twice is as it was, but for the reasons", async () => {
    expect(await judged({ not: { not: inline(0.25) } })).toMatchObject({ score: 0.25, findings: ["must_not_pass"] });
  });
});

describe("findings", () => {
  const [good, bad] = [sandboxed(1, "good"), sandboxed(0.5, "bad")];

  test.each<[string, ValidatorNode, readonly string[]]>([
    ["of the members that are not perfect, none of one that is", { all: [good, bad] }, ["bad"]],
    ["none where one of `any` is perfect", { any: [bad, good] }, []],
    ["of all where none of `any` is: each would do", { any: [bad, sandboxed(0.25, "worse")] }, ["bad", "worse"]],
    [
      "none where the threshold is reached",
      {
        weighted: [
          { weight: 1, of: good },
          { weight: 1, of: bad },
        ],
        threshold: 0.75,
      },
      [],
    ],
    [
      "of the members that are missing to the threshold",
      {
        weighted: [
          { weight: 1, of: good },
          { weight: 1, of: bad },
        ],
        threshold: 0.9,
      },
      ["bad"],
    ],
    [
      "none of what only matters where it failed elsewhere",
      { all: [{ any: [bad, good] }, sandboxed(0, "worst")] },
      ["worst"],
    ],
    ["none of what must fail and does not", { not: bad }, ["must_not_pass"]],
  ])("are %s", async (_, node, codes) => {
    expect((await judged(node)).findings).toEqual(codes);
  });
});

test("a leaf with very many findings does not hide those of others from the next prompt", async () => {
  const many = Array.from({ length: 24 }, (_, i) => ({ path: `/items/${i}`, code: "many", message: "Wrong." }));
  const run = async (_: unknown, __: unknown, options: unknown): Promise<LeafResult> => {
    const { name } = options as { readonly name: string };
    const few = ["a", "b"].map((path) => ({ path: `/${path}`, code: name, message: "Wrong." }));
    return { score: 0.5, findings: name === "many" ? many : few };
  };
  const node = { all: [sandboxed(0.5, "many"), sandboxed(0.5, "few"), sandboxed(0.5, "others")] };
  const { findings } = await verdictBy(node, outputFor("field"), thresholds, run);
  expect(findings.slice(0, 6).map(({ code }) => code)).toEqual(["many", "few", "others", "many", "few", "others"]);
  expect(findings).toHaveLength(24 + 2 + 2);
  expect(renderFeedback(findings)).toContain("[others]");
});

describe("the sandbox is spared", () => {
  test.each<[string, ValidatorNode, number, readonly string[]]>([
    ["by a gate that failed", { all: [sandboxed(1), inline(0)] }, 0, []],
    [
      "not by one that failed in part: its score is still to be known",
      { all: [sandboxed(0.5), inline(0.75)] },
      0.5,
      ["sandboxed"],
    ],
    ["where one of `any` has passed", { any: [sandboxed(0), inline(1)] }, 1, []],
    [
      "where the threshold is reached without it",
      {
        weighted: [
          { weight: 1, of: sandboxed(0) },
          { weight: 3, of: inline(1) },
        ],
        threshold: 0.75,
      },
      1,
      [],
    ],
    [
      "not where it may still matter",
      {
        weighted: [
          { weight: 1, of: sandboxed(0) },
          { weight: 3, of: inline(1) },
        ],
      },
      0.75,
      ["sandboxed"],
    ],
    ["where it only says no to what has passed", { not: { any: [inline(1), sandboxed(1)] } }, 0, []],
    [
      "by a gate of its own place that failed before",
      { all: [sandboxed(0, "first"), sandboxed(1, "second")] },
      0,
      ["first"],
    ],
  ])("%s", async (_, node, score, ran) => {
    expect(await judged(node)).toMatchObject({ score, ran });
  });

  test("what is checked here is checked in any case: every finding helps the next attempt", async () => {
    const { findings } = await judged({
      all: [inline(0.75, "one"), inline(0, "two"), sandboxed(0), inline(0.5, "three")],
    });
    expect(new Set(findings.map((path) => path.replace(/-.*/, "")))).toEqual(new Set(["/one", "/two", "/three"]));
  });

  test("the verdict names those leaves that had a say", async () => {
    const { run } = scripted();
    const node = { all: [sandboxed(0, "shape"), { not: inline(0) }, { weighted: [{ weight: 1, of: sandboxed(1) }] }] };
    const verdict = await verdictBy(node, outputFor("field"), thresholds, run);
    expect(verdict.validators).toEqual(["fields_complete@1", "json_schema@1"]);
    expect(verdict.leaves.map(({ leaf, score }) => `${leaf} ${score}`)).toEqual(["/all/1/not 0", "/all/0 0"]);
    for (const { durationMs } of verdict.leaves) expect(durationMs).toBeGreaterThanOrEqual(0);
  });
});

test.each<[string, LeafResult, string]>([
  ["a score above 1", { score: 1.5, findings: [] }, "a score that is not 0 to 1"],
  ["a score that is none", { score: Number.NaN, findings: [] }, "a score that is not 0 to 1"],
  ["a bad score without a reason", { score: 0.5, findings: [] }, "gave no reason"],
])("%s is no verdict: it throws", async (_, result, message) => {
  await expect(verdictBy(shape, subject({}), thresholds, async () => result)).rejects.toThrow(message);
});
