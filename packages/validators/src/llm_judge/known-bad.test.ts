import type { Json } from "@contingent/core/json";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { knownBad } from "./known-bad.ts";

const SCHEMA = {
  type: "object",
  properties: { kind: { enum: ["invoice", "order", null] }, total: { type: "number" } },
} as const;

/** The shape of a value: names, lengths of lists and kinds of values. */
function formOf(value: Json): Json {
  if (Array.isArray(value)) return (value as readonly Json[]).map(formOf);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, formOf(one)]));
  return value === null ? "null" : typeof value;
}

function differing(left: Json, right: Json): number {
  const texts = (value: Json): readonly string[] => JSON.stringify(value).split(/[,{}]/);
  const [before, after] = [texts(left), texts(right)];
  return before.filter((text, i) => text !== after[i]).length;
}

describe("a bad answer that is made from a real one", () => {
  const real = {
    kind: "invoice",
    number: "INV-2026-0017",
    issue_date: "2026-03-01",
    seller: "Acme Ltd",
    buyer: "Birch Inc",
    lines: [
      { description: "Bolt", amount: 12.5 },
      { description: "Nut", amount: 7 },
    ],
    total: 19.5,
    confidence: 0.93,
    reading_notes: "The date is smudged.",
  };

  test.each(Array.from({ length: 25 }, (_, i) => `seed ${i}`))("has its form and other values: %s", (seed) => {
    const bad = knownBad(real, SCHEMA, [], seed);
    expect(formOf(bad?.output ?? null)).toEqual(formOf(real));
    expect(bad?.output).not.toEqual(real);
    // Several values, since one slip might not matter.
    expect(differing(real, bad?.output ?? null)).toBeGreaterThan(3);
    // What a model says of itself makes no answer bad.
    expect(bad?.output).toMatchObject({ confidence: 0.93, reading_notes: "The date is smudged." });
    expect(["invoice", "order"]).toContain((bad?.output as typeof real | undefined)?.kind);
    expect((bad?.output as typeof real | undefined)?.issue_date).toMatch(/^2026-03-\d\d$/);
  });

  test("is the same one for the same seed", () => {
    expect(knownBad(real, SCHEMA, [], "one")).toEqual(knownBad(real, SCHEMA, [], "one"));
    const seeds = Array.from({ length: 20 }, (_, i) => JSON.stringify(knownBad(real, SCHEMA, [], String(i))?.output));
    expect(new Set(seeds).size).toBeGreaterThan(10);
  });

  test("of code does something else", () => {
    const code = "export const sum = (a: number, b: number) => a + b;";
    expect(knownBad({ code, explanation: "It adds." }, {}, [], "s")).toEqual({
      kind: "twisted",
      output: { code: code.replace("a + b", "a - b"), explanation: "It adds." },
    });
  });

  test("of a sentence says the opposite, of a word nothing", () => {
    expect(knownBad("The invoice is overdue.", {}, [], "s")?.output).toBe("The invoice is not overdue.");
    expect(knownBad("positive", {}, [], "s")?.output).toBe("");
  });

  test("is not made where there is nothing to change", () => {
    expect([null, {}, [], "", { a: null }].map((output) => knownBad(output, {}, [], "s"))).toEqual(Array(5).fill(null));
  });
});

test("an answer that the operator knows to be bad is taken as it is", () => {
  expect(knownBad({ total: 1 }, {}, [{ total: -1 }], "s")).toEqual({ kind: "given", output: { total: -1 } });
});

test("is never the real answer, whatever that is", () => {
  const isOther = (value: unknown, seed: string): boolean => {
    const output = JSON.parse(JSON.stringify(value)) as Json;
    return JSON.stringify(knownBad(output, {}, [], seed)?.output) !== JSON.stringify(output);
  };
  expect(() => fc.assert(fc.property(fc.jsonValue(), fc.string(), isOther), { numRuns: 500 })).not.toThrow();
});
