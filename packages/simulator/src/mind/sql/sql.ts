/** Questions about a database: tables and a question in the prompt, a schema that asks for SQL. */
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { isList, parseJson } from "../../json.ts";
import type { Solution, Solver, Spoil, Task } from "../task.ts";
import { type Query, queryFor, type Table, write } from "./question.ts";

const BASE = 0.3;
const NOT_UNDERSTOOD = 0.5;

export const sqlSolver: Solver = {
  name: "sql",
  solve({ request, schema }: Task): Solution | null {
    const properties = schema?.["properties"];
    if (!isJsonObject(properties) || !Object.hasOwn(properties, "sql")) return null;
    const [, question] = /<question>([\s\S]*?)<\/question>/.exec(request) ?? /question: (.+)/.exec(request) ?? [];
    const tables = tablesIn(request);
    if (question === undefined || tables.length === 0) return null;
    const query = queryFor(question, tables);
    return { answer: answerFor(properties, query), difficulty: difficultyOf(query), spoils: sqlSpoils };
  },
};

/** Tables as JSON, `[{"name": …, "columns": […]}]`, between tags. */
function tablesIn(request: string): readonly Table[] {
  const parsed = parseJson(/<tables>([\s\S]*?)<\/tables>/.exec(request)?.[1]?.trim() ?? "");
  if (!isList(parsed)) return [];
  return parsed.flatMap((each) => {
    if (!isJsonObject(each)) return [];
    const { name, columns } = each;
    if (typeof name !== "string" || !isList(columns)) return [];
    return [{ name, columns: columns.filter((column) => typeof column === "string") }];
  });
}

function answerFor(properties: JsonObject, query: Query | null): JsonObject {
  const explanation =
    query === null
      ? "The question could not be understood, so there is no query."
      : `Reads ${query.select} from ${query.from}${query.where.length === 0 ? "" : ` where ${query.where.join(" and ")}`}.`;
  const known: Readonly<Record<string, Json>> = { sql: query === null ? "" : write(query), explanation };
  return Object.fromEntries(Object.keys(properties).map((name) => [name, known[name] ?? null]));
}

function difficultyOf(query: Query | null): number {
  if (query === null) return BASE + NOT_UNDERSTOOD;
  const clauses = query.where.length + (query.groupBy === "" ? 0 : 1) + (query.orderBy === "" ? 0 : 1);
  return Math.min(1, BASE + clauses * 0.08);
}

export const sqlSpoils: readonly Spoil[] = [
  spoil("sql_syntax", (sql) => sql.replace(/^FROM /m, "FORM ")),
  spoil("unclosed", (sql) => (sql.includes("(") ? sql.replace(")", "") : null)),
  spoil("fenced_sql", (sql) => `\`\`\`sql\n${sql}\n\`\`\``),
  // More than reading, in the disguise of a query.
  spoil("locks", (sql) => (sql.includes("GROUP BY") ? null : `${sql}\nFOR UPDATE`)),
  // No parser sees that a condition is missing, so no model forgets one unasked: it would be billed.
  { ...spoil("forgotten_condition", (sql) => sql.replace(/^WHERE .*\n?/m, "")), natural: false },
];

function spoil(kind: string, change: (sql: string) => string | null): Spoil {
  return {
    kind,
    natural: true,
    touches: ["sql"],
    apply: (answer) => {
      if (!isJsonObject(answer) || typeof answer["sql"] !== "string" || answer["sql"] === "") return null;
      const changed = change(answer["sql"]);
      return changed === null || changed === answer["sql"] ? null : { ...answer, sql: changed };
    },
  };
}
