import { isJsonObject, type Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { VALUES_MAX } from "../bounds.ts";
import { failed, finding, PASSED, shareResult } from "../finding.ts";
import { parseOutput } from "../parse-output.ts";
import { join, pointer, valueAt } from "../pointer.ts";
import type { LeafResult, Validator } from "../validator.ts";

/** Names under which a case may carry its input and its expected value, the first one found counts. */
const INPUT_NAMES = ["input", "inputs", "args", "arguments"];
const EXPECTED_NAMES = ["expected", "expected_output", "output"];
const MIN_MAX = 100;

export interface TestCasesOptions {
  /** Where the list of cases is. */
  readonly cases: string;
  /** How many good cases there must be. */
  readonly min: number;
}

/** Whether there are enough test cases: each with an input that no other has, and the value expected for it. */
export const testCases: Validator<TestCasesOptions> = {
  name: "test_cases",
  version: 1,
  place: "inline",
  options: z.strictObject({ cases: pointer, min: z.int().min(1).max(MIN_MAX).default(2) }),
  validate({ output }, options): LeafResult {
    const cases = valueAt(output, options.cases);
    if (!Array.isArray(cases))
      return failed(finding(options.cases, "not_a_list", "There is no list of test cases here.", "Add it."));
    if (cases.length > VALUES_MAX)
      return failed(finding(options.cases, "too_many", `The list has more than ${VALUES_MAX} cases.`));
    const { good, findings } = count(cases, options.cases);
    if (good >= options.min) return PASSED;
    const message = `There are ${good} good test cases; at least ${options.min} are needed.`;
    return shareResult(good, options.min, [finding(options.cases, "too_few_cases", message, "Add more."), ...findings]);
  },
};

function count(cases: readonly Json[], path: string): { good: number; findings: readonly Finding[] } {
  const seen = new Set<string>();
  const findings: Finding[] = [];
  let good = 0;
  for (const [index, each] of cases.entries()) {
    const input = isJsonObject(each) ? firstOf(each, INPUT_NAMES) : undefined;
    const expected = isJsonObject(each) ? firstOf(each, EXPECTED_NAMES) : undefined;
    const key = input === undefined ? "" : canonical(read(input));
    if (input === undefined || expected === undefined) {
      const message = `A case needs "${INPUT_NAMES[0]}" and "${EXPECTED_NAMES[0]}".`;
      findings.push(finding(join(path, index), "incomplete_case", message));
    } else if (seen.has(key)) {
      findings.push(
        finding(join(path, index), "duplicate_case", "Another case has the same input.", "Use another input."),
      );
    } else good += 1;
    seen.add(key);
  }
  return { good, findings };
}

function firstOf(each: Json, names: readonly string[]): Json | undefined {
  return names.map((name) => valueAt(each, `/${name}`)).find((value) => value !== undefined);
}

/** An input that is JSON as text (`"[1, 2]"`) is what it says, so that other spacing makes no other case. */
function read(input: Json): Json {
  if (typeof input !== "string") return input;
  const parsed = parseOutput(input);
  return parsed.ok ? parsed.value : input;
}

/** JSON with the names in order, so that `{a, b}` and `{b, a}` are the same input. Depth is bounded by `parseOutput`. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(canonical).join(",")}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).toSorted();
  return `{${names.map((name) => `${JSON.stringify(name)}:${canonical(value[name] ?? null)}`).join(",")}}`;
}
