import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { parseSync } from "oxc-parser";
import { z } from "zod";
import { failed, finding, PASSED, quote } from "../finding.ts";
import { pointer, valueAt } from "../pointer.ts";
import type { LeafResult, Subject, Validator } from "../validator.ts";
import { declaredNames, hasDeclaration } from "./declarations.ts";

const CODE_CHARACTERS_MAX = 65_536;
/**
 * The native parser recurses, and a deeper nesting than its stack holds kills the process: about 6,000 levels of `(` on
 * the main thread's 8 MB, half of that on a worker thread. A level takes at least one token, so a bound on tokens is a
 * bound on depth, whatever the nesting is made of. 2,000 tokens are some 200 lines.
 */
const CODE_TOKENS_MAX = 2_000;
const ERRORS_MAX = 10;
/** The parser also gives advice, which is no reason to refuse. */
const FATAL: ReadonlySet<string> = new Set(["Error"]);

export interface CodeSyntaxOptions {
  readonly language: "typescript" | "javascript";
  /** Where the code is, in the answer. */
  readonly code: string;
  /** Where the input has the name of the function that the code must declare. */
  readonly declares?: string | undefined;
}

/** A gate: the code parses, declares something, and if asked declares the function that was ordered. It is never run. */
export const codeSyntax: Validator<CodeSyntaxOptions> = {
  name: "code_syntax",
  version: 1,
  place: "sandbox",
  options: z.strictObject({
    language: z.enum(["typescript", "javascript"]),
    code: pointer,
    declares: pointer.optional(),
  }),
  validate(subject, options): LeafResult {
    const code = valueAt(subject.output, options.code);
    const unfit = unfitToParse(code, options.code);
    if (unfit !== null || typeof code !== "string") return failed(unfit ?? notText(code, options.code));
    const lang = options.language === "typescript" ? "ts" : "js";
    const { errors, program } = parseSync(`code.${lang}`, code, {
      lang,
      sourceType: "module",
      showSemanticErrors: true,
    });
    const [first, ...rest] = errors
      .filter((error) => FATAL.has(error.severity))
      .slice(0, ERRORS_MAX)
      .map((error) => syntaxError(error.message, code, error.labels[0]?.start ?? null, options.code));
    if (first !== undefined) return failed(first, ...rest);
    if (!hasDeclaration(program))
      return failed(finding(options.code, "declares_nothing", "The code declares nothing.", "Declare the function."));
    return checkDeclares(subject, options, declaredNames(program));
  },
};

function checkDeclares(subject: Subject, options: CodeSyntaxOptions, names: ReadonlySet<string>): LeafResult {
  if (options.declares === undefined) return PASSED;
  const name = valueAt(subject.input, options.declares);
  if (typeof name === "string" && names.has(name)) return PASSED;
  const message = `The code does not declare a function ${quote(name)} at its top level.`;
  return failed(finding(options.code, "function_missing", message, "Declare (and export) it under exactly this name."));
}

function unfitToParse(code: Json | undefined, path: string): Finding | null {
  if (typeof code !== "string") return notText(code, path);
  if (code.trim() === "") return finding(path, "code_empty", "The code is empty.", "Write the function.");
  // A fenced file can parse: as template literals, tagged by each other.
  if (code.trimStart().startsWith("```"))
    return finding(path, "code_fenced", "The code is wrapped in a code fence.", "Write only the code.");
  if (code.length > CODE_CHARACTERS_MAX || tokensAtMost(code) > CODE_TOKENS_MAX) {
    const message = `The code is too large to check: over ${CODE_CHARACTERS_MAX} characters or ${CODE_TOKENS_MAX} tokens.`;
    return finding(path, "code_too_large", message, "Write it more briefly.");
  }
  return null;
}

function notText(code: Json | undefined, path: string): Finding {
  return finding(path, "code_missing", `This must be the code as text, and is ${quote(code)}.`, "Put the code here.");
}

/** At least as many as the parser can find: each word is one, and each other character that is not space is one. */
function tokensAtMost(code: string): number {
  let tokens = 0;
  for (const _ of code.matchAll(/[\p{L}\p{N}_$]+|\S/gu)) tokens += 1;
  return tokens;
}

function syntaxError(message: string, code: string, offset: number | null, path: string): Finding {
  const before = offset === null ? null : code.slice(0, offset).split("\n");
  const where = before === null ? "" : `Line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: `;
  return finding(path, "syntax_error", `${where}${message}`, "Correct the syntax.");
}
