/** Makes of TypeScript or JavaScript a module that an interpreter of JavaScript reads. */
import { stripTypeScriptTypes } from "node:module";
import { parseSync } from "oxc-parser";
import { tokensAtMost } from "../code_syntax/ecmascript.ts";

export type Language = "typescript" | "javascript";

export type Prepared =
  | { readonly ok: true; readonly code: string }
  | { readonly ok: false; readonly code: string; readonly message: string; readonly hint: string };

const CODE_CHARACTERS_MAX = 65_536;
/** Words and signs. The native parser recurses, a level takes at least one of them, and the sandbox's stack holds as many levels. */
const TOKENS_MAX = 16_384;
/**
 * Levels of the syntax tree. What takes the types off is WebAssembly whose stack holds some 900, and which can do nothing
 * any more in this process once it has overflowed.
 */
const TREE_DEPTH_MAX = 500;

/** The parser also gives advice. */
const FATAL: ReadonlySet<string> = new Set(["Error"]);

/** @returns the code without types; or why it cannot be run, as a finding's code and texts */
export function prepare(source: string, language: Language): Prepared {
  if (source.trimStart().startsWith("```"))
    return refused("code_fenced", "The code is wrapped in a code fence.", "Write only the code.");
  if (source.length > CODE_CHARACTERS_MAX || tokensAtMost(source) > TOKENS_MAX) {
    const bound = `${CODE_CHARACTERS_MAX} characters or ${TOKENS_MAX} words and signs`;
    return refused("code_too_large", `The code is too large to run: over ${bound}.`, "Write it more briefly.");
  }
  const lang = language === "typescript" ? "ts" : "js";
  const { errors, program } = parseSync(`code.${lang}`, source, { lang, sourceType: "module" });
  const error = errors.find(({ severity }) => FATAL.has(severity));
  if (error !== undefined) return refused("syntax_error", error.message, "Correct the syntax.");
  if (isDeeperThan(program, TREE_DEPTH_MAX)) {
    const message = `The code nests deeper than ${TREE_DEPTH_MAX} levels of syntax.`;
    return refused("code_too_deep", message, "Nest less, and make chains shorter.");
  }
  if (language === "javascript") return { ok: true, code: source };
  return withoutTypes(source);
}

function withoutTypes(source: string): Prepared {
  try {
    return { ok: true, code: stripTypeScriptTypes(source, { mode: "transform" }) };
  } catch (error) {
    // Whatever else it throws says that it can do no more.
    if (!(error instanceof SyntaxError)) throw error;
    return refused("syntax_error", error.message, "Use types that can be taken off.");
  }
}

/** Walks level by level: the depth is what is in question. */
function isDeeperThan(root: object, depthMax: number): boolean {
  let level: readonly object[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthMax) return true;
    level = level.flatMap(nodesBelow);
  }
  return false;
}

/** A list is no level of its own. */
function nodesBelow(node: object): readonly object[] {
  return Object.values(node as Readonly<Record<string, unknown>>)
    .flat()
    .filter((value) => typeof value === "object" && value !== null);
}

function refused(code: string, message: string, hint: string): Prepared {
  return { ok: false, code, message, hint };
}
