import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { failed, finding, PASSED, quote, shareResult } from "../finding.ts";
import { join, pointer, valueAt } from "../pointer.ts";
import { type LeafResult, type Subject, type Validator, ValidatorError } from "../validator.ts";
import { isSame } from "./compare.ts";
import { type Call, Guest, type Ran } from "./guest.ts";
import { prepare } from "./javascript.ts";
import { keyOf, readCase, type TestCase, testCase } from "./test-case.ts";

const HIDDEN_CASES_MAX = 200;
const OWN_CASES_MAX = 50;
const CASE_MS_MAX = 2_000;
/** What the interpreter does in a millisecond, about. The bound is the steps, so that it is the same on every machine. */
const STEPS_PER_MS = 2;
/** All cases together: half of what the sandbox lets a check compute. */
const STEPS_MAX = 2_500 * STEPS_PER_MS;
const SHOWN_CHARACTERS_MAX = 80;

/** How much of the hidden cases the next attempt may learn: nothing, what they call with, or all. */
type Reveal = "none" | "input" | "all";

export interface CodeTestsOptions {
  readonly language: "typescript" | "javascript";
  /** Where the code is, in the answer. */
  readonly code: string;
  /** The function that is called: its name, or where the input has it. */
  readonly function: { readonly name: string } | { readonly input: string };
  /** Cases that the model does not know: here, or somewhere in the input. */
  readonly hidden?: { readonly cases: readonly TestCase[] } | { readonly input: string } | undefined;
  /** Cases that the answer brings along. */
  readonly own?: OwnCases | undefined;
  readonly case_ms: number;
  readonly tolerance: number;
  readonly reveal: Reveal;
}

interface OwnCases {
  readonly cases: string;
  readonly min: number;
  readonly must_pass: boolean;
  readonly as_text: boolean;
}

const IDENTIFIER = /^[A-Za-z_$][\w$]{0,99}$/;

/** Runs the code that an answer brings, against cases that its model does not know and against its own. */
export const codeTests: Validator<CodeTestsOptions> = {
  name: "code_tests",
  version: 1,
  place: "sandbox",
  options: z
    .strictObject({
      language: z.enum(["typescript", "javascript"]).default("typescript"),
      code: pointer,
      function: z.union([
        z.strictObject({ name: z.string().regex(IDENTIFIER, "must be the name of a function") }),
        z.strictObject({ input: pointer }),
      ]),
      hidden: z
        .union([
          z.strictObject({ cases: z.array(testCase).min(1).max(HIDDEN_CASES_MAX) }),
          z.strictObject({ input: pointer }),
        ])
        .optional(),
      own: z
        .strictObject({
          cases: pointer,
          min: z.int().min(0).max(OWN_CASES_MAX).default(2),
          must_pass: z.boolean().default(true),
          as_text: z.boolean().default(false),
        })
        .optional(),
      case_ms: z.int().min(10).max(CASE_MS_MAX).default(500),
      tolerance: z.number().min(0).max(0.1).default(0),
      reveal: z.enum(["none", "input", "all"]).default("none"),
    })
    .refine(({ hidden, own }) => hidden !== undefined || own !== undefined, 'needs "hidden" or "own" cases to run'),
  async validate(subject, options): Promise<LeafResult> {
    const source = valueAt(subject.output, options.code);
    if (typeof source !== "string" || source.trim() === "")
      return failed(finding(options.code, "code_missing", `This must be code, and is ${quote(source)}.`));
    const prepared = prepare(source, options.language);
    if (!prepared.ok) return failed(finding(options.code, prepared.code, prepared.message, prepared.hint));
    const name = functionName(subject, options);
    const { planned, missing } = plan(subject, options);
    const { passed, findings } = await runAll(new Guest(prepared.code, name), name, planned, options);
    const all = planned.length + missing.length;
    return passed === all ? PASSED : shareResult(passed, all, [...findings, ...missing]);
  },
};

function functionName({ input }: Subject, options: CodeTestsOptions): string {
  if ("name" in options.function) return options.function.name;
  const name = valueAt(input, options.function.input);
  if (typeof name === "string" && IDENTIFIER.test(name)) return name;
  throw new ValidatorError(`the input has no name of a function at ${options.function.input}`);
}

/** A case and how a finding calls it. */
interface Planned extends TestCase {
  readonly path: string;
  readonly code: "hidden_case_fails" | "own_case_fails";
  readonly title: string;
  readonly reveal: Reveal;
}

/** What is run, and a finding for each case that should be there and is not. */
interface Plan {
  readonly planned: readonly Planned[];
  readonly missing: readonly Finding[];
}

function plan(subject: Subject, options: CodeTestsOptions): Plan {
  const cases = hiddenCases(subject, options);
  const hidden = cases.map((each, i): Planned => {
    const title = `Hidden case ${i + 1} of ${cases.length}`;
    return { ...each, path: options.code, code: "hidden_case_fails", title, reveal: options.reveal };
  });
  const own = options.own === undefined ? { planned: [], missing: [] } : planOwn(subject, options.own);
  return { planned: [...hidden, ...own.planned], missing: own.missing };
}

function hiddenCases({ input }: Subject, { hidden }: CodeTestsOptions): readonly TestCase[] {
  if (hidden === undefined) return [];
  if ("cases" in hidden) return hidden.cases;
  const found = valueAt(input, hidden.input);
  const list: readonly Json[] = Array.isArray(found) ? found : [];
  const cases = list.map((each) => readCase(each, false)).filter((each) => each !== null);
  if (cases.length === 0 || cases.length < list.length || cases.length > HIDDEN_CASES_MAX)
    throw new ValidatorError(`the input has no list of 1 to ${HIDDEN_CASES_MAX} test cases at ${hidden.input}`);
  return cases;
}

/** Cases with the same arguments count once, and each one that lacks of the minimum is one that fails. */
function planOwn({ output }: Subject, own: OwnCases): Plan {
  const found = valueAt(output, own.cases);
  const list: readonly Json[] = Array.isArray(found) ? found.slice(0, OWN_CASES_MAX) : [];
  const planned = new Map<string, Planned>();
  for (const [i, each] of list.entries()) {
    const read = readCase(each, own.as_text);
    const key = read === null ? null : keyOf(read);
    if (read === null || key === null || planned.has(key)) continue;
    const path = join(own.cases, i);
    planned.set(key, { ...read, path, code: "own_case_fails", title: "This test case", reveal: "all" });
  }
  const few = `There are ${planned.size} usable test cases; at least ${own.min} are needed.`;
  const hint = "Each needs other arguments, and the value that is expected for them.";
  const missing = Array.from({ length: Math.max(0, own.min - planned.size) }, () =>
    finding(own.cases, "too_few_cases", few, hint),
  );
  return { planned: own.must_pass ? [...planned.values()] : [], missing };
}

/** Runs the cases one after the other, within what all of them may compute together. */
async function runAll(
  guest: Guest,
  name: string,
  planned: readonly Planned[],
  { code, case_ms, tolerance }: CodeTestsOptions,
): Promise<{ readonly passed: number; readonly findings: readonly Finding[] }> {
  const findings: Finding[] = [];
  let passed = 0;
  let stepsLeft = STEPS_MAX;
  for (const each of planned) {
    const stepsMax = Math.min(case_ms * STEPS_PER_MS, stepsLeft);
    const { ran, atLoading, steps } = await guest.call(each.args, stepsMax);
    stepsLeft -= steps;
    if (atLoading) return { passed: 0, findings: [whyNotLoaded(ran, name, code)] };
    if (ran.kind === "returned" && isSame(ran.value, each.expected, tolerance)) passed += 1;
    else findings.push(finding(each.path, each.code, `${each.title}${shownCall(each)} ${whatWentWrong(ran, each)}.`));
    if (stepsLeft <= 0 || ran.kind === "too_much_memory") {
      const message = "The test cases take too much memory, or too long together: the rest was not run.";
      return { passed, findings: [...findings, finding(code, "not_run", message, "Make the code faster.")] };
    }
  }
  return { passed, findings };
}

function whyNotLoaded(ran: Ran, name: string, path: string): Finding {
  if (ran.kind === "function_missing") {
    const message = `The code has no function ${quote(name)}.`;
    return finding(path, "function_missing", message, "Export it under exactly this name.");
  }
  // Nothing has been called yet: what it says can tell nothing of a case.
  const message = `The code cannot be loaded: it ${happened(ran, true)}.`;
  return finding(path, "code_fails", message, "Use the language alone: there are no modules and no I/O.");
}

function shownCall({ args, reveal }: Planned): string {
  return reveal === "none" ? "" : `, called with ${shown(args)},`;
}

function whatWentWrong(ran: Call["ran"], { expected, reveal }: Planned): string {
  if (ran.kind !== "returned") return happened(ran, reveal !== "none");
  if (reveal === "none") return "gives another result than the one expected";
  return `gives ${shown(ran.value)}${reveal === "all" ? ` instead of ${shown(expected)}` : ", which is wrong"}`;
}

/** @param told whether the guest's own words may be repeated: they can hold what it was called with */
function happened(ran: Ran, told: boolean): string {
  switch (ran.kind) {
    case "threw":
      return told && ran.message !== "" ? `throws ${ran.error}: ${cut(ran.message)}` : `throws ${ran.error}`;
    case "no_json":
      return `gives ${ran.what}, which is no JSON`;
    case "too_long":
      return "takes too long";
    case "too_much_memory":
      return "needs too much memory";
    case "never_settles":
      return "waits for something that never comes";
    case "function_missing":
      return "has no such function";
    case "returned":
      return `gives ${shown(ran.value)}`;
  }
}

function shown(value: Json | readonly Json[]): string {
  return cut(JSON.stringify(value));
}

function cut(text: string): string {
  return text.length > SHOWN_CHARACTERS_MAX ? `${text.slice(0, SHOWN_CHARACTERS_MAX)}…` : text;
}
