/**
 * Compiles JSON Schemas (2020-12) that an operator wrote, to run on answers that a model wrote. Neither may hang or
 * crash the process: schemas are bounded and may not recurse, patterns run on a linear engine.
 */
import { isJsonObject, type Json, type JsonSchema } from "@contingent/core/json";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { linearPattern } from "../linear-pattern.ts";
import { join, valueAt } from "../pointer.ts";
import type { Problem } from "../validator.ts";

const SCHEMA_CHARACTERS_MAX = 65_536;
const SCHEMA_DEPTH_MAX = 32;
/**
 * Nodes of the schema once every `$ref` is written out: a 1.4 kB chain of doubled references took 3.8 s to compile, 6,000
 * nodes of `oneOf` 2.7 s. What has passed the sandbox (definition.ts) is compiled again in the API's own process, which
 * others wait for.
 */
const SCHEMA_NODES_MAX = 3_000;
/** Of all its patterns together. One takes half a millisecond to compile. */
const PATTERN_CHARACTERS_MAX = 8_192;
const PROBLEM_CHARACTERS_MAX = 500;
/** Comparing every two items is quadratic. */
const UNIQUE_ITEMS_MAX = 1_000;
/** Compiled schemas that are kept. Each outcome type version has one or two. */
const COMPILED_MAX = 200;

export interface CompiledSchema {
  /** Finds every error; for answers of ordinary size. */
  readonly thorough: ValidateFunction;
  /** Stops at the first error, so that an answer of a million errors costs as much as one. Compiled when first needed. */
  readonly quick: () => ValidateFunction;
}

type Compilation =
  | { readonly ok: true; readonly schema: CompiledSchema }
  | { readonly ok: false; readonly problems: readonly [Problem, ...Problem[]] };

/** Least recently used first. */
const compiled = new Map<string, Compilation>();

/** Compiles a schema, or says why it cannot be used. The last 200 results are kept, by the schema's text. */
export function compileSchema(schema: JsonSchema): Compilation {
  const key = JSON.stringify(schema);
  const known = compiled.get(key);
  compiled.delete(key);
  const result = known ?? compileAnew(schema, key);
  compiled.set(key, result);
  const oldest = compiled.keys().next();
  if (compiled.size > COMPILED_MAX && oldest.done !== true) compiled.delete(oldest.value);
  return result;
}

/** What is wrong with a schema, each with its JSON pointer in the schema; none: answers can be checked with it. */
export function schemaProblems(schema: JsonSchema): readonly Problem[] {
  const nested = tooDeep(schema);
  if (nested !== null) return [nested];
  if (metaSchema().validateSchema(schema) !== true) {
    const message = `${UNUSABLE}: ${metaSchema().errorsText(undefined, { dataVar: "schema" })}`;
    return [{ path: "", message: message.slice(0, PROBLEM_CHARACTERS_MAX) }];
  }
  const result = compileSchema(schema);
  return result.ok ? [] : result.problems;
}

function compileAnew(schema: JsonSchema, text: string): Compilation {
  if (text.length > SCHEMA_CHARACTERS_MAX) return refused("", `is larger than ${SCHEMA_CHARACTERS_MAX} characters`);
  const problem = tooDeep(schema) ?? forbiddenIn(schema, "") ?? tooManyNodes(schema) ?? tooMuchPattern(schema);
  if (problem !== null) return { ok: false, problems: [problem] };
  try {
    const thorough = ajv(true).compile(schema);
    let quick: ValidateFunction | null = null;
    return { ok: true, schema: { thorough, quick: () => (quick ??= ajv(false).compile(schema)) } };
  } catch (error) {
    return refused("", `${UNUSABLE}: ${error instanceof Error ? error.message : "unknown"}`);
  }
}

const UNUSABLE = "is not a usable JSON Schema (2020-12)";

/**
 * Compiling the meta-schema takes 70 ms and a schema 3 ms: there is one instance for the form of all schemas, and only
 * whoever publishes one waits for it.
 */
let sharedMetaSchema: Ajv2020 | null = null;
function metaSchema(): Ajv2020 {
  return (sharedMetaSchema ??= new Ajv2020({ logger: false }));
}

/** A fresh instance for each schema: an instance remembers every `$id` it has seen, and would refuse the next version's. */
function ajv(allErrors: boolean): Ajv2020 {
  const instance = new Ajv2020({
    allErrors,
    meta: false,
    validateSchema: false,
    // A misspelt keyword is a check that never runs: refuse it.
    strictSchema: true,
    strictNumbers: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    logger: false,
    code: { regExp: Object.assign(ajvPattern, { code: "unused: schemas are never written out as code" }) },
  });
  addFormats.default(instance);
  return instance;
}

/** ajv shares patterns with equal `toString()`: without one of its own, each pattern would be the first one compiled. */
function ajvPattern(pattern: string): { test(text: string): boolean; toString(): string } {
  const expression = linearPattern(pattern);
  return { test: (text) => expression.matcher(text).find(), toString: () => `linear:${pattern}` };
}

/** Walks with its own stack: the schema's depth is what is in question. */
function tooDeep(schema: JsonSchema): Problem | null {
  let level: Json[] = [schema];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > SCHEMA_DEPTH_MAX) return { path: "", message: `nests deeper than ${SCHEMA_DEPTH_MAX} levels` };
    level = level
      .flatMap((node) => childrenOf(node).map(([, child]) => child))
      .filter((node) => typeof node === "object");
  }
  return null;
}

/** References are local and plain, and quadratic checks have a bound. */
function forbiddenIn(node: Json, path: string): Problem | null {
  if (isJsonObject(node)) {
    const reference = own(node, "$ref");
    if (typeof reference === "string" && reference !== "#" && !reference.startsWith("#/"))
      return { path: join(path, "$ref"), message: 'must point into this schema: "#/$defs/<name>"' };
    for (const keyword of ["$dynamicRef", "$recursiveRef", "$dynamicAnchor", "$anchor"])
      if (typeof own(node, keyword) === "string")
        return { path: join(path, keyword), message: 'is not supported: use "$defs" and "$ref"' };
    if (path !== "" && typeof own(node, "$id") === "string")
      return { path: join(path, "$id"), message: "is allowed only at the top of the schema" };
    if (own(node, "uniqueItems") === true && !(Number(own(node, "maxItems") ?? Infinity) <= UNIQUE_ITEMS_MAX))
      return { path: join(path, "uniqueItems"), message: `needs "maxItems" of at most ${UNIQUE_ITEMS_MAX} beside it` };
  }
  for (const [name, child] of childrenOf(node)) {
    const problem = forbiddenIn(child, join(path, name));
    if (problem !== null) return problem;
  }
  return null;
}

/** Recursion is refused (the model API refuses it too), so that the written-out schema is finite and can be counted. */
function tooManyNodes(schema: JsonSchema): Problem | null {
  const sizes = new Map<Json, number | "being counted">();
  let problem: Problem | null = null;
  const sizeOf = (node: Json | undefined, path: string): number => {
    if (problem !== null || typeof node !== "object" || node === null) return 1;
    const known = sizes.get(node);
    if (known === "being counted") {
      problem = { path, message: "recurses: write the levels out" };
      return 1;
    }
    if (known !== undefined) return known;
    sizes.set(node, "being counted");
    const reference = isJsonObject(node) ? own(node, "$ref") : undefined;
    let size = 1 + (typeof reference === "string" ? sizeOf(target(schema, reference), join(path, "$ref")) : 0);
    for (const [name, child] of childrenOf(node)) size += sizeOf(child, join(path, name));
    sizes.set(node, size);
    return size;
  };
  const size = sizeOf(schema, "");
  if (problem === null && size > SCHEMA_NODES_MAX)
    return { path: "", message: `is too large with its references written out: over ${SCHEMA_NODES_MAX} nodes` };
  return problem;
}

function tooMuchPattern(schema: JsonSchema): Problem | null {
  if (patternCharacters(schema) <= PATTERN_CHARACTERS_MAX) return null;
  return { path: "", message: `has over ${PATTERN_CHARACTERS_MAX} characters of patterns` };
}

function patternCharacters(node: Json): number {
  let characters = 0;
  if (isJsonObject(node)) {
    const pattern = own(node, "pattern");
    if (typeof pattern === "string") characters += pattern.length;
    const byPattern = own(node, "patternProperties");
    if (isJsonObject(byPattern)) characters += Object.keys(byPattern).join("").length;
  }
  return childrenOf(node).reduce((sum, [, child]) => sum + patternCharacters(child), characters);
}

function target(schema: JsonSchema, reference: string): Json | undefined {
  try {
    return valueAt(schema, decodeURIComponent(reference.slice(1)));
  } catch {
    return undefined;
  }
}

function childrenOf(node: Json): readonly (readonly [string, Json])[] {
  return typeof node === "object" && node !== null ? Object.entries(node) : [];
}

function own(node: { readonly [key: string]: Json }, name: string): Json | undefined {
  return Object.hasOwn(node, name) ? node[name] : undefined;
}

function refused(path: string, message: string): Compilation {
  return { ok: false, problems: [{ path, message }] };
}
