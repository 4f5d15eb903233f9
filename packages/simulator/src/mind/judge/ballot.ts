/** A judge's question, taken apart: `llm_judge` of the validators wrote it. */
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { parseJson } from "../../json.ts";
import type { Task } from "../task.ts";

/** What a judge is asked. */
export interface Ballot {
  /** Keys under which the reply goes, with what each asks for. */
  readonly criteria: readonly { readonly key: string; readonly text: string }[];
  /** The shape that the answer had to have. */
  readonly schema: JsonObject;
  readonly answer: Json;
  /** Undefined: the judge is not shown it. */
  readonly input: Json | undefined;
}

/** How a judge's instructions begin: scripts find judges by it. */
export const JUDGE_BEGINS = "You are the judge of one answer";

/** The ballot in a prompt; null: it asks for something else. */
export function ballotIn({ system, request }: Task): Ballot | null {
  if (!system.startsWith(JUDGE_BEGINS)) return null;
  const [, schemaText = ""] = /^The answer had to conform to this JSON Schema: (.*)$/m.exec(system) ?? [];
  const schema = parseJson(schemaText);
  const criteria = [...system.matchAll(/^(c\d+): (.*)$/gm)].map(([, key = "", text = ""]) => ({ key, text }));
  const sections = new Map(
    [...request.matchAll(/^<<<([0-9a-f]+) (\w+)\n(.*)\n\1>>>$/gm)].map(([, , name = "", text = ""]) => [name, text]),
  );
  const answer = parseJson(sections.get("answer") ?? "");
  if (!isJsonObject(schema) || answer === undefined || criteria.length === 0) return null;
  return { criteria, schema, answer, input: parseJson(sections.get("input") ?? "") };
}
