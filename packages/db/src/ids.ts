import { encodeTime, monotonicFactory } from "ulid";
import type { Id, IdPrefix } from "@contingent/core/ids";

const next = monotonicFactory();

/** A new id: the prefix and a time-sorted 26-character body, strictly ascending within a process. */
export function newId<P extends IdPrefix>(prefix: P): Id<P> {
  return `${prefix}_${next().toLowerCase()}`;
}

/** What every id sorts after that was made at this instant or later, by the clock of whoever made it. */
export function idAt(prefix: IdPrefix, instantMs: number): string {
  return `${prefix}_${encodeTime(Math.floor(instantMs)).toLowerCase()}`;
}
