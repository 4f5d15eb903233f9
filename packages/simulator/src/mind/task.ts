/** What the simulated mind works on and what it makes of it. */
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { parseJson } from "../json.ts";

/** The request as the mind sees it. */
export interface Task {
  readonly system: string;
  /** The user's text without the findings of an earlier verdict. */
  readonly request: string;
  readonly schema: JsonObject | null;
  /** The findings that the prompt ends with, when an earlier answer was rejected. */
  readonly findings: readonly FindingInPrompt[];
}

export interface FindingInPrompt {
  /** JSON pointer into the rejected answer; `""` is the whole answer. */
  readonly path: string;
  readonly code: string;
  readonly message: string;
}

/** The best answer that can be computed from the task, and the ways in which a weaker model would get it wrong. */
export interface Solution {
  readonly answer: Json;
  /** 0 (plain) to 1 (hopeless): the model's skill is held against it. */
  readonly difficulty: number;
  readonly spoils: readonly Spoil[];
}

/** One realistic mistake. */
export interface Spoil {
  readonly kind: string;
  /** Whether a model makes it by itself; the others are made only when a script asks for them. */
  readonly natural: boolean;
  /** The fields that the mistake touches, as parts of a finding's path: a finding there makes the model take care. */
  readonly touches: readonly string[];
  /** The spoiled answer, or null when the answer offers no room for this mistake. Text is sent as it is. */
  apply(answer: Json, luck: (purpose: string) => number): Json | { readonly text: string } | null;
}

/** One kind of work. The first solver that recognises a task solves it. */
export interface Solver {
  readonly name: string;
  solve(task: Task): Solution | null;
}

const FEEDBACK_STARTS = "A previous answer to this request was rejected.";
const FINDING_LINE = /^- (\(whole answer\)|\/\S*) \[([^\]]+)\]: (.*)$/;

/** Takes the findings off the end of the user's text (`renderFeedback` in core wrote them there). */
export function readTask(system: string, user: string, schema: JsonObject | null): Task {
  const wanted = schema ?? schemaIn(system);
  const at = user.lastIndexOf(FEEDBACK_STARTS);
  if (at < 0) return { system, request: user, schema: wanted, findings: [] };
  const findings: FindingInPrompt[] = [];
  for (const line of user.slice(at).split("\n")) {
    const [, path, code, message] = FINDING_LINE.exec(line) ?? [];
    if (path === undefined || code === undefined || message === undefined) continue;
    findings.push({ path: path === "(whole answer)" ? "" : path, code, message });
  }
  return { system, request: user.slice(0, at).trimEnd(), schema: wanted, findings };
}

/** A schema that structured output cannot express is written out in the system prompt instead. */
function schemaIn(system: string): JsonObject | null {
  const [, text] = /\bJSON Schema:\s*(\{[\s\S]*\})/.exec(system) ?? [];
  const schema = text === undefined ? undefined : parseJson(text);
  return isJsonObject(schema) ? schema : null;
}
