import type { Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { z } from "zod";
import { failed, finding, PASSED, quote } from "../finding.ts";
import { pointer, valueAt } from "../pointer.ts";
import type { LeafResult, Validator } from "../validator.ts";
import { mayUse, nameRules, type NameRules, textOfName } from "./names.ts";
import { parseSql } from "./parser.ts";
import { contentOf, type Kind, KINDS, type QualifiedName, type SqlContent } from "./statements.ts";
import { UNSAFE_FUNCTIONS } from "./unsafe-functions.ts";

const SQL_CHARACTERS_MAX = 131_072;
const STATEMENTS_MAX = 1_000;

export interface SqlParsesOptions {
  /** Where the SQL is, in the answer. */
  readonly sql: string;
  readonly max_statements: number;
  /** Only selects, without anything that writes, locks, or calls one of the functions known to do more than read. */
  readonly read_only: boolean;
  /** The only kinds of statements that there may be, at any depth; without it, all. */
  readonly statements?: readonly Kind[] | undefined;
  readonly tables?: NameRules | undefined;
  readonly functions?: NameRules | undefined;
}

/** A gate: the text is SQL as PostgreSQL reads it, and does nothing but what is allowed. It is never run. */
export const sqlParses: Validator<SqlParsesOptions> = {
  name: "sql_parses",
  version: 1,
  place: "sandbox",
  options: z
    .strictObject({
      sql: pointer,
      max_statements: z.int().min(1).max(STATEMENTS_MAX).default(1),
      read_only: z.boolean().default(false),
      statements: z.array(z.enum(KINDS)).min(1).optional(),
      tables: nameRules.optional(),
      functions: nameRules.optional(),
    })
    .refine(({ read_only, statements }) => !read_only || statements === undefined, {
      path: ["statements"],
      message: 'leave it out: with "read_only", only "select" is allowed',
    })
    .refine((options) => options.tables === undefined || tablesAreKnown(options), {
      path: ["tables"],
      message: 'needs "read_only", or "statements" without "drop": of other statements not every table is found',
    }),
  async validate({ output }, options): Promise<LeafResult> {
    const sql = valueAt(output, options.sql);
    const unfit = unfitToParse(sql, options.sql);
    if (unfit !== null || typeof sql !== "string") return failed(unfit ?? notText(sql, options.sql));
    const parsed = await parseSql(sql);
    if (parsed.kind === "error") {
      const message = `Line ${parsed.line}, column ${parsed.column}: ${parsed.message}`;
      return failed(finding(options.sql, "syntax_error", message, "Correct the syntax (PostgreSQL)."));
    }
    const content = parsed.kind === "tree" ? contentOf(parsed.tree) : null;
    if (content === null)
      return failed(
        finding(options.sql, "sql_too_deep", "The SQL nests too deeply to check.", "Write it more simply."),
      );
    const [first, ...rest] = findingsOf(content, options);
    return first === undefined ? PASSED : failed(first, ...rest);
  },
};

function tablesAreKnown({ read_only, statements = [] }: SqlParsesOptions): boolean {
  return read_only || (statements.length > 0 && !statements.includes("drop"));
}

function findingsOf(content: SqlContent, options: SqlParsesOptions): readonly Finding[] {
  const { sql: path, max_statements: max, tables = {}, functions = {} } = options;
  if (content.statements === 0) return [finding(path, "sql_empty", "There is no statement here.", "Write the query.")];
  if (content.statements > max) {
    const message = `There are ${content.statements} statements; at most ${max} are allowed.`;
    return [finding(path, "too_many_statements", message, "Write fewer.")];
  }
  const denied = [...(functions.deny ?? []), ...(options.read_only ? UNSAFE_FUNCTIONS : [])];
  return [
    ...kindFindings(content, options),
    ...nameFindings(content.tables, "table", path, (name) => mayUse(name, tables)),
    ...nameFindings(content.functions, "function", path, (name) => mayUse(name, { ...functions, deny: denied })),
  ];
}

function kindFindings({ kinds }: SqlContent, { sql, read_only, statements }: SqlParsesOptions): readonly Finding[] {
  const allowed: readonly string[] | undefined = read_only ? ["select"] : statements;
  if (allowed === undefined) return [];
  return [...kinds]
    .filter((kind) => !allowed.includes(kind))
    .map((kind) => {
      const message = `There is a statement of the kind ${quote(kind)}, which is not allowed here.`;
      return finding(sql, "statement_not_allowed", message, `Use only ${allowed.join(", ")}.`);
    });
}

function nameFindings(
  names: readonly QualifiedName[],
  what: "table" | "function",
  path: string,
  may: (name: QualifiedName) => boolean,
): readonly Finding[] {
  const refused = new Set(names.filter((name) => !may(name)).map(textOfName));
  return [...refused].map((name) =>
    finding(path, `${what}_not_allowed`, `The ${what} ${quote(name)} must not be used.`, "Do without it."),
  );
}

function unfitToParse(sql: Json | undefined, path: string): Finding | null {
  if (typeof sql !== "string") return notText(sql, path);
  if (sql.trim() === "") return finding(path, "sql_empty", "There is no statement here.", "Write the query.");
  if (sql.trimStart().startsWith("```"))
    return finding(path, "sql_fenced", "The SQL is wrapped in a code fence.", "Write only the SQL.");
  if (sql.length > SQL_CHARACTERS_MAX) {
    const message = `The SQL is too large to check: over ${SQL_CHARACTERS_MAX} characters.`;
    return finding(path, "sql_too_large", message, "Write it more briefly.");
  }
  // The parser stops at a NUL, and would not see what comes behind it.
  if (sql.includes("\0") || !sql.isWellFormed())
    return finding(path, "sql_unreadable", "There are characters here that no text may have.", "Leave them out.");
  return null;
}

function notText(sql: Json | undefined, path: string): Finding {
  return finding(path, "sql_missing", `This must be the SQL as text, and is ${quote(sql)}.`, "Put the SQL here.");
}
