/**
 * Compiling what an operator wrote, before it is published: the schemas and the validator tree of an outcome type. A check
 * like any other as far as the sandbox is concerned, but one that no tree can name.
 */
import type { Json, JsonSchema } from "@contingent/core/json";
import { z } from "zod";
import { checkTree } from "./check-tree.ts";
import { failed, finding, PASSED } from "./finding.ts";
import { schemaProblems } from "./json_schema/schema.ts";
import { register } from "./registry.ts";
import type { LeafResult, RegisteredCheck } from "./validator.ts";

/** Processor time that compiling a part of an outcome type may take. Whoever uses it later compiles it again. */
export const COMPILE_CPU_MS_MAX = 1_000;

/** The parts of a definition that are compiled. */
export interface Compiled {
  readonly input_schema: JsonSchema | null;
  readonly output_schema: JsonSchema | null;
  readonly validator: Json;
}

// Kept from what the sandbox takes away.
const cpuUsage = process.cpuUsage.bind(process);

/** Passes when all parts of the subject's `output` compile in time, whether they are right or not. */
export const definitionCompiles: RegisteredCheck = register({
  name: "definition",
  version: 1,
  place: "sandbox",
  options: z.strictObject({}),
  validate({ output }): LeafResult {
    const { input_schema: input, output_schema: answer, validator } = output as unknown as Compiled;
    const slow = [
      ...slowerThanAllowed("/input_schema", () => input !== null && schemaProblems(input)),
      ...slowerThanAllowed("/output_schema", () => answer !== null && schemaProblems(answer)),
      ...slowerThanAllowed("/validator", () => checkTree(validator, "/validator")),
    ];
    const [first, ...rest] = slow;
    return first === undefined ? PASSED : failed(first, ...rest);
  },
});

function slowerThanAllowed(path: string, compile: () => unknown) {
  const before = cpuUsage();
  compile();
  const { user, system } = cpuUsage(before);
  const isSlow = (user + system) / 1_000 > COMPILE_CPU_MS_MAX;
  return isSlow
    ? [finding(path, "compiles_slowly", `takes more than ${COMPILE_CPU_MS_MAX / 1_000} s to compile: make it simpler`)]
    : [];
}

/** So much text compiles at once, on its own: the worst that fits takes a tenth of a second. */
const INLINE_CHARACTERS_MAX = 4_096;
/** What makes a short text expensive: references to be written out, and counted repetition in a pattern. */
const MULTIPLIES = /"\$ref"|\{\d/;

/** Whether others can wait until these parts are compiled in this process. */
export function compilesQuickly(parts: Compiled): boolean {
  const text = JSON.stringify(parts);
  return text.length <= INLINE_CHARACTERS_MAX && !MULTIPLIES.test(text);
}
