import { readdirSync, readFileSync } from "node:fs";
import type { Json, JsonSchema } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { llmJudge } from "./llm_judge/llm_judge.ts";
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

const inquiries = [llmJudge];

test("every folder with cases is a validator, and every validator has a folder", () => {
  const folders = readdirSync(new URL(".", import.meta.url), { withFileTypes: true });
  const names = [...validatorNames(), ...inquiries.map(({ name }) => name)];
  expect(folders.filter((entry) => entry.isDirectory()).map((entry) => entry.name)).toEqual(names.toSorted());
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

/** What an inquiry's cases show: a recorded reply, and what it comes to. */
type ReplyCase = Omit<Case, "output"> & { readonly reply: Json };

describe.each(inquiries)("$name", (inquiry) => {
  const cases = (file: "passing" | "failing"): readonly ReplyCase[] =>
    JSON.parse(readFileSync(new URL(`${inquiry.name}/cases/${file}.json`, import.meta.url), "utf8")) as ReplyCase[];
  const [passing, failing] = [cases("passing"), cases("failing")];

  test("shows at least five replies that pass and five that do not", () => {
    expect(Math.min(passing.length, failing.length)).toBeGreaterThanOrEqual(5);
  });

  test.each(passing)("accepts: $name", ({ reply, options }) => {
    expect(inquiry.read(reply, inquiry.options.parse(options))).toEqual({ score: 1, findings: [] });
  });

  test.each(failing)("rejects: $name", ({ reply, options, findings, score }) => {
    const result = inquiry.read(reply, inquiry.options.parse(options));
    expect(result.findings.map(({ path, code }) => `${path} ${code}`)).toEqual(findings);
    expect(result.score).toBeCloseTo(score ?? Number.NaN, 12);
  });

  test("the README says what it may wrongly accept and reject", () => {
    const readme = readFileSync(new URL(`${inquiry.name}/README.md`, import.meta.url), "utf8");
    expect(readme).toContain("## False accepts");
    expect(readme).toContain("## False rejects");
  });
});
