/** Random trees, held against a reference in exact fractions that runs every leaf. */
import type { ValidatorNode } from "@contingent/core/outcome-type";
import { decisionFor } from "@contingent/core/verdict";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TREE_DEPTH_MAX } from "./bounds.ts";
import { checkTree } from "./check-tree.ts";
import { PASSED } from "./finding.ts";
import { inline, outputFor, sandboxed, scripted, verdictBy } from "./tree.fixture.ts";
import type { RunCheck } from "./validator.ts";

/** A tree of which everything is known: a leaf is its score in quarters, and whether it needs the sandbox. */
type Plan =
  | { readonly quarters: number; readonly inSandbox: boolean }
  | { readonly all: readonly Plan[] }
  | { readonly any: readonly Plan[] }
  | { readonly not: Plan }
  | { readonly tenths: readonly (readonly [weight: number, of: Plan])[]; readonly thresholdTenths: number | null };

const leaf: fc.Arbitrary<Plan> = fc.record({ quarters: fc.integer({ min: 0, max: 4 }), inSandbox: fc.boolean() });
const { plan } = fc.letrec<{ plan: Plan; members: Plan[] }>((tie) => ({
  members: fc.array(tie("plan"), { minLength: 1, maxLength: 3 }),
  plan: fc.oneof(
    { depthSize: "small", maxDepth: 3 },
    leaf,
    fc.record({ all: tie("members") }),
    fc.record({ any: tie("members") }),
    fc.record({ not: tie("plan") }),
    fc.record({
      tenths: fc.array(fc.tuple(fc.integer({ min: 1, max: 10 }), tie("plan")), { minLength: 1, maxLength: 3 }),
      thresholdTenths: fc.option(fc.integer({ min: 1, max: 10 })),
    }),
  ),
}));
const thresholds = fc.record({
  successAt: fc.integer({ min: 0, max: 20 }).map((n) => n / 20),
  partialAt: fc.option(fc.integer({ min: 0, max: 20 }).map((n) => n / 20)),
});

function treeOf(at: Plan): ValidatorNode {
  if ("quarters" in at) return (at.inSandbox ? sandboxed : inline)(at.quarters / 4);
  if ("all" in at) return { all: at.all.map(treeOf) };
  if ("any" in at) return { any: at.any.map(treeOf) };
  if ("not" in at) return { not: treeOf(at.not) };
  const weighted = at.tenths.map(([weight, of]) => ({ weight: weight / 10, of: treeOf(of) }));
  return at.thresholdTenths === null ? { weighted } : { weighted, threshold: at.thresholdTenths / 10 };
}

/** Numerator and denominator. */
type Fraction = readonly [bigint, bigint];

const isLess = ([a, b]: Fraction, [c, d]: Fraction): boolean => a * d < c * b;

function exactly(at: Plan): Fraction {
  if ("quarters" in at) return [BigInt(at.quarters), 4n];
  if ("all" in at) return at.all.map(exactly).reduce((least, each) => (isLess(each, least) ? each : least));
  if ("any" in at) return at.any.map(exactly).reduce((most, each) => (isLess(most, each) ? each : most));
  if ("not" in at) {
    const [part, whole] = exactly(at.not);
    return [whole - part, whole];
  }
  const [sum, weights] = at.tenths.reduce<readonly [Fraction, bigint]>(
    ([[part, whole], total], [weight, of]) => {
      const [a, b] = exactly(of);
      return [[part * b + BigInt(weight) * a * whole, whole * b], total + BigInt(weight)];
    },
    [[0n, 1n], 0n],
  );
  const mean: Fraction = [sum[0], sum[1] * weights];
  return isLess(mean, [BigInt(at.thresholdTenths ?? 10), 10n]) ? mean : [1n, 1n];
}

function shuffled(at: Plan, random: () => number): Plan {
  const mixed = <T>(members: readonly T[]): readonly T[] =>
    members
      .map((member) => [random(), member] as const)
      .toSorted(([a], [b]) => a - b)
      .map(([, member]) => member);
  if ("quarters" in at) return at;
  if ("all" in at) return { all: mixed(at.all.map((each) => shuffled(each, random))) };
  if ("any" in at) return { any: mixed(at.any.map((each) => shuffled(each, random))) };
  if ("not" in at) return { not: shuffled(at.not, random) };
  return { ...at, tenths: mixed(at.tenths.map(([weight, of]) => [weight, shuffled(of, random)] as const)) };
}

const subject = outputFor("field");
const isShallow = (at: Plan): boolean =>
  JSON.stringify(treeOf(at)).split('"use"').length - 1 <= 32 && depthOf(at) <= TREE_DEPTH_MAX;

function depthOf(at: Plan): number {
  if ("quarters" in at) return 1;
  if ("not" in at) return 1 + depthOf(at.not);
  const members = "all" in at ? at.all : "any" in at ? at.any : at.tenths.map(([, of]) => of);
  return 1 + Math.max(...members.map(depthOf));
}

const anyPlan = plan.filter(isShallow);

describe("whatever the tree", () => {
  test("the score is that of all leaves in exact fractions, and a worse one than 1 has a reason", async () => {
    await fc.assert(
      fc.asyncProperty(anyPlan, thresholds, async (tree, { successAt, partialAt }) => {
        const { run } = scripted();
        const verdict = await verdictBy(treeOf(tree), subject, { successAt, partialAt }, run);
        const [part, whole] = exactly(tree);
        expect(verdict.score).toBeCloseTo(Number(part) / Number(whole), 11);
        expect(verdict.score === 1).toBe(part === whole);
        expect(verdict.score === 0).toBe(part === 0n);
        expect(verdict.score === 1).toBe(verdict.findings.length === 0);
        expect(verdict.decision).toBe(decisionFor(Number(part) / Number(whole), successAt, partialAt));
      }),
      { numRuns: 1_000 },
    );
  });

  test("the order of its members changes neither score nor decision", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyPlan,
        thresholds,
        fc.array(fc.nat(), { minLength: 50, maxLength: 50 }),
        async (tree, at, numbers) => {
          let used = 0;
          const random = (): number => numbers[used++ % numbers.length] ?? 0;
          const { run } = scripted();
          const one = await verdictBy(treeOf(tree), subject, at, run);
          const other = await verdictBy(treeOf(shuffled(tree, random)), subject, at, run);
          expect([other.score, other.decision]).toEqual([one.score, one.decision]);
        },
      ),
      { numRuns: 500 },
    );
  });
});

/** Trees as they may be sent: most of them wrong somewhere. */
const { sent } = fc.letrec<{ sent: unknown; members: unknown[] }>((tie) => ({
  members: fc.array(tie("sent"), { maxLength: 3 }),
  sent: fc.oneof(
    { depthSize: "large", maxDepth: TREE_DEPTH_MAX + 1, withCrossShrink: true },
    { weight: 8, arbitrary: fc.constantFrom<unknown>(inline(1), inline(0.5), { use: "json_schema", options: {} }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<unknown>(
        { use: "fields_complete", options: {} },
        { use: "json_schema" },
        { use: "vibes", options: {} },
        { all: "json_schema" },
        {},
        null,
      ),
    },
    { weight: 3, arbitrary: fc.record({ all: tie("members") }) },
    { weight: 3, arbitrary: fc.record({ any: tie("members") }) },
    { weight: 3, arbitrary: fc.record({ not: tie("sent") }) },
    {
      weight: 3,
      arbitrary: fc.record(
        {
          weighted: fc.array(fc.record({ weight: fc.constantFrom<unknown>(1, 0.5, 3, 0, "1"), of: tie("sent") }), {
            maxLength: 3,
          }),
          threshold: fc.constantFrom<unknown>(0.5, 1, 0, 2),
        },
        { requiredKeys: ["weighted"] },
      ),
    },
  ),
}));

test("whatever is let through when it is published can be judged by", async () => {
  const run: RunCheck = async () => PASSED;
  await fc.assert(
    fc.asyncProperty(sent, async (tree) => {
      fc.pre(checkTree(tree, "").length === 0);
      const { score } = await verdictBy(tree as ValidatorNode, subject, { successAt: 1, partialAt: null }, run);
      expect(score >= 0 && score <= 1).toBe(true);
    }),
    { numRuns: 500 },
  );
});
