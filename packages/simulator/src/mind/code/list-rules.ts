/** Steps that work on lists: choosing, ordering, grouping, and boiling down to one value. */
import type { Json } from "@contingent/core/json";
import { CONDITION, lengthOf, onField, OPERAND, readCondition } from "./operands.ts";
import { asList, asNumber, asText, fieldOf, Misapplied, type Op, type Operand, type Rule } from "./step.ts";

const THINGS = String.raw`(?:the )?(?:\w+ )?\w+`;

export const LIST_RULES: readonly Rule[] = [
  {
    pattern: new RegExp(
      String.raw`^(keep only|drop|remove|leave out|ignore) ${THINGS} (?:that|which) are ${CONDITION}$`,
    ),
    op: ([, verb, phrase = ""], operand) => filtered(verb === "keep only", null, readCondition(phrase, operand)),
  },
  {
    pattern: new RegExp(
      String.raw`^(keep only|drop|remove|leave out|ignore) ${THINGS} whose \x60(\w+)\x60 is ${CONDITION}$`,
    ),
    op: ([, verb, field, phrase = ""], operand) =>
      filtered(verb === "keep only", field ?? null, readCondition(phrase, operand)),
  },
  {
    pattern:
      /^sort (?:them|it|the \w+)(?: by `(\w+)`)?,? (?:in )?(ascending|descending|alphabetical|from smallest to largest|from largest to smallest)/,
    op: ([, field, order = ""]) => sorted(field ?? null, /descending|largest to/.test(order)),
  },
  {
    pattern: /^(?:remove|drop) (?:the )?duplicates/,
    op: () =>
      onList(
        "distinct",
        (v) => `[...new Set(${v})]`,
        (list) => list.filter((item, i) => list.indexOf(item) === i),
      ),
  },
  {
    pattern: /^reverse (?:the (?:order|list)|them|it)/,
    op: () =>
      onList(
        "reversed",
        (v) => `[...${v}].reverse()`,
        (list) => list.toReversed(),
      ),
  },
  {
    pattern: new RegExp(
      `^(?:keep|take) (?:only |at most )?the (first|last) ${OPERAND} (?:characters|items|entries|words|of them|\\w+)`,
    ),
    op: ([, end, count], operand) => {
      const size = operand(count);
      if (size === null) return null;
      const first = end === "first";
      return {
        name: "cut",
        emit: (v) => (first ? `${v}.slice(0, ${size.code})` : `${v}.slice(-${size.code})`),
        run: (value, env) => cut(value, first, asNumber(size.run(env))),
      };
    },
  },
  {
    pattern: /^take the `(\w+)` of (?:each|every)/,
    op: ([, field = ""]) =>
      onList(
        `${field}s`,
        (v) => `${v}.map((item) => item.${field})`,
        (list) => list.map((item) => fieldOf(item, field)),
      ),
  },
  {
    pattern: /^convert (?:each|every) (?:\w+ )?(?:in)?to a number/,
    op: () =>
      onList(
        "numbers",
        (v) => `${v}.map(Number)`,
        (list) => list.map((item) => asNumber(Number(item))),
      ),
  },
  {
    pattern: new RegExp(`^(multiply|divide) (?:each|every) (?:\\w+ )?by ${OPERAND}`),
    op: ([, verb = "", by], operand) => eachCalculated(verb, operand(by)),
  },
  {
    pattern: new RegExp(`^(add|subtract) ${OPERAND} (?:to|from) (?:each|every)`),
    op: ([, verb = "", by], operand) => eachCalculated(verb, operand(by)),
  },
  {
    pattern: /^for (?:each|every) `(\w+)`,? add up (?:the |its )?`(\w+)`/,
    op: ([, key = "", amount = ""]) => ({
      name: "sums",
      emit: (v) =>
        `${v}.reduce<Record<string, number>>((sums, item) => ({ ...sums, [item.${key}]: (sums[item.${key}] ?? 0) + item.${amount} }), {})`,
      run: (value) =>
        tally(
          asList(value),
          (item) => asText(fieldOf(item, key)),
          (item) => asNumber(fieldOf(item, amount)),
        ),
    }),
  },
  {
    pattern: /^count how often (?:each|every) (?:(?:`(\w+)`)|\w+) occurs/,
    op: ([, key]) => ({
      name: "counts",
      emit: (v) => {
        const name = key === undefined ? "item" : `item.${key}`;
        return `${v}.reduce<Record<string, number>>((counts, item) => ({ ...counts, [${name}]: (counts[${name}] ?? 0) + 1 }), {})`;
      },
      run: (value) =>
        tally(
          asList(value),
          (item) => asText(key === undefined ? item : fieldOf(item, key)),
          () => 1,
        ),
    }),
  },
  {
    pattern: new RegExp(`^split (?:the list|them|it) into groups of ${OPERAND}`),
    op: ([, size], operand) => grouped(operand(size)),
  },
  {
    pattern: /^replace (?:each|every) number with the (?:running total|sum of it and all before it)/,
    op: () =>
      onList(
        "runningTotals",
        (v) => `${v}.map((_, i, all) => all.slice(0, i + 1).reduce((sum, n) => sum + n, 0))`,
        (list) => list.map((_, i) => sumOf(list.slice(0, i + 1))),
      ),
  },
  {
    pattern: /^flatten (?:it|the list|them)(?: by one level)?/,
    op: () =>
      onList(
        "flat",
        (v) => `${v}.flat()`,
        (list) => list.flatMap((item) => asList(item)),
      ),
  },
  boiledDown(
    /^(?:add them up|add up the \w+|take (?:the|their) sum)/,
    "sum",
    (v) => `${v}.reduce((sum, n) => sum + n, 0)`,
    sumOf,
  ),
  boiledDown(
    /^multiply them (?:together|all)/,
    "product",
    (v) => `${v}.reduce((product, n) => product * n, 1)`,
    (list) => list.reduce<number>((product, n) => product * asNumber(n), 1),
  ),
  boiledDown(
    /^take (?:the|their) (?:average|mean)/,
    "average",
    (v) => `${v}.reduce((sum, n) => sum + n, 0) / ${v}.length`,
    (list) => asNumber(sumOf(list) / list.length),
  ),
  boiledDown(
    /^take the (?:largest|greatest|highest)/,
    "largest",
    (v) => `Math.max(...${v})`,
    (list) => asNumber(Math.max(...list.map(asNumber))),
  ),
  boiledDown(
    /^take the (?:smallest|lowest|least)/,
    "smallest",
    (v) => `Math.min(...${v})`,
    (list) => asNumber(Math.min(...list.map(asNumber))),
  ),
  boiledDown(
    /^take the median/,
    "median",
    (v) =>
      `((s) => (s[Math.floor((s.length - 1) / 2)]! + s[Math.ceil((s.length - 1) / 2)]!) / 2)([...${v}].sort((a, b) => a - b))`,
    medianOf,
  ),
  {
    pattern: /^(?:count (?:the|its) (?:characters|items|words|letters|entries|\w+)|count them|take (?:the|its) length)/,
    op: () => ({ name: "count", emit: (v) => `${v}.length`, run: (value) => lengthOf(value) }),
  },
];

function onList(name: string, emit: (value: string) => string, run: (list: readonly Json[]) => Json): Op {
  return { name, emit, run: (value) => run(asList(value)) };
}

function boiledDown(
  pattern: RegExp,
  name: string,
  emit: (value: string) => string,
  run: (list: readonly Json[]) => number,
): Rule {
  return { pattern, op: () => onList(name, emit, run) };
}

function filtered(keep: boolean, field: string | null, on: ReturnType<typeof readCondition>): Op | null {
  if (on === null) return null;
  const condition = field === null ? on : onField(field, on);
  return {
    name: "kept",
    emit: (v) => `${v}.filter((item) => ${keep ? condition.emit("item") : `!(${condition.emit("item")})`})`,
    run: (value, env) => asList(value).filter((item) => condition.run(item, env) === keep),
  };
}

function sorted(field: string | null, descending: boolean): Op {
  const of = (name: string): string => (field === null ? name : `${name}.${field}`);
  const [left, right] = descending ? [of("b"), of("a")] : [of("a"), of("b")];
  const valueOf = (item: Json): Json => (field === null ? item : fieldOf(item, field));
  return {
    name: "sorted",
    emit: (v) => `[...${v}].sort((a, b) => (${left} < ${right} ? -1 : ${left} > ${right} ? 1 : 0))`,
    run: (value) =>
      asList(value).toSorted((a, b) => (descending ? order(valueOf(b), valueOf(a)) : order(valueOf(a), valueOf(b)))),
  };
}

function order(a: Json, b: Json): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return a < b ? -1 : Number(a > b);
  throw new Misapplied("these have no order");
}

function cut(value: Json, first: boolean, size: number): Json {
  if (typeof value === "string") return first ? value.slice(0, size) : value.slice(-size);
  return first ? asList(value).slice(0, size) : asList(value).slice(-size);
}

const SIGNS: Readonly<Record<string, "*" | "/" | "+" | "-">> = { multiply: "*", divide: "/", add: "+", subtract: "-" };

function eachCalculated(verb: string, by: Operand | null): Op | null {
  const sign = SIGNS[verb];
  if (by === null || sign === undefined) return null;
  return {
    name: "changed",
    emit: (v) => `${v}.map((n) => n ${sign} ${by.code})`,
    run: (value, env) => asList(value).map((n) => calculated(sign, asNumber(n), asNumber(by.run(env)))),
  };
}

export function calculated(sign: "*" | "/" | "+" | "-", left: number, right: number): number {
  switch (sign) {
    case "*":
      return left * right;
    case "/":
      return asNumber(left / right);
    case "+":
      return left + right;
    case "-":
      return left - right;
  }
}

function grouped(size: Operand | null): Op | null {
  if (size === null) return null;
  return {
    name: "groups",
    emit: (v) =>
      `Array.from({ length: Math.ceil(${v}.length / ${size.code}) }, (_, i) => ${v}.slice(i * ${size.code}, (i + 1) * ${size.code}))`,
    run: (value, env) => {
      const [list, n] = [asList(value), Math.max(1, asNumber(size.run(env)))];
      return Array.from({ length: Math.ceil(list.length / n) }, (_, i) => list.slice(i * n, (i + 1) * n));
    },
  };
}

function sumOf(list: readonly Json[]): number {
  return list.reduce<number>((sum, n) => sum + asNumber(n), 0);
}

function medianOf(list: readonly Json[]): number {
  const numbers = list.map(asNumber).toSorted((a, b) => a - b);
  const low = numbers[Math.floor((numbers.length - 1) / 2)];
  const high = numbers[Math.ceil((numbers.length - 1) / 2)];
  return (asNumber(low) + asNumber(high)) / 2;
}

function tally(list: readonly Json[], keyOf: (item: Json) => string, valueOf: (item: Json) => number): Json {
  const sums = new Map<string, number>();
  for (const item of list) sums.set(keyOf(item), (sums.get(keyOf(item)) ?? 0) + valueOf(item));
  return Object.fromEntries(sums);
}
