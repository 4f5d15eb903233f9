/** What a parsed text of SQL would do: found in the parse tree, at every depth. */
import { isJsonObject, type Json } from "@contingent/core/json";

/** How deeply the tree may nest: about half as many operators in a row. The parser itself manages some 8,000. */
const TREE_LEVELS_MAX = 2_000;

/** The kinds of statements that can be allowed. `lock` is what FOR UPDATE and FOR SHARE do; SELECT INTO is a `create_table`. */
export const KINDS = [
  "select",
  "insert",
  "update",
  "delete",
  "merge",
  "lock",
  "explain",
  "create_table",
  "create_index",
  "create_view",
  "alter_table",
  "drop",
  "transaction",
] as const;
export type Kind = (typeof KINDS)[number];

const KIND_OF_NODE: Readonly<Record<string, Kind>> = {
  InsertStmt: "insert",
  UpdateStmt: "update",
  DeleteStmt: "delete",
  MergeStmt: "merge",
  ExplainStmt: "explain",
  CreateStmt: "create_table",
  CreateTableAsStmt: "create_table",
  IndexStmt: "create_index",
  ViewStmt: "create_view",
  AlterTableStmt: "alter_table",
  DropStmt: "drop",
  TransactionStmt: "transaction",
};

/** A name as it was written, in the database's spelling (lower case unless quoted). */
export interface QualifiedName {
  readonly schema: string | null;
  readonly name: string;
}

export interface SqlContent {
  readonly statements: number;
  /** Of every statement, also of those inside of others; of what has no kind here, its name in the parse tree. */
  readonly kinds: ReadonlySet<string>;
  /** Tables and views; not what a WITH defines. */
  readonly tables: readonly QualifiedName[];
  readonly functions: readonly QualifiedName[];
}

/** Names that a WITH gives, from the inside out. */
type Scope = { readonly name: string; readonly outer: Scope } | null;

interface Open {
  readonly key: string;
  readonly value: Json;
  readonly scope: Scope;
  readonly level: number;
}

/** Everything that matters of a parse tree; null: it nests too deeply. */
export function contentOf(tree: Json): SqlContent | null {
  const statements = isJsonObject(tree) && Array.isArray(tree["stmts"]) ? (tree["stmts"] as readonly Json[]) : [];
  const found = { kinds: new Set<string>(), tables: [] as QualifiedName[], functions: [] as QualifiedName[] };
  for (const statement of statements) if (isSelect(statement)) found.kinds.add("select");
  // With a stack of its own: how deeply the tree nests is the model's choice.
  const open: Open[] = [{ key: "", value: statements, scope: null, level: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { key, value, scope, level } = next;
    if (level > TREE_LEVELS_MAX) return null;
    if (Array.isArray(value)) {
      for (const item of value as readonly Json[]) open.push({ key, value: item, scope, level: level + 1 });
      continue;
    }
    if (!isJsonObject(value)) continue;
    const kind = kindOf(key, value);
    if (kind !== null) found.kinds.add(kind);
    const table = tableIn(key, value, scope);
    if (table !== null) found.tables.push(table);
    const called = namesIn(value["funcname"]);
    if (called !== null) found.functions.push(called);
    open.push(...childrenOf(value, scope, level + 1));
  }
  return { statements: statements.length, ...found };
}

function isSelect(statement: Json): boolean {
  return isJsonObject(statement) && isJsonObject(statement["stmt"]) && Object.hasOwn(statement["stmt"], "SelectStmt");
}

/** A select inside of something else reads for it, which is no statement of its own. */
function kindOf(key: string, node: JsonObject): string | null {
  if (key === "intoClause") return "create_table";
  if (key === "LockingClause") return "lock";
  if (!/^[A-Z]\w*Stmt$/.test(key) || key === "SelectStmt") return null;
  const isOfTable = key !== "AlterTableStmt" || node["objtype"] === "OBJECT_TABLE";
  return (isOfTable ? KIND_OF_NODE[key] : undefined) ?? key.replace(/Stmt$/, "");
}

type JsonObject = Extract<Json, { readonly [key: string]: Json }>;

function tableIn(key: string, node: JsonObject, scope: Scope): QualifiedName | null {
  const { relname, schemaname } = node;
  if (typeof relname !== "string") return null;
  const schema = typeof schemaname === "string" ? schemaname : null;
  // What is written to is a table, whatever a WITH may call by the same name.
  if (schema === null && key === "RangeVar" && isInScope(relname, scope)) return null;
  return { schema, name: relname };
}

function isInScope(name: string, scope: Scope): boolean {
  for (let each = scope; each !== null; each = each.outer) if (each.name === name) return true;
  return false;
}

/** The children of a node, each with the names of WITH that it can see. */
function childrenOf(node: JsonObject, scope: Scope, level: number): readonly Open[] {
  const clause = node["withClause"];
  const queries = isJsonObject(clause) && Array.isArray(clause["ctes"]) ? (clause["ctes"] as readonly Json[]) : [];
  const children: Open[] = [];
  let inner = scope;
  for (const query of queries) {
    // Its own query sees the ones before it; with RECURSIVE it sees all of them, see below.
    children.push({ key: "ctes", value: query, scope: inner, level });
    inner = { name: nameOfQuery(query), outer: inner };
  }
  const isRecursive = isJsonObject(clause) && clause["recursive"] === true;
  const seen = isRecursive ? children.map((child) => ({ ...child, scope: inner })) : children;
  const others = Object.entries(node)
    // The tables that are locked are named as they are named in FROM.
    .filter(([key]) => key !== "withClause" && key !== "lockedRels")
    .map(([key, value]) => ({ key, value, scope: inner, level }));
  return [...seen, ...others];
}

function nameOfQuery(query: Json): string {
  const node = isJsonObject(query) ? query["CommonTableExpr"] : undefined;
  const name = isJsonObject(node) ? node["ctename"] : undefined;
  return typeof name === "string" ? name : "";
}

/** A list of names, the last of which is the thing's own. */
function namesIn(list: Json | undefined): QualifiedName | null {
  if (!Array.isArray(list)) return null;
  const names = (list as readonly Json[]).map(textOf);
  const name = names.at(-1) ?? null;
  return name === null ? null : { schema: names.at(-2) ?? null, name };
}

function textOf(node: Json): string | null {
  const text = isJsonObject(node) ? node["String"] : undefined;
  const value = isJsonObject(text) ? text["sval"] : undefined;
  return typeof value === "string" ? value : null;
}
