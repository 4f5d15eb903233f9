import { readdirSync, readFileSync } from "node:fs";
import type { Json, JsonSchema } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { validatorNamed, validatorNames } from "./registry.ts";

/** A case as it lies in `<validator>/cases/*.json`. */
interface Case {
  readonly name: string;
  readonly options: Json;
  readonly input?: Json;
  readonly output: Json;
  readonly output_schema?: JsonSchema;
  readonly score?: number;
  /** `path code` of each finding, in order. */
  readonly findings?: readonly string[];
}

function casesOf(validator: string, file: "passing" | "failing"): readonly Case[] {
  return JSON.parse(readFileSync(new URL(`${validator}/cases/${file}.json`, import.meta.url), "utf8")) as Case[];
}

async function run(validator: string, { options, input = null, output, output_schema = {} }: Case) {
  const registered = validatorNamed(validator);
  if (registered === null) throw new Error(`no validator ${validator}`);
  expect(registered.problemsOf(options)).toEqual([]);
  return await registered.run({ input, output, outputSchema: output_schema }, options);
}

test("every folder with cases is a validator, and every validator has a folder", () => {
  const folders = readdirSync(new URL(".", import.meta.url), { withFileTypes: true });
  expect(folders.filter((entry) => entry.isDirectory()).map((entry) => entry.name)).toEqual(validatorNames());
});

describe.each(validatorNames())("%s", (validator) => {
  const passing = casesOf(validator, "passing");
  const failing = casesOf(validator, "failing");

  test("shows at least five answers that pass and five that do not", () => {
    expect(Math.min(passing.length, failing.length)).toBeGreaterThanOrEqual(5);
  });

  test.each(passing)("accepts: $name", async (each) => {
    expect(await run(validator, each)).toEqual({ score: 1, findings: [] });
  });

  test.each(failing)("rejects: $name", async (each) => {
    const result = await run(validator, each);
    expect(result.findings.map(({ path, code }) => `${path} ${code}`)).toEqual(each.findings);
    expect(result.score).toBeCloseTo(each.score ?? Number.NaN, 12);
  });
});
