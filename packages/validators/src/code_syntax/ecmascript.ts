/** TypeScript and JavaScript, as modules. */
import { parseSync } from "oxc-parser";
import { type ParsedCode, PROBLEMS_MAX, type SyntaxProblem } from "./code.ts";
import { declaredNames, hasDeclaration } from "./declarations.ts";

/** The parser also gives advice, which is no reason to refuse. */
const FATAL: ReadonlySet<string> = new Set(["Error"]);

export function parseEcmascript(code: string, language: "typescript" | "javascript"): ParsedCode {
  const lang = language === "typescript" ? "ts" : "js";
  const { errors, program } = parseSync(`code.${lang}`, code, { lang, sourceType: "module", showSemanticErrors: true });
  const fatal = errors.filter((error) => FATAL.has(error.severity)).slice(0, PROBLEMS_MAX);
  if (fatal.length > 0)
    return {
      problems: fatal.map(({ message, labels }) => problemAt(code, labels[0]?.start ?? null, message)),
      declaresAnything: false,
      names: new Set(),
    };
  return { problems: [], declaresAnything: hasDeclaration(program), names: declaredNames(program) };
}

/** At least as many as the parser can find: each word is one, and each other character that is not space is one. */
export function tokensAtMost(code: string): number {
  let tokens = 0;
  for (const _ of code.matchAll(/[\p{L}\p{N}_$]+|\S/gu)) tokens += 1;
  return tokens;
}

/**
 * At least as deep as the code can nest, without knowing where its texts and comments are: what opens a level is a mark
 * that closes and separates nothing, or a word behind a word (`new new`, `typeof typeof`, `as A as B`).
 */
export function levelsAtMost(code: string): number {
  let levels = 0;
  let wasWord = false;
  for (const { 1: word } of code.matchAll(/([\p{L}\p{N}_$]+)|[^\s)\]},;]/gu)) {
    const isWord = word !== undefined;
    if (!isWord || wasWord) levels += 1;
    wasWord = isWord;
  }
  return levels;
}

function problemAt(code: string, offset: number | null, message: string): SyntaxProblem {
  if (offset === null) return { position: null, message };
  const before = code.slice(0, offset).split("\n");
  return { position: { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 }, message };
}
