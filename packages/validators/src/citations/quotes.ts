/** What a quote is, and when a source has it. */
import type { Json } from "@contingent/core/json";
import { occurs, plainlySet, textsIn } from "../text.ts";

/** Characters of the source that are searched. Inputs are bounded to 256 kB when they are accepted. */
const SOURCE_CHARACTERS_MAX = 1_048_576;

/** Every mark ends the look for its partner, so that a text of nothing but opening marks takes no longer than another. */
const QUOTED = /"([^"]+)"|“([^“”]+)”|„([^„“”]+)[“”]|«([^«»]+)»|「([^「」]+)」/g;

/** Scripts that put no spaces between words: each of their characters counts as one, and no quote cuts a word. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}]/u;
const WORD = new RegExp(`${UNSPACED.source}|[\\p{L}\\p{N}]+`, "gu");

/** What stands between quotation marks in a text, up to so many. */
export function quotedIn(text: string, max: number): readonly string[] {
  const found: string[] = [];
  for (const match of text.matchAll(QUOTED)) {
    if (found.length >= max) break;
    found.push(match.slice(1).find((group) => group !== undefined) ?? "");
  }
  return found;
}

export function wordsIn(text: string): number {
  return text.match(WORD)?.length ?? 0;
}

/** The texts of a source, in the form in which quotes are looked up. No quote runs across the line ends between them. */
export function sourceText(source: Json | undefined, ignoreCase: boolean): string {
  return textsIn(source, SOURCE_CHARACTERS_MAX)
    .map((text) => comparable(text, ignoreCase))
    .join("\n");
}

/** Whether a source has the quote, from word to word. The mark that ends the quoting sentence may stand inside the quote. */
export function isQuoted(text: string, source: string, ignoreCase: boolean): boolean {
  const wanted = comparable(text, ignoreCase).replace(/[.,;:]$/, "");
  return occurs(source, wanted, !UNSPACED.test(wanted));
}

function comparable(text: string, ignoreCase: boolean): string {
  const set = plainlySet(text);
  return ignoreCase ? set.toLowerCase() : set;
}
