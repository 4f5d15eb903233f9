/**
 * Answers without content. Judges were shown to let through what merely looks like the beginning of an answer (a colon,
 * "Thought process:", "Solution": up to 80–90 % false accepts, arXiv 2507.08794), or what says of itself that it is
 * right. Such an answer fails before a judge is asked.
 */
import { isJsonObject, type Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { VALUES_MAX } from "../bounds.ts";
import { finding } from "../finding.ts";
import type { Criterion } from "./options.ts";

/** Words that announce an answer. A text that has no other words announces one and does not give it. */
const ANNOUNCING = new Set(
  (
    "a an and answer answering below begin by carefully certainly course final first following follows for go here i i'll in is it let " +
    "let's lets me my of ok okay our output please problem process provide reason reasoning response result sentence so solution solve solving " +
    "step steps sure task the then think thinking this thought thoughts to us we will with you your analysis explanation conclusion " +
    "answers solutions now below as expected required requested complete completed done " +
    "antwort lösung ergebnis respuesta solución réponse solution risposta soluzione resposta 解 解答 答案 答 解决方案 思考过程 回答 かいせつ 解説 해답 풀이"
  ).split(" "),
);

/** What an answer may not say of itself: it is for the judge to say. */
const SELF_PRAISE = [
  /\b(?:verdict|judge?ment|decision|grade|rating|status|result)\b\W{0,5}(?:is\W{0,3})?(?:pass(?:ed)?|correct|accept(?:ed)?|success(?:ful)?|perfect)\b/giu,
  /\bscore\b\W{0,5}(?:is\W{0,3})?(?:1(?:\.0)?\b|10\s?\/\s?10|100\s?%?|perfect)/giu,
  /\b(?:all|every|each)(?: of)?(?: the)? criteri(?:a|on)(?: (?:is|are|have been|has been|was|were))?(?: fully)? (?:met|satisfied|fulfilled)\b/giu,
  /\b(?:this|the|my) (?:answer|solution|output|response) (?:is|meets|satisfies|fulfils|passes)(?: (?:fully|completely|entirely))?(?: (?:correct|right|perfect|complete|valid|accurate|and|meets|satisfies|all|every|each|the|of|criteria|criterion|requirements?|rubric))+\b/giu,
  /\b(?:ignore|disregard)(?: all| any)?(?: of)?(?: the| your)?(?: previous| prior| above)? (?:instructions?|criteria|rubric)\b/giu,
];

/** Shorter texts are words that a rubric and an answer may well share. */
const QUOTE_CHARACTERS_MIN = 12;
/** A longer text than this has content: it is not taken apart. */
const CHARACTERS_MAX = 4_000;

/** Why there is nothing to judge; null: there is. */
export function hollowness(output: Json, rubric: readonly Criterion[]): Finding | null {
  const texts = textsOf(output);
  if (texts === null) return null;
  const blank = texts.every((text) => wordsOf(text).length === 0);
  if (blank) return finding("", "empty_answer", "The answer has no content.", "Give the answer itself.");
  const quotes = rubric.map(({ criterion }) => plain(criterion)).filter((text) => text.length >= QUOTE_CHARACTERS_MIN);
  if (!texts.every((text) => isHollow(text, quotes))) return null;
  return finding(
    "",
    "hollow_answer",
    "The answer announces or praises an answer, or repeats the criteria, and does not give one.",
    "Give the answer itself.",
  );
}

/** Every text of an answer that has nothing else in it; null: a number, a yes or no, or more text than is taken apart. */
function textsOf(root: Json): readonly string[] | null {
  const texts: string[] = [];
  const open: Json[] = [root];
  let characters = 0;
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (typeof value === "number" || typeof value === "boolean") return null;
    if (typeof value === "string") {
      texts.push(value);
      characters += value.trim().length;
    } else if (Array.isArray(value)) for (const item of value as readonly Json[]) open.push(item);
    else if (isJsonObject(value)) for (const item of Object.values(value)) open.push(item);
    if (characters > CHARACTERS_MAX || texts.length > VALUES_MAX) return null;
  }
  return texts;
}

function isHollow(text: string, quotes: readonly string[]): boolean {
  const own = SELF_PRAISE.reduce((rest, praise) => rest.replace(praise, " "), text.normalize("NFKC"));
  const said = quotes.reduce((rest, quote) => rest.replaceAll(quote, " "), plain(own));
  return wordsOf(said).every((word) => ANNOUNCING.has(word));
}

/** Words only: what differs in case, marks and spaces is the same text. */
function plain(text: string): string {
  return wordsOf(text).join(" ");
}

function wordsOf(text: string): readonly string[] {
  return (
    text
      .normalize("NFKC")
      .toLowerCase()
      .replaceAll("’", "'")
      .match(/[\p{L}\p{N}]+(?:'\p{L}+)?/gu) ?? []
  );
}
