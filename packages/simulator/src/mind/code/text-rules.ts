/** Steps that work on text. */
import type { Json } from "@contingent/core/json";
import { OPERAND } from "./operands.ts";
import { asList, asNumber, asText, type Op, type Operand, type Rule } from "./step.ts";

/** Kinds of characters as a description names them, and as a pattern's character class. */
const CLASSES: Readonly<Record<string, string>> = {
  "letters and digits": "\\p{L}\\p{N}",
  "letters or digits": "\\p{L}\\p{N}",
  letters: "\\p{L}",
  digits: "\\d",
  "white space": "\\s",
  whitespace: "\\s",
  spaces: " ",
  hyphens: "-",
  underscores: "_",
  commas: ",",
  "full stops": ".",
  vowels: "aeiouAEIOU",
  punctuation: ".,;:!?'\"()",
};
const CLASS = Object.keys(CLASSES)
  .toSorted((a, b) => b.length - a.length)
  .join("|");

export const TEXT_RULES: readonly Rule[] = [
  simple(
    /^(?:trim (?:it|white ?space|the |spaces|`)|remove (?:the )?white ?space (?:from|at) (?:the start and the end|both ends))/,
    "trimmed",
    "trim()",
    (text) => text.trim(),
  ),
  simple(
    /^(?:convert|turn|change) (?:it|the \w+|`\w+`|the \w+ \w+) (?:in)?to lower ?case/,
    "lower",
    "toLowerCase()",
    (text) => text.toLowerCase(),
  ),
  simple(
    /^(?:convert|turn|change) (?:it|the \w+|`\w+`|the \w+ \w+) (?:in)?to upper ?case/,
    "upper",
    "toUpperCase()",
    (text) => text.toUpperCase(),
  ),
  {
    pattern: new RegExp(
      `^(?:replace|collapse) every run of (characters other than )?(${CLASS}) (?:with|into) ${OPERAND}`,
    ),
    op: ([, other, name, replacement], operand) => {
      const pattern = classOf(name, other !== undefined, "+");
      const by = operand(replacement);
      if (by === null) return null;
      return {
        name: "replaced",
        emit: (v) => `${v}.replace(${pattern.code}, ${by.code})`,
        run: (value, env) => asText(value).replace(pattern.value, asText(by.run(env))),
      };
    },
  },
  {
    pattern: new RegExp(
      `^(?:remove|drop|delete) (?:all |every(?:thing| character) )?(?:(that is not|other than|except) )?(?:the )?(${CLASS})$`,
    ),
    op: ([, other, name]) => {
      const pattern = classOf(name, other !== undefined, "");
      return mapText(
        "kept",
        (v) => `${v}.replace(${pattern.code}, "")`,
        (text) => text.replace(pattern.value, ""),
      );
    },
  },
  {
    pattern: new RegExp(`^remove (?:any )?(${CLASS}) (?:from|at) (?:both ends|the start and the end)`),
    op: ([, name]) => {
      const set = CLASSES[name ?? ""] ?? "";
      const code = `/^[${set}]+|[${set}]+$/gu`;
      const pattern = new RegExp(`^[${set}]+|[${set}]+$`, "gu");
      return mapText(
        "stripped",
        (v) => `${v}.replace(${code}, "")`,
        (text) => text.replace(pattern, ""),
      );
    },
  },
  {
    pattern: new RegExp(`^replace (?:all|every character) but the last ${OPERAND} (?:characters )?with ${OPERAND}`),
    op: ([, count, mask], operand) => masked(operand(count), operand(mask)),
  },
  {
    pattern: new RegExp(`^replace every ${OPERAND} with ${OPERAND}`),
    op: ([, from, to], operand) => {
      const [a, b] = [operand(from), operand(to)];
      if (a === null || b === null) return null;
      return {
        name: "replaced",
        emit: (v) => `${v}.replaceAll(${a.code}, ${b.code})`,
        run: (value, env) => asText(value).replaceAll(asText(a.run(env)), asText(b.run(env))),
      };
    },
  },
  {
    pattern: new RegExp(`^split (?:it|the \\w+|\`\\w+\`) (?:into words|into lines|(?:at|on|by) (?:every )?${OPERAND})`),
    op: (match, operand) => splitOp(match[0], operand(match[1])),
  },
  {
    pattern: new RegExp(`^join (?:them|it|the \\w+)(?: back)? (?:together )?with ${OPERAND}`),
    op: ([, with_], operand) => {
      const glue = operand(with_);
      if (glue === null) return null;
      return {
        name: "joined",
        emit: (v) => `${v}.join(${glue.code})`,
        run: (value, env) =>
          asList(value)
            .map(textIn)
            .join(asText(glue.run(env))),
      };
    },
  },
  {
    pattern: /^(?:reverse|put) (?:the order of )?(?:its|the) (?:characters|letters)/,
    op: () =>
      mapText(
        "reversed",
        (v) => `[...${v}].reverse().join("")`,
        (text) => Array.from(text).toReversed().join(""),
      ),
  },
  {
    pattern: /^capitali[sz]e (?:the first letter of )?(?:each|every) (?:word|one|item)/,
    op: () =>
      eachText(
        "capitalised",
        (w) => `${w}.charAt(0).toUpperCase() + ${w}.slice(1)`,
        (w) => w.charAt(0).toUpperCase() + w.slice(1),
      ),
  },
  {
    pattern: /^take the first (?:letter|character) of (?:each|every)/,
    op: () =>
      eachText(
        "initials",
        (w) => `${w}.charAt(0)`,
        (w) => w.charAt(0),
      ),
  },
  {
    pattern: /^trim (?:each|every)/,
    op: () =>
      eachText(
        "trimmed",
        (w) => `${w}.trim()`,
        (w) => w.trim(),
      ),
  },
  {
    pattern: /^convert (?:each|every) (?:\w+ )?to lower ?case/,
    op: () =>
      eachText(
        "lower",
        (w) => `${w}.toLowerCase()`,
        (w) => w.toLowerCase(),
      ),
  },
  {
    pattern: new RegExp(`^pad it on the (left|right) with ${OPERAND} to (?:a length of )?${OPERAND}`),
    op: ([, side, fill, size], operand) =>
      padded(side === "left" ? "padStart" : "padEnd", operand(fill), operand(size)),
  },
  {
    pattern: new RegExp(
      `^(?:append|put|add) ${OPERAND} (?:(at the end|after it|behind it)|(?:in front(?: of it)?|at the start|before it))`,
    ),
    op: ([, text, behind], operand) => {
      const added = operand(text);
      if (added === null) return null;
      return behind === undefined
        ? {
            name: "prefixed",
            emit: (v) => `${added.code} + ${v}`,
            run: (value, env) => textIn(added.run(env)) + textIn(value),
          }
        : {
            name: "suffixed",
            emit: (v) => `${v} + ${added.code}`,
            run: (value, env) => textIn(value) + textIn(added.run(env)),
          };
    },
  },
];

function simple(pattern: RegExp, name: string, call: string, run: (text: string) => string): Rule {
  return { pattern, op: () => mapText(name, (v) => `${v}.${call}`, run) };
}

function mapText(name: string, emit: (value: string) => string, run: (text: string) => string): Op {
  return { name, emit, run: (value) => run(asText(value)) };
}

function eachText(name: string, emit: (word: string) => string, run: (word: string) => string): Op {
  return {
    name,
    emit: (v) => `${v}.map((word) => ${emit("word")})`,
    run: (value) => asList(value).map((word) => run(asText(word))),
  };
}

function classOf(name: string | undefined, other: boolean, repeat: "" | "+"): { code: string; value: RegExp } {
  const source = `[${other ? "^" : ""}${CLASSES[name ?? ""] ?? ""}]${repeat}`;
  return { code: `/${source}/gu`, value: new RegExp(source, "gu") };
}

function masked(count: Operand | null, mask: Operand | null): Op | null {
  if (count === null || mask === null) return null;
  return {
    name: "masked",
    emit: (v) => `${mask.code}.repeat(Math.max(0, ${v}.length - ${count.code})) + ${v}.slice(-${count.code})`,
    run: (value, env) => {
      const [text, shown] = [asText(value), asNumber(count.run(env))];
      return asText(mask.run(env)).repeat(Math.max(0, text.length - shown)) + text.slice(-shown);
    },
  };
}

function splitOp(phrase: string, at: Operand | null): Op | null {
  if (phrase.endsWith("into words")) {
    return {
      name: "words",
      emit: (v) => `${v}.split(/\\s+/).filter(Boolean)`,
      run: (value) => asText(value).split(/\s+/).filter(Boolean),
    };
  }
  if (phrase.endsWith("into lines")) {
    return { name: "lines", emit: (v) => `${v}.split("\\n")`, run: (value) => asText(value).split("\n") };
  }
  if (at === null) return null;
  return {
    name: "parts",
    emit: (v) => `${v}.split(${at.code})`,
    run: (value, env) => asText(value).split(asText(at.run(env))),
  };
}

function padded(method: "padStart" | "padEnd", fill: Operand | null, size: Operand | null): Op | null {
  if (fill === null || size === null) return null;
  return {
    name: "padded",
    emit: (v) => `String(${v}).${method}(${size.code}, ${fill.code})`,
    run: (value, env) => textIn(value)[method](asNumber(size.run(env)), asText(fill.run(env))),
  };
}

/** Text as `String(value)` would make it of a text or number. */
function textIn(value: Json): string {
  return typeof value === "number" ? String(value) : asText(value);
}
