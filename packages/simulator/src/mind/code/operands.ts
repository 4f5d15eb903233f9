/** The small words of a description: what `limit`, "paid", 12 or "a hyphen" stand for, and what "at least 3" tests. */
import type { Json } from "@contingent/core/json";
import { asNumber, asText, fieldOf, Misapplied, type Condition, type Env, type Operand } from "./step.ts";
import { isList } from "../../json.ts";

const NAMED_CHARACTERS: Readonly<Record<string, string>> = {
  space: " ",
  hyphen: "-",
  dash: "-",
  underscore: "_",
  comma: ",",
  semicolon: ";",
  colon: ":",
  "full stop": ".",
  dot: ".",
  slash: "/",
  zero: "0",
  "line break": "\n",
  star: "*",
  "comma and a space": ", ",
  "plus sign": "+",
};

/** Source text of a pattern for one operand: a parameter in backticks, a literal, or a named character. */
export const OPERAND = String.raw`(\x60\w+\x60|"[^"]*"|-?\d+(?:\.\d+)?|true|false|null|nothing|an empty (?:string|text|list)|(?:a |an |single |a single )?(?:${Object.keys(
  NAMED_CHARACTERS,
)
  .toSorted((a, b) => b.length - a.length)
  .join("|")})s?)`;

/** What the text stands for, or null when it is no operand or names a parameter that there is not. */
export function readOperand(text: string | undefined, parameters: readonly string[]): Operand | null {
  if (text === undefined) return null;
  const [, parameter] = /^`(\w+)`$/.exec(text) ?? [];
  if (parameter !== undefined) {
    if (!parameters.includes(parameter)) return null;
    return { code: parameter, run: (env) => env[parameter] ?? null };
  }
  if (text === "an empty list") return literal([]);
  if (text === "nothing" || text.startsWith("an empty")) return literal("");
  const [, quoted] = /^"([^"]*)"$/.exec(text) ?? [];
  if (quoted !== undefined) return literal(quoted);
  const named = NAMED_CHARACTERS[text.replace(/^(?:an? )?(?:single )?/, "").replace(/s$/, "")];
  if (named !== undefined) return literal(named);
  if (text === "true" || text === "false") return literal(text === "true");
  if (text === "null") return literal(null);
  return /^-?\d/.test(text) ? literal(Number(text)) : null;
}

function literal(value: Json): Operand {
  return { code: JSON.stringify(value), run: () => value };
}

/** Source text of a pattern for a condition; its operands are found by `readCondition`. */
export const CONDITION = String.raw`((?:not )?(?:empty|even|odd|positive|negative|blank|zero)|(?:greater|more|less|larger|smaller|longer|shorter) than [^,.]+|at least [^,.]+|at most [^,.]+|(?:not )?equal to [^,.]+|not [^,.]+|"[^"]*"|true|false|null|-?\d+|\x60\w+\x60)`;

type Compare = "===" | "!==" | ">" | "<" | ">=" | "<=";

/** What a phrase such as `at least 3` tests, or null. Sizes of texts and lists are meant by `longer` and `shorter`. */
export function readCondition(phrase: string, operand: (text: string) => Operand | null): Condition | null {
  const [, comparison, right] =
    /^(greater than|more than|larger than|less than|smaller than|longer than|shorter than|at least|at most|not equal to|equal to|not) (\S.*)$/.exec(
      phrase,
    ) ?? [];
  const negated = /^not (empty|blank|even|odd|positive|negative|zero)$/.exec(phrase)?.[1];
  if (negated !== undefined) return opposite(adjective(negated));
  if (comparison === undefined || right === undefined) {
    const other = operand(phrase);
    return adjective(phrase) ?? (other === null ? null : compared("===", other));
  }
  const other = operand(right.replace(/ (?:characters|items|words)$/, ""));
  if (other === null) return null;
  if (comparison === "longer than") return measured(">", other);
  if (comparison === "shorter than") return measured("<", other);
  return compared(COMPARISONS[comparison] ?? "===", other);
}

const COMPARISONS: Readonly<Record<string, Compare>> = {
  "greater than": ">",
  "more than": ">",
  "larger than": ">",
  "less than": "<",
  "smaller than": "<",
  "at least": ">=",
  "at most": "<=",
  "not equal to": "!==",
  not: "!==",
  "equal to": "===",
};

function adjective(word: string): Condition | null {
  switch (word) {
    case "empty":
      return { emit: (value) => `${value}.length === 0`, run: (value) => lengthOf(value) === 0 };
    case "blank":
      return { emit: (value) => `${value}.trim() === ""`, run: (value) => asText(value).trim() === "" };
    case "even":
      return { emit: (value) => `${value} % 2 === 0`, run: (value) => asNumber(value) % 2 === 0 };
    case "odd":
      return { emit: (value) => `${value} % 2 !== 0`, run: (value) => asNumber(value) % 2 !== 0 };
    case "positive":
      return { emit: (value) => `${value} > 0`, run: (value) => asNumber(value) > 0 };
    case "negative":
      return { emit: (value) => `${value} < 0`, run: (value) => asNumber(value) < 0 };
    case "zero":
      return { emit: (value) => `${value} === 0`, run: (value) => asNumber(value) === 0 };
    default:
      return null;
  }
}

function opposite(condition: Condition | null): Condition | null {
  if (condition === null) return null;
  return {
    emit: (value) => `!(${condition.emit(value)})`,
    run: (value, env) => !condition.run(value, env),
  };
}

function compared(sign: Compare, other: Operand): Condition {
  return {
    emit: (value) => `${value} ${sign} ${other.code}`,
    run: (value, env) => compare(sign, value, other.run(env)),
  };
}

function measured(sign: Compare, other: Operand): Condition {
  return {
    emit: (value) => `${value}.length ${sign} ${other.code}`,
    run: (value, env) => compare(sign, lengthOf(value), other.run(env)),
  };
}

function compare(sign: Compare, left: Json, right: Json): boolean {
  if (sign === "===") return left === right;
  if (sign === "!==") return left !== right;
  if (typeof left !== typeof right || (typeof left !== "number" && typeof left !== "string")) {
    throw new Misapplied("these cannot be compared");
  }
  const order =
    typeof left === "number" ? left - asNumber(right) : left < asText(right) ? -1 : Number(left > asText(right));
  switch (sign) {
    case ">":
      return order > 0;
    case "<":
      return order < 0;
    case ">=":
      return order >= 0;
    case "<=":
      return order <= 0;
  }
}

export function lengthOf(value: Json): number {
  if (typeof value === "string" || isList(value)) return value.length;
  throw new Misapplied("neither text nor list");
}

/** The condition on a field of an object. */
export function onField(field: string, condition: Condition): Condition {
  return {
    emit: (value) => condition.emit(`${value}.${field}`),
    run: (value, env: Env) => condition.run(fieldOf(value, field), env),
  };
}
