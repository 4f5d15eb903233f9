/** PostgreSQL's own parser, as WebAssembly. */
import { createRequire } from "node:module";
import path from "node:path";
import type { Json } from "@contingent/core/json";
import type * as libPgQuery from "libpg-query";

const require = createRequire(import.meta.url);
const ENTRY = "libpg-query";

type Module = typeof libPgQuery;

/** What the parser says: the tree as JSON, or what is wrong. */
export type ParsedSql =
  | { readonly kind: "tree"; readonly tree: Json }
  | { readonly kind: "error"; readonly message: string; readonly line: number; readonly column: number }
  /** It has no more stack or memory: how deeply it can nest depends on the machine, but is always far beyond our bound. */
  | { readonly kind: "too_deep" };

let loaded: Promise<Module> | null = null;

/** @param sql well formed and without NUL, at which the parser would stop reading */
export async function parseSql(sql: string): Promise<ParsedSql> {
  const parser = await (loaded ??= load());
  try {
    return { kind: "tree", tree: parser.parseSync(sql) as unknown as Json };
  } catch (error) {
    if (parser.hasSqlDetails(error)) return syntaxError(sql, error.message, error.sqlDetails?.cursorPosition ?? 0);
    // What it had on its stack is still there: later answers would be read wrongly, or not at all.
    discard();
    return { kind: "too_deep" };
  }
}

/** 30 ms, once per process. */
async function load(): Promise<Module> {
  const parser = require(ENTRY) as Module;
  await parser.loadModule();
  return parser;
}

/** The next answer gets a new one. */
function discard(): void {
  loaded = null;
  const folder = path.dirname(require.resolve(ENTRY));
  for (const file of Object.keys(require.cache)) if (path.dirname(file) === folder) delete require.cache[file];
}

/** @param codePoints how many stand before the error */
function syntaxError(sql: string, message: string, codePoints: number): ParsedSql {
  let before = "";
  let left = codePoints;
  for (const character of sql) {
    if (left-- <= 0) break;
    before += character;
  }
  const lines = before.split("\n");
  return { kind: "error", message, line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}
