/**
 * The later truth of what an attempt cost. It replaces what was estimated or reported, whatever that does to the job's cost
 * cap: the cap decides what may still be spent, not what was. What a correction adds is no longer counted against the cap
 * but kept apart as the job's overrun, so that money that was free for other attempts in between stays well spent.
 */
import { min, type Nanos, subtract, ZERO } from "../money.ts";

/** The cost of an attempt that has ended and that a provider was asked for. */
export interface BookedCost {
  readonly state: "known" | "presumed";
  readonly cost: Nanos;
  /** What the attempt counts against its job's cap: the least that it was ever reserved or said to cost. */
  readonly counted: Nanos;
}

/** By how much a job's costs change. */
export interface CostMoves {
  readonly known: Nanos;
  readonly presumed: Nanos;
  readonly overrun: Nanos;
}

/** What a correction to this amount does to the costs of the attempt's job. A corrected cost is a known one. */
export function correctionMoves(booked: BookedCost, amount: Nanos): CostMoves {
  const { state, cost, counted } = booked;
  const overrun = subtract(amount, min(counted, amount));
  return {
    known: state === "known" ? subtract(amount, cost) : amount,
    presumed: state === "known" ? ZERO : subtract(ZERO, cost),
    overrun: subtract(overrun, subtract(cost, counted)),
  };
}
