/** From a description to a program: its steps compiled, written out as TypeScript, and run on arguments. */
import type { Json } from "@contingent/core/json";
import { LIST_RULES } from "./list-rules.ts";
import { NUMBER_RULES } from "./number-rules.ts";
import { CONDITION, OPERAND, readCondition, readOperand } from "./operands.ts";
import type { Env, Guard, Op, Rule } from "./step.ts";
import { TEXT_RULES } from "./text-rules.ts";

export interface Signature {
  readonly name: string;
  /** As written: `items: number[], limit: number`. */
  readonly parameterList: string;
  readonly parameters: readonly string[];
  readonly returns: string;
}

export type Step =
  | { readonly kind: "op"; readonly text: string; readonly op: Op }
  | { readonly kind: "guard"; readonly text: string; readonly guard: Guard }
  | { readonly kind: "unread"; readonly text: string };

/** `name(a: string, b: number): string`, with or without `function` in front. */
export function readSignature(text: string): Signature | null {
  const start = /(?:function\s+)?([A-Za-z_]\w*)\s*\(/.exec(text);
  if (start === null) return null;
  const open = start.index + start[0].length;
  const close = closing(text, open);
  const [, returns] = close < 0 ? [] : (/^\s*:\s*(\S.*)$/.exec(text.slice(close + 1).split("\n")[0] ?? "") ?? []);
  const [, name] = start;
  if (name === undefined || returns === undefined) return null;
  const parameterList = text.slice(open, close).trim();
  const parameters = splitTop(parameterList).flatMap((p) => /^\s*(\w+)\??\s*:/.exec(p)?.[1] ?? []);
  return {
    name,
    parameterList,
    parameters,
    returns: returns
      .trim()
      .replace(/[;{]\s*$/, "")
      .trim(),
  };
}

/** The index of the parenthesis that closes the one before `open`, or -1. */
function closing(text: string, open: number): number {
  let depth = 1;
  for (let i = open; i < text.length; i++) {
    if (text[i] === "(") depth++;
    if (text[i] === ")" && --depth === 0) return i;
  }
  return -1;
}

/** The parts between commas that stand in no brackets. */
function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = "";
  for (const c of text) {
    if ("{[(<".includes(c)) depth++;
    if ("}])>".includes(c)) depth--;
    if (c === "," && depth === 0) {
      parts.push(part);
      part = "";
    } else part += c;
  }
  return part.trim() === "" ? parts : [...parts, part];
}

const NUMBERED = /^\s*(?:\d+[.)]|[-*•])\s+(.*)$/;

/** The steps of a description: its numbered or bulleted lines, with lines that go on joined to them. */
export function stepsIn(description: string): string[] {
  const steps: string[] = [];
  for (const line of description.split("\n")) {
    const step = NUMBERED.exec(line)?.[1];
    if (step !== undefined) steps.push(step.trim());
    else if (steps.length > 0 && /^\s+\S/.test(line)) steps.push(`${steps.pop() ?? ""} ${line.trim()}`);
  }
  return steps;
}

const RULES: readonly Rule[] = [...TEXT_RULES, ...LIST_RULES, ...NUMBER_RULES];
const GUARD = new RegExp(String.raw`^if (?:the \w+|it|(\x60\w+\x60)) is ${CONDITION},? (?:then )?return ${OPERAND}$`);

export function compile(steps: readonly string[], signature: Signature): Step[] {
  return steps.map((text) => compileStep(text, signature.parameters));
}

function compileStep(text: string, parameters: readonly string[]): Step {
  const sentence = plain(text);
  const operand = (t: string | undefined): ReturnType<typeof readOperand> => readOperand(t, parameters);
  const guard = GUARD.exec(sentence);
  if (guard !== null) {
    const [, of, phrase = "", back] = guard;
    const condition = readCondition(phrase, operand);
    const result = operand(back);
    const subject = of?.replaceAll("`", "") ?? null;
    const known = subject === null || parameters.includes(subject);
    if (condition !== null && result !== null && known) {
      return { kind: "guard", text, guard: { condition, of: subject, result } };
    }
  }
  for (const rule of RULES) {
    const match = rule.pattern.exec(sentence);
    const op = match === null ? null : rule.op(match, operand);
    if (op !== null) return { kind: "op", text, op };
  }
  return { kind: "unread", text };
}

/** The sentence without what only makes it friendlier; the case of quoted and named things is kept. */
function plain(text: string): string {
  const sentence = text
    .trim()
    .replace(/\.$/, "")
    .replace(/^(?:then|next|finally|first|afterwards),? /i, "");
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}

/** The result of the steps for these arguments. Throws when a step was not read or does not fit its value. */
export function run(steps: readonly Step[], signature: Signature, args: readonly Json[]): Json {
  const env: Env = Object.fromEntries(signature.parameters.map((name, i) => [name, args[i] ?? null]));
  let value: Json = args[0] ?? null;
  for (const step of steps) {
    if (step.kind === "unread") throw new Error(`This step was not understood: ${step.text}`);
    if (step.kind === "op") value = step.op.run(value, env);
    else {
      const subject = step.guard.of === null ? value : (env[step.guard.of] ?? null);
      if (step.guard.condition.run(subject, env)) return step.guard.result.run(env);
    }
  }
  return value;
}

/** The function as TypeScript. A step that was not understood is left open, and says so when it is reached. */
export function write(steps: readonly Step[], signature: Signature): string {
  const taken = new Set(signature.parameters);
  let value = signature.parameters[0] ?? "undefined";
  const body: string[] = [];
  for (const step of steps) {
    if (step.kind === "unread") {
      body.push(`  throw new Error(${JSON.stringify(`Not done: ${step.text}`)});`);
      return functionOf(signature, body);
    }
    if (step.kind === "guard") {
      const subject = step.guard.of ?? value;
      body.push(`  if (${step.guard.condition.emit(subject)}) return ${step.guard.result.code};`);
      continue;
    }
    const name = unused(step.op.name, taken);
    body.push(`  const ${name} = ${step.op.emit(value)};`);
    value = name;
  }
  return functionOf(signature, [...body, `  return ${value};`]);
}

function functionOf({ name, parameterList, returns }: Signature, body: readonly string[]): string {
  return [`export function ${name}(${parameterList}): ${returns} {`, ...body, "}", ""].join("\n");
}

function unused(name: string, taken: Set<string>): string {
  let candidate = name;
  for (let n = 2; taken.has(candidate); n++) candidate = `${name}${n}`;
  taken.add(candidate);
  return candidate;
}
