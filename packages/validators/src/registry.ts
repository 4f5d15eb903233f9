/** The validators there are. A new one is a new folder and a line here. */
import { wordsFor } from "@contingent/contracts/schema-words";
import type { z } from "zod";
import { arithmetic } from "./arithmetic/arithmetic.ts";
import { INLINE_STEPS_MAX } from "./bounds.ts";
import { citations } from "./citations/citations.ts";
import { classifierLabel } from "./classifier_label/classifier_label.ts";
import { codeSyntax } from "./code_syntax/code_syntax.ts";
import { codeTests } from "./code_tests/code_tests.ts";
import { contains } from "./contains/contains.ts";
import { customerAcceptance } from "./customer_acceptance/customer_acceptance.ts";
import { enumOf } from "./enum/enum.ts";
import { equals } from "./equals/equals.ts";
import { fieldsComplete } from "./fields_complete/fields_complete.ts";
import { format } from "./format/format.ts";
import { grounded } from "./grounded/grounded.ts";
import { http } from "./http/http.ts";
import { human } from "./human/human.ts";
import type { Inquiry, RegisteredInquiry } from "./inquiry.ts";
import { jsonDiff } from "./json_diff/json_diff.ts";
import { jsonSchema } from "./json_schema/json_schema.ts";
import { length } from "./length/length.ts";
import { llmJudge } from "./llm_judge/llm_judge.ts";
import { numericRange } from "./numeric_range/numeric_range.ts";
import { join } from "./pointer.ts";
import { regex } from "./regex/regex.ts";
import { sqlParses } from "./sql_parses/sql_parses.ts";
import { testCases } from "./test_cases/test_cases.ts";
import { type Problem, type RegisteredCheck, type Validator, ValidatorError } from "./validator.ts";

export type RegisteredValidator = RegisteredCheck | RegisteredInquiry;

/** The longest list of mistakes that one node's options are answered with. */
const PROBLEMS_MAX = 20;

const registered: ReadonlyMap<string, RegisteredValidator> = new Map(
  [
    register(arithmetic),
    register(citations),
    register(classifierLabel),
    register(codeSyntax),
    register(codeTests),
    register(contains),
    register(customerAcceptance),
    register(enumOf),
    register(equals),
    register(fieldsComplete),
    register(format),
    register(grounded),
    register(jsonDiff),
    register(jsonSchema),
    register(length),
    register(numericRange),
    register(regex),
    register(sqlParses),
    register(testCases),
    registerInquiry(http),
    registerInquiry(human),
    registerInquiry(llmJudge),
  ].map((validator) => [validator.name, validator]),
);

/** The validator of this name, or null. */
export function validatorNamed(name: string): RegisteredValidator | null {
  return registered.get(name) ?? null;
}

/** The check of this name; null: there is none, or it is an inquiry, which cannot be run. */
export function checkNamed(name: string): RegisteredCheck | null {
  const validator = validatorNamed(name);
  return validator?.kind === "check" ? validator : null;
}

/** Every name there is, sorted. */
export function validatorNames(): readonly string[] {
  return [...registered.keys()].toSorted();
}

/** Closes over the type of the options. */
export function register<O>(validator: Validator<O>): RegisteredCheck {
  const { name, version, place } = validator;
  const optionsOf = optionsReader(validator);
  return {
    kind: "check",
    name,
    version,
    place,
    problemsOf: (options) => problemsIn(validator.options, options),
    isQuick: (subject, options) =>
      place === "inline" && (validator.steps?.(subject, optionsOf(options)) ?? 0) <= INLINE_STEPS_MAX,
    run: (subject, options) => validator.validate(subject, optionsOf(options)),
  };
}

/** Closes over the type of the options. */
export function registerInquiry<O>(inquiry: Inquiry<O>): RegisteredInquiry {
  const { name, version, asked } = inquiry;
  const optionsOf = optionsReader(inquiry);
  return {
    kind: "inquiry",
    name,
    version,
    asked,
    problemsOf: (options) => problemsIn(inquiry.options, options),
    costMax: (options) => inquiry.costMax(optionsOf(options)),
    durationMs: (options) => inquiry.durationMs(optionsOf(options)),
    plan: (question, options, means) => inquiry.plan(question, optionsOf(options), means),
    ask: (question, options, means) => inquiry.ask(question, optionsOf(options), means),
    read: (reply, options) => inquiry.read(reply, optionsOf(options)),
    silence: (options) => inquiry.silence(optionsOf(options)),
  };
}

interface Optioned<O> {
  readonly name: string;
  readonly version: number;
  readonly options: z.ZodType<O>;
}

/** Reads options. A version's options are the same object for all of its jobs: they are checked once. */
function optionsReader<O>({ name, version, options: schema }: Optioned<O>): (options: unknown) => O {
  const checked = new WeakMap<object, O>();
  return (options) => {
    const known = typeof options === "object" && options !== null ? checked.get(options) : undefined;
    if (known !== undefined) return known;
    const parsed = schema.safeParse(options);
    if (!parsed.success)
      throw new ValidatorError(`the options of ${name}@${version} do not fit: publish the type anew`);
    if (typeof options === "object" && options !== null) checked.set(options, parsed.data);
    return parsed.data;
  };
}

function problemsIn(schema: z.ZodType, options: unknown): readonly Problem[] {
  const parsed = schema.safeParse(options);
  if (parsed.success) return [];
  return parsed.error.issues.flatMap(problemsOfIssue).slice(0, PROBLEMS_MAX);
}

function problemsOfIssue(issue: z.core.$ZodIssue): readonly Problem[] {
  const path = issue.path.reduce<string>((above, segment) => join(above, String(segment)), "");
  const message = wordsFor(issue);
  return issue.code === "unrecognized_keys"
    ? issue.keys.map((key) => ({ path: join(path, key), message }))
    : [{ path, message }];
}
