/** Code generation: a described function in the prompt, a schema that asks for code and its test cases. */
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { isList, parseJson } from "../../json.ts";
import type { Solution, Solver, Task } from "../task.ts";
import { compile, readSignature, run, stepsIn, write, type Signature, type Step } from "./program.ts";
import { codeSpoils } from "./spoils.ts";

const CASES_MAX = 4;

interface TestCase {
  readonly args: readonly Json[];
  readonly expected: Json;
}

export const codeSolver: Solver = {
  name: "code",
  solve({ request, schema }: Task): Solution | null {
    const properties = schema?.["properties"];
    if (schema === null || !isJsonObject(properties) || !Object.hasOwn(properties, "code")) return null;
    const signature = signatureIn(request);
    if (signature === null) return null;
    const texts = stepsIn(tagged(request, "description") ?? request);
    const steps = compile(texts, signature);
    const examples = examplesIn(request);
    const cases = casesFor(steps, signature, examples);
    return {
      answer: answerFor(properties, { code: write(steps, signature), cases, explanation: explain(signature, steps) }),
      difficulty: difficultyOf(request, signature, steps),
      spoils: codeSpoils,
    };
  },
};

function tagged(request: string, tag: string): string | null {
  return new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(request)?.[1] ?? null;
}

/** The signature behind its label, else the first text that looks like one. */
function signatureIn(request: string): Signature | null {
  const labelled = /signature"?\s*[:=]\s*"?(.+)/i.exec(request)?.[1];
  return (labelled === undefined ? null : readSignature(labelled)) ?? readSignature(request);
}

/** Examples as JSON: `[{"input": [arguments…], "expected": value}]`, after their label or anywhere in the request. */
function examplesIn(request: string): TestCase[] {
  const text = tagged(request, "examples") ?? /\[\s*\{\s*"input"[\s\S]*\]/.exec(request)?.[0] ?? "";
  const parsed = parseJson(text.trim());
  if (!isList(parsed)) return [];
  return parsed.flatMap((example) => {
    if (!isJsonObject(example) || example["expected"] === undefined) return [];
    const input = example["input"] ?? null;
    return [{ args: isList(input) ? input : [input], expected: example["expected"] }];
  });
}

/** The examples that were given and some more that the steps were run on; none as long as a step is not understood. */
function casesFor(steps: readonly Step[], signature: Signature, examples: readonly TestCase[]): TestCase[] {
  if (steps.length === 0 || steps.some((step) => step.kind === "unread")) return [];
  const cases = new Map(examples.map((example) => [JSON.stringify(example.args), example]));
  for (const args of examples.flatMap((example) => variations(example.args))) {
    const key = JSON.stringify(args);
    if (cases.size >= CASES_MAX || cases.has(key)) continue;
    try {
      cases.set(key, { args, expected: run(steps, signature, args) });
    } catch {
      // The steps have no meaning for this variation: it is no test case.
    }
  }
  return [...cases.values()];
}

/** Arguments like these: the first one shortened, doubled or emptied. */
function variations(args: readonly Json[]): Json[][] {
  const [first = null, ...rest] = args;
  if (typeof first === "string")
    return [first.slice(0, Math.ceil(first.length / 2)), `${first} ${first}`, ""].map((t) => [t, ...rest]);
  if (isList(first)) return [first.slice(1), [...first, ...first], []].map((list) => [list, ...rest]);
  return typeof first === "number" ? [first + 1, first * 2, 0].map((n) => [n, ...rest]) : [];
}

function explain(signature: Signature, steps: readonly Step[]): string {
  const open = steps.filter((step) => step.kind === "unread");
  if (open.length > 0) {
    return `${signature.name} is not complete: ${open.map((step) => `"${step.text}"`).join(", ")} could not be turned into code.`;
  }
  const list = steps.map((step) => step.text.replace(/\.$/, "")).join("; ");
  return `${signature.name} works through ${steps.length} steps: ${list}.`;
}

function answerFor(
  properties: JsonObject,
  made: { code: string; cases: readonly TestCase[]; explanation: string },
): JsonObject {
  const answer: Record<string, Json> = {};
  for (const [name, schema] of Object.entries(properties)) {
    if (name === "code") answer[name] = made.code;
    else if (name === "explanation" || name === "summary") answer[name] = made.explanation;
    else if (/test_?cases|tests|cases/i.test(name)) answer[name] = made.cases.map((c) => caseFor(schema, c));
    else answer[name] = name === "language" ? "typescript" : null;
  }
  return answer;
}

/** A case with the types that the schema gives to its fields: text fields carry JSON. */
function caseFor(schema: Json | undefined, { args, expected }: TestCase): Json {
  const items = isJsonObject(schema) ? schema["items"] : undefined;
  const properties = isJsonObject(items) && isJsonObject(items["properties"]) ? items["properties"] : {};
  const as = (name: string, value: Json): Json => {
    const field = properties[name];
    return isJsonObject(field) && field["type"] === "string" ? JSON.stringify(value) : value;
  };
  const description = Object.hasOwn(properties, "description") ? { description: `${args.length} argument(s)` } : {};
  return { ...description, input: as("input", args), expected: as("expected", expected) };
}

const BASE = 0.28;
const STEPS_EASY = 3;

/** Many steps, early exits, several parameters and long texts make a function hard to get right. */
function difficultyOf(request: string, signature: Signature, steps: readonly Step[]): number {
  const marks = [
    BASE,
    Math.max(0, steps.length - STEPS_EASY) * 0.05,
    steps.filter((step) => step.kind === "guard").length * 0.04,
    Math.max(0, signature.parameters.length - 1) * 0.05,
    /[{<]/.test(signature.parameterList) ? 0.08 : 0,
    Math.min(0.1, request.length / 20_000),
    steps.some((step) => step.kind === "unread") || steps.length === 0 ? 0.4 : 0,
  ];
  return Math.min(
    1,
    marks.reduce((sum, mark) => sum + mark, 0),
  );
}
