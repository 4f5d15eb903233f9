/**
 * A text in which values can be looked up as a careful reader would: whatever the spacing, the case, the shape of quotes
 * and dashes, and the way numbers are written.
 */
import type { Json } from "@contingent/core/json";
import { type Decimal, decimalOf, textOf } from "../decimal.ts";
import { occurs, plainlySet, textsIn } from "../text.ts";

/** Characters of the source that are searched. Inputs are bounded to 256 kB when they are accepted. */
const SOURCE_CHARACTERS_MAX = 1_048_576;
/** Nothing longer is an amount. */
const NUMBER_CHARACTERS_MAX = 60;
/** Groups of a number that is written with spaces, `1 234 567`. */
const SPACED_GROUPS_MAX = 5;

export interface Source {
  readonly text: string;
  /** Every number that the text can be read to mention, as canonical text without its sign. */
  readonly numbers: ReadonlySet<string>;
}

/** Prepares a source: a text, or all the texts and numbers of a structure. */
export function sourceOf(value: Json | undefined): Source {
  // Joined with line ends, so that two neighbouring values never read as one.
  const text = textsIn(value, SOURCE_CHARACTERS_MAX).join("\n").slice(0, SOURCE_CHARACTERS_MAX);
  return { text: normalised(text), numbers: numbersIn(text) };
}

/** Whether the text mentions the value. Empty text is mentioned by nothing. */
export function mentions(source: Source, value: string | number): boolean {
  const number = decimalOf(typeof value === "string" ? value.trim() : value);
  if (number !== null && source.numbers.has(magnitude(number))) return true;
  return typeof value === "string" && occurs(source.text, normalised(value), true);
}

function normalised(text: string): string {
  return plainlySet(text)
    .toLowerCase()
    .replace(/(?<=\d)[,'](?=\d{3}(?!\d))/g, "");
}

function numbersIn(text: string): ReadonlySet<string> {
  const numbers = new Set<string>();
  const seen = new Set<string>();
  for (const [run] of text.normalize("NFKC").matchAll(/\d[\d.,'\u2019]*(?: \d{3}(?!\d)[\d.,'\u2019]*)*/g)) {
    if (seen.has(run)) continue;
    seen.add(run);
    const groups = run.split(" ");
    for (const [start, group] of groups.entries()) {
      addReadings(group, numbers);
      for (let end = start + 2; end <= Math.min(groups.length, start + SPACED_GROUPS_MAX); end++)
        addReadings(groups.slice(start, end).join(""), numbers);
    }
  }
  return numbers;
}

/** Adds what `1,234.50`, `1.234,50`, `1'234` or `12.5` may mean; `1,234` may mean two things. */
function addReadings(written: string, numbers: Set<string>): void {
  if (written.length > NUMBER_CHARACTERS_MAX) return;
  const text = written.replace(/[.,'\u2019]+$/, "");
  const groups = text.split(/[.,'\u2019]/);
  const grouped = groups.slice(1).every((group) => group.length === 3);
  if (grouped) add(groups.join(""), numbers);
  const last = groups.at(-1) ?? "";
  const beforeLast = groups.slice(1, -1).every((group) => group.length === 3);
  const lastMark = text[text.length - last.length - 1];
  const marks = text.replace(/\d/g, "");
  // The last mark is a decimal point only if it is not also the mark between thousands.
  const decimal = (lastMark === "." || lastMark === ",") && !marks.slice(0, -1).includes(lastMark);
  if (groups.length > 1 && decimal && beforeLast) add(`${groups.slice(0, -1).join("")}.${last}`, numbers);
}

function add(text: string, numbers: Set<string>): void {
  // `0117` is a code, not the number 117.
  if (/^0\d/.test(text)) return;
  numbers.add(text.includes(".") ? text.replace(/\.?0+$/, "") : text);
}

function magnitude(number: Decimal): string {
  return textOf({ digits: number.digits < 0n ? -number.digits : number.digits, scale: number.scale });
}
