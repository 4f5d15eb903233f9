/** Questions about tables, in plain English of a few forms, and the queries that answer them. */

export interface Table {
  readonly name: string;
  readonly columns: readonly string[];
}

/** Parts of a query. A part that the question does not ask for is empty. */
export interface Query {
  readonly select: string;
  readonly from: string;
  readonly where: readonly string[];
  readonly groupBy: string;
  readonly orderBy: string;
  readonly limit: number | null;
}

const AGGREGATES: Readonly<Record<string, string>> = {
  total: "sum",
  average: "avg",
  largest: "max",
  smallest: "min",
};

const COMPARISONS: Readonly<Record<string, string>> = {
  above: ">",
  "more than": ">",
  below: "<",
  "less than": "<",
  "at least": ">=",
  "at most": "<=",
};

/** The query that answers the question; null: it is of no form that is understood, or asks for what no table has. */
export function queryFor(question: string, tables: readonly Table[]): Query | null {
  const text = question.trim().replace(/[?.]$/, "").toLowerCase();
  return counting(text, tables) ?? aggregating(text, tables) ?? listing(text, tables);
}

/** The query as SQL, a clause to a line. */
export function write(query: Query): string {
  return [
    `SELECT ${query.select}`,
    `FROM ${query.from}`,
    query.where.length === 0 ? "" : `WHERE ${query.where.join(" AND ")}`,
    query.groupBy === "" ? "" : `GROUP BY ${query.groupBy}`,
    query.orderBy === "" ? "" : `ORDER BY ${query.orderBy}`,
    query.limit === null ? "" : `LIMIT ${query.limit}`,
  ]
    .filter(Boolean)
    .join("\n");
}

/** "How many orders are there with status paid per country" */
function counting(text: string, tables: readonly Table[]): Query | null {
  const [, name = "", rest = ""] = /^how many (\w+)(?: are there)?(.*)$/.exec(text) ?? [];
  const table = tables.find((one) => one.name === name);
  return table === undefined ? null : completed(table, "count(*) AS count", rest);
}

/** "What is the total amount of the payments since 2026-10-01 per currency" */
function aggregating(text: string, tables: readonly Table[]): Query | null {
  const pattern = /^what is the (total|average|largest|smallest) (\w+) of (?:the |all )?(\w+)(.*)$/;
  const [, kind = "", column = "", name = "", rest = ""] = pattern.exec(text) ?? [];
  const table = tables.find((one) => one.name === name);
  if (table?.columns.includes(column) !== true) return null;
  return completed(table, `${AGGREGATES[kind] ?? ""}(${column}) AS ${kind}_${column}`, rest);
}

/** "List the id and amount of the invoices with status overdue, the largest amount first, at most 10" */
function listing(text: string, tables: readonly Table[]): Query | null {
  const [, wanted = "", name = "", rest = ""] = /^list the (.+?) of (?:the |all )?(\w+)(.*)$/.exec(text) ?? [];
  const table = tables.find((one) => one.name === name);
  const columns = wanted.split(/, | and /);
  if (table === undefined || !columns.every((column) => table.columns.includes(column))) return null;
  const [, end, by = ""] = /, the (largest|smallest|newest|oldest) (\w+) first/.exec(rest) ?? [];
  const [limiting, limit] = /, at most (\d+)/.exec(rest) ?? [];
  if (end !== undefined && !table.columns.includes(by)) return null;
  const query = completed(
    table,
    columns.join(", "),
    rest.replace(/, the \w+ \w+ first/, "").replace(limiting ?? "", ""),
  );
  if (query === null) return null;
  const direction = end === "largest" || end === "newest" ? " DESC" : "";
  return {
    ...query,
    orderBy: end === undefined ? "" : by + direction,
    limit: limit === undefined ? null : Number(limit),
  };
}

/** The conditions and the grouping that a question ends with; null: not all of it is understood. */
function completed(table: Table, select: string, rest: string): Query | null {
  const has = (column: string): boolean => table.columns.includes(column);
  let left = rest.trim();
  const [grouping, group = ""] = /\bper (\w+)$/.exec(left) ?? [];
  if (grouping !== undefined) left = left.slice(0, -grouping.length).trim();
  const where: string[] = [];
  for (const condition of left.split(/ and (?=with |whose |since )/).filter(Boolean)) {
    const sql = conditionFor(condition, has);
    if (sql === null) return null;
    where.push(sql);
  }
  if (grouping === undefined) return { select, from: table.name, where, groupBy: "", orderBy: "", limit: null };
  if (!has(group)) return null;
  return { select: `${group}, ${select}`, from: table.name, where, groupBy: group, orderBy: group, limit: null };
}

function conditionFor(text: string, has: (column: string) => boolean): string | null {
  const [, column = "", value = ""] = /^with (?:the )?(\w+) ([\w-]+)$/.exec(text) ?? [];
  if (has(column)) return `${column} = '${value}'`;
  const [, compared = "", comparison = "", number = ""] =
    /^whose (\w+) is (above|more than|below|less than|at least|at most) (\d+(?:\.\d+)?)$/.exec(text) ?? [];
  if (has(compared)) return `${compared} ${COMPARISONS[comparison] ?? "="} ${number}`;
  const [, date = ""] = /^since (\d{4}-\d\d-\d\d)$/.exec(text) ?? [];
  return date !== "" && has("created_at") ? `created_at >= '${date}'` : null;
}
