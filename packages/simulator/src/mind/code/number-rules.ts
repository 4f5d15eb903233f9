/** Steps that work on numbers. */
import type { Json } from "@contingent/core/json";
import { calculated } from "./list-rules.ts";
import { OPERAND } from "./operands.ts";
import { asNumber, type Op, type Operand, type Rule } from "./step.ts";

type Sign = "*" | "/" | "+" | "-";

const SIGNS: Readonly<Record<string, Sign>> = { multiply: "*", divide: "/", add: "+", subtract: "-" };
const NAMES: Readonly<Record<string, string>> = {
  multiply: "product",
  divide: "quotient",
  add: "sum",
  subtract: "difference",
};

export const NUMBER_RULES: readonly Rule[] = [
  {
    pattern: new RegExp(`^start with ${OPERAND}$`),
    op: ([, text], operand) => {
      const start = operand(text);
      return start === null ? null : { name: "start", emit: () => start.code, run: (_, env) => start.run(env) };
    },
  },
  {
    pattern:
      /^(multiply) `(\w+)` by (`\w+`)$|^(add) (`\w+`) to `(\w+)`$|^(divide) `(\w+)` by (`\w+`)$|^(subtract) (`\w+`) from `(\w+)`$/,
    op: ([phrase], operand) => {
      const [verb = "", first, , second] = phrase.split(" ");
      const [a, b] = [operand(first), operand(second)];
      const sign = SIGNS[verb];
      if (a === null || b === null || sign === undefined) return null;
      const [left, right] = verb === "subtract" ? [b, a] : [a, b];
      return {
        name: NAMES[verb] ?? "result",
        emit: () => `${left.code} ${sign} ${right.code}`,
        run: (_, env) => calculated(sign, asNumber(left.run(env)), asNumber(right.run(env))),
      };
    },
  },
  arithmetic("multiply", String.raw`^multiply (?:it|the result|the \w+) by ${OPERAND}$`),
  arithmetic("divide", String.raw`^divide (?:it|the result|the \w+) by ${OPERAND}$`),
  arithmetic("add", String.raw`^add ${OPERAND}(?: to (?:it|the result|the \w+))?$`),
  arithmetic("subtract", String.raw`^subtract ${OPERAND}(?: from (?:it|the result|the \w+))?$`),
  {
    pattern: new RegExp(String.raw`^(reduce|increase|raise) it by ${OPERAND} percent$`),
    op: ([, verb, text], operand) => {
      const percent = operand(text);
      if (percent === null) return null;
      const sign = verb === "reduce" ? "-" : "+";
      return {
        name: verb === "reduce" ? "reduced" : "increased",
        emit: (v) => `${v} * (1 ${sign} ${percent.code} / 100)`,
        run: (value, env) => asNumber(value) * calculated(sign, 1, asNumber(percent.run(env)) / 100),
      };
    },
  },
  {
    pattern: new RegExp(String.raw`^round (?:it |the result )?to ${OPERAND} decimals?(?: places)?$`),
    op: ([, text], operand) => {
      const places = operand(text);
      if (places === null) return null;
      return {
        name: "rounded",
        emit: (v) => `Math.round((${v}) * 10 ** ${places.code}) / 10 ** ${places.code}`,
        run: (value, env) => {
          const factor = 10 ** asNumber(places.run(env));
          return Math.round(asNumber(value) * factor) / factor;
        },
      };
    },
  },
  whole(/^round (?:it |the result )?(?:to the nearest whole number|off)$/, "round", Math.round),
  whole(/^round (?:it |the result )?down$/, "floor", Math.floor),
  whole(/^round (?:it |the result )?up$/, "ceil", Math.ceil),
  whole(/^take (?:its|the) absolute value$/, "abs", Math.abs),
  {
    pattern: new RegExp(
      String.raw`^(?:limit|clamp) it to (?:the range )?(?:from |at least )?${OPERAND} (?:to|and) (?:at most )?${OPERAND}$`,
    ),
    op: ([, low, high], operand) => clamped(operand(low), operand(high)),
  },
  {
    pattern: new RegExp(String.raw`^take the remainder (?:of|after) dividing (?:it )?by ${OPERAND}$`),
    op: ([, text], operand) => {
      const by = operand(text);
      if (by === null) return null;
      return {
        name: "remainder",
        emit: (v) => `${v} % ${by.code}`,
        run: (value, env) => asNumber(asNumber(value) % asNumber(by.run(env))),
      };
    },
  },
  {
    pattern: new RegExp(String.raw`^(?:write|format) it with ${OPERAND} decimals?$`),
    op: ([, text], operand) => {
      const places = operand(text);
      if (places === null) return null;
      return {
        name: "formatted",
        emit: (v) => `(${v}).toFixed(${places.code})`,
        run: (value, env) => asNumber(value).toFixed(asNumber(places.run(env))),
      };
    },
  },
];

function arithmetic(verb: string, pattern: string): Rule {
  const sign = SIGNS[verb] ?? "+";
  return {
    pattern: new RegExp(pattern),
    op: ([, text], operand) => {
      const by = operand(text);
      if (by === null) return null;
      return {
        name: NAMES[verb] ?? "result",
        emit: (v) => `${v} ${sign} ${by.code}`,
        run: (value, env) => calculated(sign, asNumber(value), asNumber(by.run(env))),
      };
    },
  };
}

function whole(pattern: RegExp, method: "round" | "floor" | "ceil" | "abs", run: (value: number) => number): Rule {
  return {
    pattern,
    op: (): Op => ({
      name: method === "abs" ? "absolute" : "whole",
      emit: (v) => `Math.${method}(${v})`,
      run: (value: Json) => run(asNumber(value)),
    }),
  };
}

function clamped(low: Operand | null, high: Operand | null): Op | null {
  if (low === null || high === null) return null;
  return {
    name: "limited",
    emit: (v) => `Math.min(Math.max(${v}, ${low.code}), ${high.code})`,
    run: (value, env) => Math.min(Math.max(asNumber(value), asNumber(low.run(env))), asNumber(high.run(env))),
  };
}
