/** What can be done in a world, and what may differ from one to the next. */
import type { Rate } from "@contingent/core/cost";
import type { Terms } from "@contingent/core/outcome-type";
import type { CallFailure, Fact, FactType } from "@contingent/core/job/facts";

type FactOf<T extends FactType> = Extract<Fact, { type: T }>;

/** What may be different from world to world. */
export interface Setting {
  readonly terms: Terms;
  readonly rates: readonly Rate[];
  readonly inputTokens: number;
  /** How long after a job is due the sweeper comes; null: not before the very end. */
  readonly sweepLagMs: number | null;
  /** Whether providers may charge for more than was reserved. */
  readonly overruns: boolean;
}

/** Something that somebody does. `who` picks one of the attempts so far; `share` says how much of something, 0 to 1. */
export interface Deed {
  readonly afterMs: number;
  readonly does:
    | "its turn"
    | "claim"
    | "answer"
    | "fail"
    | "judge"
    | "break"
    | "inquire"
    | "put off"
    | "reply"
    | "lose"
    | "cancel"
    | "accept"
    | "reject"
    | "wake"
    | "settle"
    | "repeat";
  readonly who: number;
  readonly share: number;
  readonly random: number;
  readonly stop: FactOf<"answered">["stop"];
  readonly failure: CallFailure;
  readonly decision: FactOf<"judged">["decision"];
  readonly yes: boolean;
}

export function must(holds: boolean, promise: string): void {
  if (!holds) throw new Error(`broken: ${promise}`);
}
