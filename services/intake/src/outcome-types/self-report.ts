/**
 * What a model says of its own answer: neither a verdict nor a price may rest on it. A model that is told "confidence must be
 * at least 0.9" writes 0.9 the next time. Such numbers are `features`: recorded with the verdict, for people and for measuring.
 */
import type { Problem } from "@contingent/contracts/http/errors";
import type { Json } from "@contingent/core/json";
import { join, pointer, segments } from "@contingent/validators/pointer";
import type { Parts } from "./checks.ts";
import { schemaKnows } from "./template-paths.ts";
import { leavesIn, membersOf } from "./tree-leaves.ts";

/** Checks that hold a number against something else than a bound, or only ask whether it is there. */
const NOT_BY_A_BOUND: ReadonlySet<string> = new Set([
  "arithmetic",
  "citations",
  "fields_complete",
  "grounded",
  "json_schema",
]);
/** Options that do not point at what the answer is judged by: places in the input, and places that are left out. */
const ELSEWHERE: ReadonlySet<string> = new Set(["ignore", "input", "source"]);

/** These words speak of the answer itself wherever they stand in a name. */
const CONFIDENCE = wordSet("confidence confident certainty certain");
/** These do unless another word says of what: `quality_score` is the model's own, `credit_score` stands in the document. */
const GRADE = wordSet("accuracy completeness correctness likelihood probability quality rating reliability score");
/** Words that say of nothing else. */
const BESIDE = wordSet("answer average avg level mean model my overall own percent self total value");

/** Refuses leaves that would decide by what the model says of itself. */
export function decidesByEvidence({ validator, features = {} }: Parts): readonly Problem[] {
  return leavesIn(validator, "/validator").flatMap(({ path, use, options }) => {
    if (NOT_BY_A_BOUND.has(use)) return [];
    return textsIn(options, join(path, "options"))
      .filter(({ text }) => text.startsWith("/") && isSelfReport(text, features))
      .map(({ param, text }) => ({ param, message: messageFor(use, text) }));
  });
}

/** Features that could never be read. */
export function readsItsFeatures({ features = {}, output_schema: schema }: Parts): readonly Problem[] {
  return Object.entries(features).flatMap(([name, at]): readonly Problem[] => {
    const param = join("/features", name);
    const parsed = pointer.safeParse(at);
    if (!parsed.success) return parsed.error.issues.map(({ message }) => ({ param, message }));
    if (schema === undefined || schemaKnows(schema, segments(at))) return [];
    return [{ param, message: `"${at}" is not in the output schema's properties` }];
  });
}

function messageFor(use: string, at: string): string {
  return `${use} must not decide by ${JSON.stringify(at)}, which is what the model says of its own answer. Name it under "features", where it is recorded, and check what it speaks of instead: fields, sums, sources. Data of that name needs one that says of what, such as "credit_score"`;
}

/** Whether at this place of an answer there is what the model thinks of it: by its name, or because it is a feature. */
export function isSelfReport(at: string, features: Readonly<Record<string, string>>): boolean {
  const name = segments(at).findLast((segment) => !/^(?:\*|\d+)$/.test(segment)) ?? "";
  return Object.values(features).includes(at) || isNameOfSelfReport(name);
}

function isNameOfSelfReport(name: string): boolean {
  const words = name
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2")
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== "");
  const isOneOf =
    (...sets: readonly ReadonlySet<string>[]) =>
    (word: string) =>
      sets.some((set) => set.has(word));
  return words.some(isOneOf(CONFIDENCE)) || (words.some(isOneOf(GRADE)) && words.every(isOneOf(GRADE, BESIDE)));
}

/** The words and their plurals. */
function wordSet(words: string): ReadonlySet<string> {
  return new Set(words.split(" ").flatMap((word) => [word, `${word}s`]));
}

function textsIn(value: Json | undefined, param: string): readonly { readonly param: string; readonly text: string }[] {
  if (typeof value === "string") return [{ param, text: value }];
  return membersOf(value).flatMap(([name, member]) => (ELSEWHERE.has(name) ? [] : textsIn(member, join(param, name))));
}
