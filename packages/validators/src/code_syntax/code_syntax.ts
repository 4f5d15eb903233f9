import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { failed, finding, PASSED, quote } from "../finding.ts";
import { pointer, valueAt } from "../pointer.ts";
import type { LeafResult, Subject, Validator } from "../validator.ts";
import type { ParsedCode, SyntaxProblem } from "./code.ts";
import { parseEcmascript, levelsAtMost } from "./ecmascript.ts";
import { parseWithGrammar } from "./tree-sitter.ts";

const CODE_CHARACTERS_MAX = 131_072;
/**
 * The parser of TypeScript and JavaScript is native and recurses: a nesting deeper than its stack holds kills the process.
 * A level takes at most 2 kB (`[` in a type), so this many take 48 MB. The sandbox gives its processes more than twice
 * that; on the 8 MB of an ordinary process 4,000 levels are too many. `levelsAtMost` finds 12,000 to 18,000 in 100,000
 * characters of code as it is usually written.
 */
const NATIVE_LEVELS_MAX = 24_576;

const LANGUAGES = ["typescript", "javascript", "python", "go", "rust", "java"] as const;
type Language = (typeof LANGUAGES)[number];

export interface CodeSyntaxOptions {
  readonly language: Language;
  /** Where the code is, in the answer. */
  readonly code: string;
  /** Where the input has the name of the function, class or method that the code must declare. */
  readonly declares?: string | undefined;
}

/** A gate: the code parses, declares something, and if asked declares what was ordered. It is never run. */
export const codeSyntax: Validator<CodeSyntaxOptions> = {
  name: "code_syntax",
  version: 2,
  place: "sandbox",
  options: z.strictObject({ language: z.enum(LANGUAGES), code: pointer, declares: pointer.optional() }),
  async validate(subject, options): Promise<LeafResult> {
    const code = valueAt(subject.output, options.code);
    const unfit = unfitToParse(code, options);
    if (unfit !== null || typeof code !== "string") return failed(unfit ?? notText(code, options.code));
    const parsed = await parse(code, options.language);
    const [first, ...rest] = parsed.problems.map((problem) => syntaxError(problem, options.code));
    if (first !== undefined) return failed(first, ...rest);
    if (!parsed.declaresAnything)
      return failed(finding(options.code, "declares_nothing", "The code declares nothing.", "Declare the function."));
    return checkDeclares(subject, options, parsed.names);
  },
};

function parse(code: string, language: Language): ParsedCode | Promise<ParsedCode> {
  return language === "typescript" || language === "javascript"
    ? parseEcmascript(code, language)
    : parseWithGrammar(code, language);
}

function checkDeclares(subject: Subject, options: CodeSyntaxOptions, names: ReadonlySet<string>): LeafResult {
  if (options.declares === undefined) return PASSED;
  const name = valueAt(subject.input, options.declares);
  if (typeof name === "string" && names.has(name)) return PASSED;
  const message = `The code does not declare a function or class ${quote(name)}.`;
  return failed(finding(options.code, "function_missing", message, "Declare it at the top level, under this name."));
}

function unfitToParse(code: Json | undefined, { code: path, language }: CodeSyntaxOptions): Finding | null {
  if (typeof code !== "string") return notText(code, path);
  if (code.trim() === "") return finding(path, "code_empty", "The code is empty.", "Write the function.");
  // A fenced file can parse: as template literals, tagged by each other.
  if (code.trimStart().startsWith("```"))
    return finding(path, "code_fenced", "The code is wrapped in a code fence.", "Write only the code.");
  if (code.length > CODE_CHARACTERS_MAX) return tooLarge(path, `${CODE_CHARACTERS_MAX} characters`);
  const native = language === "typescript" || language === "javascript";
  if (native && levelsAtMost(code) > NATIVE_LEVELS_MAX) return tooLarge(path, `${NATIVE_LEVELS_MAX} levels`);
  return null;
}

function tooLarge(path: string, bound: string): Finding {
  return finding(path, "code_too_large", `The code is too large to check: over ${bound}.`, "Write it more briefly.");
}

function notText(code: Json | undefined, path: string): Finding {
  return finding(path, "code_missing", `This must be the code as text, and is ${quote(code)}.`, "Put the code here.");
}

function syntaxError({ position, message }: SyntaxProblem, path: string): Finding {
  const where = position === null ? "" : `Line ${position.line}, column ${position.column}: `;
  return finding(path, "syntax_error", `${where}${message}`, "Correct the syntax.");
}
