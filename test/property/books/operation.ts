/** What can happen in a run. An operation is a few small numbers that are interpreted against what there is: so it shrinks. */
import fc from "fast-check";

/** How often each is tried. Where one has nothing to act on, another one is done. */
const WEIGHTS = {
  submit: 10,
  resubmit: 2,
  race: 2,
  deliver: 36,
  duplicate: 4,
  twins: 3,
  drop: 2,
  answer: 18,
  vanish: 1,
  sweep: 3,
  accept: 5,
  reject: 2,
  cancel: 1,
  advance: 6,
  topUp: 4,
  limit: 1,
  terms: 2,
  correct: 2,
  dispute: 4,
  resolve: 3,
  credit: 3,
  expire: 1,
  earn: 1,
  seal: 1,
  close: 5,
  pay: 2,
} as const;

export type OperationKind = keyof typeof WEIGHTS;

/** What becomes of the process that does it. */
export const FATES = ["lives", "dies_before", "dies_after", "repeats"] as const;
export type Fate = (typeof FATES)[number];

export interface Operation {
  readonly do: OperationKind;
  /** On which of those there are. */
  readonly at: number;
  /** In which of its ways. */
  readonly how: number;
  readonly fate: Fate;
}

const PICKS_MAX = 1_000;

const operation: fc.Arbitrary<Operation> = fc.record({
  do: fc.oneof(
    ...Object.entries(WEIGHTS).map(([kind, weight]) => ({
      weight,
      arbitrary: fc.constant(kind as OperationKind),
    })),
  ),
  at: fc.nat(PICKS_MAX),
  how: fc.nat(PICKS_MAX),
  fate: fc.oneof(
    { weight: 20, arbitrary: fc.constant("lives" as const) },
    { weight: 1, arbitrary: fc.constant("dies_before" as const) },
    { weight: 1, arbitrary: fc.constant("dies_after" as const) },
    { weight: 1, arbitrary: fc.constant("repeats" as const) },
  ),
});

/** The operations of a run: always the same ones for the same seed. */
export function operationsOf(seed: number, count: number): readonly Operation[] {
  return fc.sample(operation, { seed, numRuns: count });
}

/** The one that the number picks. */
export function pick<T>(from: readonly T[], number: number): T | undefined {
  return from[number % Math.max(1, from.length)];
}

/** Mostly one of the first, so that what was begun gets done; now and then any. */
export function pickEarly<T>(from: readonly T[], number: number): T | undefined {
  return pick(number % 4 === 0 ? from : from.slice(0, EARLY), number);
}

const EARLY = 3;

/** An operation in a few words. */
export function inWords({ do: kind, at, how, fate }: Operation): string {
  return `${kind}(${at}, ${how})${fate === "lives" ? "" : ` ${fate}`}`;
}
