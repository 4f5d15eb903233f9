import { readdirSync, readFileSync } from "node:fs";
import type { Json, JsonSchema } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { validatorNamed, validatorNames } from "./registry.ts";

/** A case as it lies in `<validator>/cases/*.json`. */
interface Case {
  readonly name: string;
  readonly options: Json;
  readonly input?: Json;
  /** The answer that a check is about. */
  readonly output?: Json;
  /** The recorded reply that an inquiry is about. */
  readonly reply?: Json;
  readonly output_schema?: JsonSchema;
  readonly score?: number;
  /** `path code` of each finding, in order. */
  readonly findings?: readonly string[];
}

function casesOf(validator: string, file: "passing" | "failing"): readonly Case[] {
  return JSON.parse(readFileSync(new URL(`${validator}/cases/${file}.json`, import.meta.url), "utf8")) as Case[];
}

async function run(name: string, { options, input = null, output, reply, output_schema = {} }: Case) {
  const validator = validatorNamed(name);
  if (validator === null) throw new Error(`no validator ${name}`);
  expect(validator.problemsOf(options)).toEqual([]);
  const about = validator.kind === "check" ? output : reply;
  if (about === undefined)
    throw new Error(`a case of ${name} is about ${validator.kind === "check" ? "an output" : "a reply"}`);
  if (validator.kind === "inquiry") return validator.read(about, options);
  return await validator.run({ input, output: about, outputSchema: output_schema }, options);
}

test("every folder with cases is a validator, and every validator has a folder", () => {
  const folders = readdirSync(new URL(".", import.meta.url), { withFileTypes: true });
  expect(folders.filter((entry) => entry.isDirectory()).map((entry) => entry.name)).toEqual(validatorNames());
});

describe.each(validatorNames())("%s", (validator) => {
  const passing = casesOf(validator, "passing");
  const failing = casesOf(validator, "failing");

  test("shows at least five cases that pass and five that do not", () => {
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
