/** Compares two JSON values leaf by leaf. A leaf is a value without parts: also an empty list and an empty object. */
import { isJsonObject, type Json } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { LEAF_FINDINGS_MAX } from "../bounds.ts";
import { type Decimal, decimalOf, within } from "../decimal.ts";
import { finding, quote } from "../finding.ts";
import { join, segments } from "../pointer.ts";
import { type Fold, foldOnce } from "../text.ts";

/** Leaves that one check compares, counting those of a list without an order once for each item they are tried with. */
export const COMPARED_MAX = 100_000;
/** Items of a list without an order that found no equal: trying all pairs is quadratic. More are paired in their order. */
const PAIRED_MAX = 100;

/** Pointers, as far as they have not been walked yet. */
type Paths = readonly (readonly string[])[];

/** Where a comparison stands. */
interface Position {
  /** Written out as a pointer only for findings: that would be most of the work. */
  readonly parent: Position | null;
  readonly segment: string | number;
  readonly ignore: Paths;
  readonly unordered: Paths;
}

/** `agreeing` of `all` leaves. */
interface Tally {
  agreeing: number;
  all: number;
  /** For the leaves that differ, up to the bound; null: only counted, which is many times faster. */
  readonly findings: Finding[] | null;
  /** Whether one difference settles it. */
  readonly stopsAtDifference: boolean;
}

export interface ComparisonOptions {
  /** Where the compared value is in the answer. */
  readonly field: string;
  /** Pointers below it. */
  readonly ignore: readonly string[];
  readonly unordered: readonly string[];
  readonly tolerance: Decimal;
  readonly ignore_case: boolean;
  readonly extra: "differs" | "ignored";
  readonly reveal_expected: boolean;
}

export class Comparison {
  readonly #options: ComparisonOptions;
  readonly #fold: Fold;
  #compared = 0;

  constructor(options: ComparisonOptions) {
    this.#options = options;
    this.#fold = foldOnce(options.ignore_case);
  }

  /** Whether there was more to compare than one check may: what was found is not the whole then. */
  get isExhausted(): boolean {
    return this.#compared > COMPARED_MAX;
  }

  compare(
    expected: Json,
    actual: Json | undefined,
  ): { readonly agreeing: number; readonly all: number; readonly findings: readonly Finding[] } {
    const findings: Finding[] = [];
    const ignore = this.#options.ignore.map(segments);
    const root = { parent: null, segment: "", ignore, unordered: this.#options.unordered.map(segments) };
    const { agreeing, all } = this.#tally(expected, actual, root, { findings });
    return { agreeing, all, findings };
  }

  #tally(
    expected: Json,
    actual: Json | undefined,
    at: Position,
    { findings = null, stopsAtDifference = false }: Partial<Pick<Tally, "findings" | "stopsAtDifference">>,
  ): Tally {
    const tally: Tally = { agreeing: 0, all: 0, findings, stopsAtDifference };
    this.#visit(expected, actual, at, tally);
    return tally;
  }

  #visit(expected: Json, actual: Json | undefined, at: Position, tally: Tally): void {
    if (this.isExhausted || isIgnored(at) || (tally.stopsAtDifference && tally.agreeing < tally.all)) return;
    if (Array.isArray(expected) && Array.isArray(actual)) {
      const isUnordered = at.unordered.some((rest) => rest.length === 0);
      if (expected.length === 0) this.#visitEmpty(actual.length, tally);
      if (isUnordered) this.#visitUnordered(expected, actual, at, tally);
      else this.#visitInOrder(expected, actual, at, tally);
    } else if (isJsonObject(expected) && isJsonObject(actual)) this.#visitObjects(expected, actual, at, tally);
    else this.#visitLeaf(expected, actual, at, tally);
  }

  #visitObjects(
    expected: { readonly [name: string]: Json },
    actual: { readonly [name: string]: Json },
    at: Position,
    tally: Tally,
  ): void {
    const names = Object.keys(expected);
    if (names.length === 0) this.#visitEmpty(Object.keys(actual).length, tally);
    for (const name of names) {
      const value = expected[name];
      const other = Object.hasOwn(actual, name) ? actual[name] : undefined;
      if (value !== undefined) this.#visit(value, other, below(at, name, false), tally);
    }
    for (const [name, value] of Object.entries(actual))
      if (!Object.hasOwn(expected, name)) this.#unexpected(value, below(at, name, false), tally);
  }

  /** Nothing is expected, as a leaf: it agrees when nothing is there, or when it does not matter what is. */
  #visitEmpty(actualSize: number, tally: Tally): void {
    if (actualSize === 0 || this.#options.extra === "ignored") this.#agree(tally);
  }

  #visitInOrder(expected: readonly Json[], actual: readonly Json[], at: Position, tally: Tally): void {
    for (const [i, item] of expected.entries()) this.#visit(item, actual[i], below(at, i, true), tally);
    for (const [i, item] of actual.slice(expected.length).entries())
      this.#unexpected(item, below(at, expected.length + i, true), tally);
  }

  #visitUnordered(expected: readonly Json[], actual: readonly Json[], at: Position, tally: Tally): void {
    const partners = this.#partnersOf(expected, actual, at);
    const taken = new Set(partners.values());
    for (const [i, item] of expected.entries()) {
      const other = partners.get(i);
      this.#visit(item, other === undefined ? undefined : actual[other], below(at, other ?? "*", true), tally);
    }
    for (const [other, item] of actual.entries())
      if (!taken.has(other)) this.#unexpected(item, below(at, other, true), tally);
  }

  /**
   * Which actual item each expected one is held against: the same one, wherever it is; then the one in its place, if
   * they agree; then pair by pair those that have most in common. (The best pairing of all would take the cube of the
   * list's length, and differs only between items of which none is right.)
   */
  #partnersOf(expected: readonly Json[], actual: readonly Json[], at: Position): ReadonlyMap<number, number> {
    const partners = new Map<number, number>();
    const free = new Set(actual.keys());
    const pair = (i: number, other: number): void => {
      partners.set(i, other);
      free.delete(other);
    };
    const same = Map.groupBy(actual.keys(), (other) => this.#textOf(actual[other] ?? null, below(at, other, true)));
    for (const [i, item] of expected.entries()) {
      const other = same.get(this.#textOf(item, below(at, i, true)))?.shift();
      if (other !== undefined) pair(i, other);
    }
    const tallyOf = (i: number, other: number, stopsAtDifference: boolean): Tally =>
      this.#tally(expected[i] ?? null, actual[other], below(at, other, true), { stopsAtDifference });
    for (const i of expected.keys()) {
      if (partners.has(i) || !free.has(i)) continue;
      const { agreeing, all } = tallyOf(i, i, true);
      if (agreeing === all) pair(i, i);
    }
    const left = [...expected.keys()].filter((i) => !partners.has(i));
    const pairs =
      left.length > PAIRED_MAX || free.size > PAIRED_MAX
        ? [...free].flatMap((other, k) => left.slice(k, k + 1).map((i) => ({ i, other, agreeing: 1 })))
        : left.flatMap((i) => [...free].map((other) => ({ i, other, agreeing: tallyOf(i, other, false).agreeing })));
    const best = pairs.filter(({ agreeing }) => agreeing > 0).toSorted((a, b) => b.agreeing - a.agreeing);
    for (const { i, other } of best) if (!partners.has(i) && free.has(other)) pair(i, other);
    return partners;
  }

  /** The same for two values that agree for certain: what is ignored is left out, and names are in order. */
  #textOf(value: Json, at: Position): string {
    if (isIgnored(at)) return "";
    if (typeof value === "string") return JSON.stringify(this.#fold(value));
    if (typeof value !== "object" || value === null) return String(value);
    const isList = Array.isArray(value);
    const parts = Object.entries<Json>(value).map(([name, each]) => {
      const text = this.#textOf(each, below(at, name, isList));
      return isList ? text : `${JSON.stringify(name)}:${text}`;
    });
    return isList ? `[${parts.join(",")}]` : `{${parts.toSorted().join(",")}}`;
  }

  #visitLeaf(expected: Json, actual: Json | undefined, at: Position, tally: Tally): void {
    if (actual !== undefined && this.#isSameLeaf(expected, actual)) return this.#agree(tally);
    const size = this.#leavesIn(expected, at);
    if (size === 0) return;
    tally.all += size;
    if (tally.findings === null) return;
    const wanted = this.#options.reveal_expected ? `must be ${quote(expected)}` : "must be another value";
    if (actual === undefined) this.#note(tally, at, "missing", `This ${wanted}, and is missing.`);
    else this.#note(tally, at, "differs", `This ${wanted}, and is ${quote(actual)}.`);
  }

  #unexpected(value: Json, at: Position, tally: Tally): void {
    if (this.#options.extra === "ignored") return;
    const size = this.#leavesIn(value, at);
    if (size === 0) return;
    tally.all += size;
    this.#note(tally, at, "unexpected", `There must be nothing here, and there is ${quote(value)}.`);
  }

  #isSameLeaf(expected: Json, actual: Json): boolean {
    if (expected === actual) return true;
    if (typeof expected === "number" && typeof actual === "number") {
      const [left, right] = [decimalOf(expected), decimalOf(actual)];
      return left !== null && right !== null && within(left, right, this.#options.tolerance);
    }
    if (typeof expected === "string" && typeof actual === "string") return this.#fold(expected) === this.#fold(actual);
    return false;
  }

  /** How many leaves a value has that count: what a difference of the whole value weighs. */
  #leavesIn(value: Json, at: Position): number {
    if (this.isExhausted || isIgnored(at)) return 0;
    const isList = Array.isArray(value);
    const entries = typeof value === "object" && value !== null ? Object.entries<Json>(value) : [];
    if (entries.length === 0) {
      this.#compared += 1;
      return 1;
    }
    return entries.reduce((sum, [name, each]) => sum + this.#leavesIn(each, below(at, name, isList)), 0);
  }

  #note(tally: Tally, at: Position, code: string, message: string): void {
    if (tally.findings === null || tally.findings.length >= LEAF_FINDINGS_MAX) return;
    tally.findings.push(finding(pathOf(at, this.#options.field), code, message, "Read the request again."));
  }

  #agree(tally: Tally): void {
    this.#compared += 1;
    tally.agreeing += 1;
    tally.all += 1;
  }
}

function isIgnored({ ignore }: Position): boolean {
  return ignore.some((rest) => rest.length === 0);
}

function pathOf(at: Position, root: string): string {
  return at.parent === null ? root : join(pathOf(at.parent, root), at.segment);
}

function below(parent: Position, segment: string | number, isList: boolean): Position {
  const ignore = walk(parent.ignore, segment, isList);
  return { parent, segment, ignore, unordered: walk(parent.unordered, segment, isList) };
}

function walk(paths: Paths, segment: string | number, isList: boolean): Paths {
  if (paths.length === 0) return paths;
  const name = String(segment);
  return paths.filter(([first]) => first === name || (isList && first === "*")).map((rest) => rest.slice(1));
}
