/** The solver of last resort: a schema-conforming instance filled with words of the prompt, or a sentence about it. */
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { isList } from "../../json.ts";
import type { Solution, Solver, Spoil, Task } from "../task.ts";

const DEPTH_MAX = 12;
const WORDS_MAX = 12;

export const anySolver: Solver = {
  name: "any",
  solve(task: Task): Solution {
    const words = task.request.replace(/\s+/g, " ").trim().split(" ").filter(Boolean);
    const difficulty = Math.min(0.8, 0.2 + task.request.length / 20_000);
    if (task.schema === null) {
      const text = `Simulated answer to a request of ${words.length} words: ${words.slice(0, WORDS_MAX).join(" ")}`;
      return { answer: text, difficulty, spoils: [EMPTY_TEXT] };
    }
    return { answer: instanceOf(task.schema, task.schema, words, 0), difficulty, spoils: SPOILS };
  },
};

/** An instance of the schema. Strings are words of the prompt, numbers are numbers of the prompt, lists have one item. */
function instanceOf(schema: Json | undefined, root: JsonObject, words: readonly string[], depth: number): Json {
  if (!isJsonObject(schema) || depth > DEPTH_MAX) return null;
  const ref = schema["$ref"];
  if (typeof ref === "string") return instanceOf(resolve(root, ref), root, words, depth + 1);
  if (schema["const"] !== undefined) return schema["const"];
  const options = schema["enum"];
  if (isList(options)) return namedInPrompt(options, words);
  for (const key of ["anyOf", "oneOf", "allOf"]) {
    const variants = schema[key];
    if (isList(variants)) return instanceOf(variants[0], root, words, depth + 1);
  }
  const type = isList(schema["type"]) ? schema["type"].find((t: Json) => t !== "null") : schema["type"];
  switch (type) {
    case "object":
      return objectOf(schema, root, words, depth);
    case "array":
      return [instanceOf(schema["items"], root, words, depth + 1)];
    case "integer":
    case "number":
      return numberInPrompt(words, type === "integer");
    case "boolean":
      return true;
    case "null":
      return null;
    case "string":
      return stringOf(schema["format"], words, depth);
    default:
      return schema["properties"] === undefined
        ? stringOf(undefined, words, depth)
        : objectOf(schema, root, words, depth);
  }
}

function objectOf(schema: JsonObject, root: JsonObject, words: readonly string[], depth: number): Json {
  const properties = schema["properties"];
  if (!isJsonObject(properties)) return {};
  return Object.fromEntries(
    Object.entries(properties).map(([name, child], i) => {
      // Different fields show different parts of the prompt, so that a mix-up is seen.
      const from = (i * 3) % Math.max(1, words.length);
      return [name, instanceOf(child, root, [...words.slice(from), ...words.slice(0, from)], depth + 1)];
    }),
  );
}

function resolve(root: JsonObject, ref: string): Json | undefined {
  let at: Json | undefined = root;
  for (const part of ref.replace(/^#\/?/, "").split("/").filter(Boolean)) {
    at = isJsonObject(at) ? at[part.replaceAll("~1", "/").replaceAll("~0", "~")] : undefined;
  }
  return at;
}

function namedInPrompt(options: readonly Json[], words: readonly string[]): Json {
  const text = words.join(" ").toLowerCase();
  return options.find((o) => typeof o === "string" && text.includes(o.toLowerCase())) ?? options[0] ?? null;
}

function numberInPrompt(words: readonly string[], whole: boolean): number {
  for (const word of words) {
    const value = Number(word.replace(/[,.;:]$/, ""));
    if (word !== "" && Number.isFinite(value)) return whole ? Math.trunc(value) : value;
  }
  return 1;
}

function stringOf(format: Json | undefined, words: readonly string[], depth: number): string {
  switch (format) {
    case "date":
      return words.find((w) => /^\d{4}-\d\d-\d\d$/.test(w)) ?? "2026-01-01";
    case "date-time":
      return "2026-01-01T00:00:00Z";
    case "email":
      return words.find((w) => /^\S+@\S+\.\S+$/.test(w)) ?? "someone@example.com";
    case "uri":
      return "https://example.com/";
    case "uuid":
      return "00000000-0000-4000-8000-000000000000";
    default:
      return words.slice(0, depth === 0 ? WORDS_MAX : 6).join(" ") || "nothing";
  }
}

const EMPTY_TEXT: Spoil = {
  kind: "empty",
  natural: true,
  touches: [],
  apply: () => ({ text: "I could not find an answer." }),
};

const SPOILS: readonly Spoil[] = [
  {
    kind: "missing_field",
    natural: true,
    touches: [],
    apply: (answer, luck) => {
      if (!isJsonObject(answer)) return null;
      const names = Object.keys(answer);
      const gone = names[Math.floor(luck("field") * names.length)];
      return gone === undefined ? null : Object.fromEntries(Object.entries(answer).filter(([name]) => name !== gone));
    },
  },
];
