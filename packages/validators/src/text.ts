/** Looking texts up in texts, in a time that depends on their length and never on what a model wrote. */
import type { Json } from "@contingent/core/json";

/** What is looked for by `indexOf`: long enough to be rare, and short enough to bound what a text of its likes costs. */
const BEGINNING_CHARACTERS = 32;

/** Makes of a text the form in which two of them are compared. */
export type Fold = (text: string) => string;

/**
 * `é` is `é` however it was composed, and in lower case where case is ignored. Each text is folded once, since many
 * values are held against the same one: ten thousand items against a long text would else take seconds.
 */
export function foldOnce(ignoreCase: boolean): Fold {
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const composed = text.normalize("NFC");
    const folded = ignoreCase ? composed.toLowerCase() : composed;
    known.set(text, folded);
    return folded;
  };
}

/**
 * Whether the needle occurs; as whole words: not as a part of a longer word or number (`5` does not occur in `2025`).
 * Nothing is said to contain the empty text.
 *
 * Knuth–Morris–Pratt: a look-up takes as long as the text is long, whatever the model wrote. `indexOf` alone takes
 * text × needle on `aaaa…`; on friendly text it is ten times as fast, so it skips to where a match may begin.
 */
export function occurs(text: string, needle: string, wholeWords: boolean): boolean {
  if (needle === "" || needle.length > text.length) return false;
  const borders = bordersOf(needle);
  const beginning = needle.slice(0, BEGINNING_CHARACTERS);
  let matched = 0;
  for (let index = 0; index < text.length; index++) {
    if (matched === 0) index = text.indexOf(beginning, index);
    if (index < 0) return false;
    const character = text.charCodeAt(index);
    while (matched > 0 && character !== needle.charCodeAt(matched)) matched = borders[matched - 1] ?? 0;
    if (character === needle.charCodeAt(matched)) matched += 1;
    if (matched < needle.length) continue;
    if (!wholeWords || standsAlone(text, index + 1 - needle.length, index + 1)) return true;
    matched = borders[matched - 1] ?? 0;
  }
  return false;
}

/** For each prefix of the needle, the length of its longest proper border. */
function bordersOf(needle: string): readonly number[] {
  const borders = [0];
  let length = 0;
  for (let index = 1; index < needle.length; index++) {
    while (length > 0 && needle.charCodeAt(index) !== needle.charCodeAt(length)) length = borders[length - 1] ?? 0;
    if (needle.charCodeAt(index) === needle.charCodeAt(length)) length += 1;
    borders.push(length);
  }
  return borders;
}

/** Whether no word runs across either end of `text[start, end)`. */
function standsAlone(text: string, start: number, end: number): boolean {
  const runsIn =
    WORD_AT_END.test(text.slice(Math.max(0, start - 2), start)) && WORD_AT_START.test(text.slice(start, start + 2));
  const runsOut =
    WORD_AT_END.test(text.slice(Math.max(0, end - 2), end)) && WORD_AT_START.test(text.slice(end, end + 2));
  return !runsIn && !runsOut;
}

const WORD_AT_START = /^[\p{L}\p{N}]/u;
const WORD_AT_END = /[\p{L}\p{N}]$/u;

/** The same text however it was typeset: compatibility forms, curly quotes, the kinds of dashes, spacing. */
export function plainlySet(text: string): string {
  return text
    .normalize("NFKC")
    .replace(/[\u2018\u2019\u02bc`\u00b4]/g, "'")
    .replace(/[\u201c\u201d\u201e]/g, '"')
    .replace(/[\u2010-\u2015\u2212]/g, "-")
    .replace(/\s+/g, " ")
    .trim();
}

/** The characters of a structure's texts and numbers, up to so many. */
export function charactersIn(root: Json | undefined, max: number): number {
  return textsIn(root, max).reduce((total, { length }) => total + length, 0);
}

/** The texts and numbers of a structure, in order, until there are more characters than wanted. */
export function textsIn(root: Json | undefined, charactersMax: number): readonly string[] {
  const texts: string[] = [];
  let characters = 0;
  const open: (Json | undefined)[] = [root];
  while (open.length > 0 && characters < charactersMax) {
    const value = open.pop();
    if (typeof value === "string" || typeof value === "number") {
      texts.push(String(value));
      characters += texts.at(-1)?.length ?? 0;
    } else if (typeof value === "object" && value !== null) {
      for (const child of Object.values<Json>(value).toReversed()) open.push(child);
    }
  }
  return texts;
}
