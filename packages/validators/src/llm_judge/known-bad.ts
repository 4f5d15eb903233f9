/**
 * Answers known to be bad, made by rule from the very answer that is judged, so that a judge cannot tell them by their
 * form: the same fields and as many items, with other values in some of them.
 */
import { canonicalJson, isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { VALUES_MAX } from "../bounds.ts";
import { draw, shuffled } from "./draw.ts";

export interface KnownBad {
  /** What was done to it; `given`: the operator wrote it. */
  readonly kind: string;
  readonly output: Json;
}

/** Half of the values and at least two, but no more than twenty: a slip in one of them might not matter. */
const SHARE = 0.5;
const CHANGES_MIN = 2;
const CHANGES_MAX = 20;
/** What a model says about itself, or to explain itself: other values there do not make an answer bad. */
const ASIDE = /(?:^|[_-])(?:confidence|certainty|probability|explanations?|reasons?|reasoning|comments?|notes?)$/i;

/** A value in the answer: the names and indexes that lead to it. */
interface Leaf {
  readonly path: readonly (string | number)[];
  readonly value: Json;
  readonly schema: Json | undefined;
}

interface Change {
  readonly kind: string;
  readonly value: Json;
}

/**
 * A bad answer; null: this one offers no room to make it bad.
 * @param given answers that the operator knows to be bad: one of them is taken, if there are any
 */
export function knownBad(output: Json, schema: JsonObject, given: readonly Json[], seed: string): KnownBad | null {
  const chosen = given[Math.floor(draw(seed, "known bad") * given.length)];
  if (chosen !== undefined) return { kind: "given", output: chosen };
  const found = leavesIn(output, schema);
  const central = found.filter(({ path }) => !path.some((name) => ASIDE.test(String(name))));
  const leaves = central.length === 0 ? found : central;
  const wanted = Math.min(CHANGES_MAX, Math.max(CHANGES_MIN, Math.ceil(leaves.length * SHARE)));
  const kinds: string[] = [];
  let bad = output;
  for (const leaf of shuffled(leaves, seed, "which")) {
    if (kinds.length >= wanted) break;
    const change = changeOf(leaf, leaves, draw(seed, "how", leaf.path.join("/")));
    if (change === null) continue;
    kinds.push(change.kind);
    bad = withValue(bad, leaf.path, change.value);
  }
  if (canonicalJson(bad) === canonicalJson(output)) return null;
  return { kind: [...new Set(kinds)].toSorted().join(" "), output: bad };
}

function leavesIn(root: Json, schema: JsonObject): readonly Leaf[] {
  const leaves: Leaf[] = [];
  const open: Leaf[] = [{ path: [], value: root, schema }];
  for (let at = open.pop(); at !== undefined && leaves.length < VALUES_MAX; at = open.pop()) {
    const { path, value, schema: known } = at;
    const within = isJsonObject(known) ? known : {};
    if (Array.isArray(value)) {
      const items: readonly Json[] = value;
      for (const [i, item] of items.entries()) open.push({ path: [...path, i], value: item, schema: within["items"] });
    } else if (isJsonObject(value)) {
      const properties = isJsonObject(within["properties"]) ? within["properties"] : {};
      for (const [name, item] of Object.entries(value))
        open.push({ path: [...path, name], value: item, schema: properties[name] });
    } else if (value !== null) leaves.push(at);
  }
  return leaves;
}

/** Another value of the same form. The ones that a judge could tell by their looks come last. */
function changeOf(leaf: Leaf, others: readonly Leaf[], luck: number): Change | null {
  const { value, schema } = leaf;
  const listed = isJsonObject(schema) && Array.isArray(schema["enum"]) ? (schema["enum"] as readonly Json[]) : [];
  const allowed = listed.filter((one) => one !== value && one !== null);
  const another = allowed[Math.floor(luck * allowed.length)];
  if (another !== undefined) return { kind: "mistaken", value: another };
  if (typeof value === "boolean") return { kind: "flipped", value: !value };
  if (typeof value === "number") return { kind: "off_by_one", value: offByOne(value) };
  if (typeof value !== "string" || value === "") return null;
  if (/\d/.test(value) && value.length <= 40) return { kind: "off_by_one", value: withOtherDigit(value) };
  return twisted(value) ?? swapped(leaf, others, luck) ?? { kind: "shortened", value: shortened(value) };
}

/** A whole one more or less: 17.5 becomes 16.5, which no rounding explains. */
function offByOne(value: number): number {
  const next = value > 1 && Math.floor(Math.abs(value)) % 2 === 1 ? value - 1 : value + 1;
  return next === value ? value / 2 : Number(next.toFixed(9));
}

/** The last digit moved by one, so that a date stays a date. */
function withOtherDigit(text: string): string {
  return text.replace(/\d(?=\D*$)/, (digit) => String(digit > "1" ? Number(digit) - 1 : Number(digit) + 1));
}

/** What turns the sense of code or a sentence around. */
const TWISTS: readonly (readonly [RegExp, string])[] = [
  [/ === /g, " !== "],
  [/ >= /g, " < "],
  [/ <= /g, " > "],
  [/ && /g, " || "],
  [/ \+ /g, " - "],
  [/\btrue\b/g, "false"],
  [/\b(is|are|was|were|can|will|must|does) not\b/g, "$1"],
  [/\b(is|are|was|were|can|will|must)\b(?! not)/g, "$1 not"],
];

function twisted(text: string): Change | null {
  const other = TWISTS.map(([found, instead]) => text.replace(found, instead)).find((one) => one !== text);
  return other === undefined ? null : { kind: "twisted", value: other };
}

/** The text of another field of the same object or list. */
function swapped(leaf: Leaf, others: readonly Leaf[], luck: number): Change | null {
  const parent = leaf.path.slice(0, -1).join("/");
  const texts = others.filter(
    ({ path, value }) =>
      typeof value === "string" &&
      value.trim() !== "" &&
      value !== leaf.value &&
      path.slice(0, -1).join("/") === parent,
  );
  const other = texts[Math.floor(luck * texts.length)];
  return other === undefined ? null : { kind: "swapped", value: other.value };
}

/** Without its second half; of a word, without anything. */
function shortened(text: string): string {
  const words = text.split(/(?<=\s)/);
  return words
    .slice(0, Math.floor(words.length / 2))
    .join("")
    .trimEnd();
}

function withValue(root: Json, path: readonly (string | number)[], value: Json): Json {
  const [first, ...rest] = path;
  if (first === undefined) return value;
  if (Array.isArray(root)) {
    const items: readonly Json[] = root;
    return items.map((item, i) => (i === first ? withValue(item, rest, value) : item));
  }
  if (!isJsonObject(root)) return root;
  return Object.fromEntries(
    Object.entries(root).map(([name, item]) => [name, name === first ? withValue(item, rest, value) : item]),
  );
}
