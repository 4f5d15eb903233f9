import { readFileSync } from "node:fs";
import type { Json } from "@contingent/core/json";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RegisteredInquiry } from "./inquiry.ts";
import { validatorNamed, validatorNames } from "./registry.ts";
import { expectSound } from "./sound.fixture.ts";
import { type LeafResult, ValidatorError } from "./validator.ts";

const inquiries = validatorNames()
  .map(validatorNamed)
  .filter((validator): validator is RegisteredInquiry => validator?.kind === "inquiry");

interface Case {
  readonly options: Json;
  readonly reply: Json;
}

function casesOf(name: string): readonly Case[] {
  return ["passing", "failing"].flatMap(
    (file) => JSON.parse(readFileSync(new URL(`${name}/cases/${file}.json`, import.meta.url), "utf8")) as Case[],
  );
}

/** Null: no verdict. */
function read(inquiry: RegisteredInquiry, reply: Json, options: Json): LeafResult | null {
  try {
    return inquiry.read(reply, options);
  } catch (error) {
    if (error instanceof ValidatorError) return null;
    throw error;
  }
}

/** Any value, and this one with another value somewhere in it. */
function near(real: Json): fc.Arbitrary<Json> {
  const other = fc.jsonValue().map((value): Json => JSON.parse(JSON.stringify(value)) as Json);
  if (typeof real !== "object" || real === null || Object.keys(real).length === 0) return other;
  const within = fc.constantFrom(...Object.entries(real)).chain(([name, member]) =>
    near(member).map((value): Json => {
      const entries = Object.entries(real).map(([key, was]): [string, Json] => [key, key === name ? value : was]);
      return Array.isArray(real) ? entries.map(([, each]) => each) : Object.fromEntries(entries);
    }),
  );
  return fc.oneof(other, { arbitrary: within, weight: 3 });
}

describe.each(inquiries)("the inquiry $name", (inquiry) => {
  const cases = casesOf(inquiry.name);

  test("any reply on record is read soundly and always in the same way, or is no verdict", () => {
    const about = fc
      .constantFrom(...cases)
      .chain(({ options, reply }) => near(reply).map((said) => ({ options, said })));
    let results = 0;
    fc.assert(
      fc.property(about, ({ options, said }) => {
        const first = read(inquiry, said, options);
        expect(read(inquiry, said, options)).toEqual(first);
        if (first === null) return;
        expectSound(first);
        results += 1;
      }),
      { numRuns: 1_000 },
    );
    expect(results).toBeGreaterThan(0);
  });

  test("what silence means is sound, and every options bound the cost", () => {
    for (const { options } of cases) {
      const meaning = inquiry.silence(options);
      expectSound(meaning ?? { score: 1, findings: [] });
      expect(inquiry.costMax(options)).toBeGreaterThanOrEqual(0n);
    }
  });
});
