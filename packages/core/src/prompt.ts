/** Templates over a job's input: `{{input}}` is all of it, `{{input.party.name}}` a value in it. */
import { isJsonObject, type Json } from "./json.ts";
import type { Prompt } from "./outcome-type.ts";
import { type Finding, renderFeedback } from "./verdict.ts";

const PLACEHOLDER = /\{\{\s*([^{}]*?)\s*\}\}/g;
const INPUT_PATH = /^input(\.[A-Za-z_][A-Za-z0-9_]*)*$/;

/** The placeholders of a template that are not of the form `input.path`, for whoever publishes it to correct. */
export function badPlaceholders(template: string): readonly string[] {
  return placeholders(template).filter((path) => !INPUT_PATH.test(path));
}

/** The paths a template reads from the input: `["party", "name"]` for `{{input.party.name}}`. */
export function inputPaths(template: string): readonly (readonly string[])[] {
  return placeholders(template)
    .filter((path) => INPUT_PATH.test(path))
    .map((path) => path.split(".").slice(1));
}

/**
 * The prompt of an attempt. Text stands as it is, other values as JSON, a missing value as nothing. Values are inserted
 * once and never read as templates themselves. Findings of the previous verdict follow behind the user's part.
 */
export function renderPrompt(prompt: Prompt, input: Json, findings: readonly Finding[]): Prompt {
  const user = fill(prompt.user, input);
  return {
    system: fill(prompt.system, input),
    user: findings.length === 0 ? user : `${user}\n\n${renderFeedback(findings)}`,
  };
}

function placeholders(template: string): readonly string[] {
  return [...template.matchAll(PLACEHOLDER)].map((match) => match[1] ?? "");
}

function fill(template: string, input: Json): string {
  return template.replace(PLACEHOLDER, (_, path: string) => {
    const value = path
      .split(".")
      .slice(1)
      .reduce<Json | undefined>((at, key) => (isJsonObject(at) && Object.hasOwn(at, key) ? at[key] : undefined), input);
    if (value === undefined) return "";
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}
