/**
 * What may still be done about a charge: whether it can be disputed, and how much of it can be given back. Decided here,
 * with the charge's job locked; that nothing is given back twice is also a constraint of the database.
 */
import { min, type Nanos, subtract } from "../money.ts";

/** A charge as it stands. */
export interface StandingCharge {
  readonly charged: Nanos;
  /** Given back already. */
  readonly credited: Nanos;
  /** What its closed statement took off it: that was never paid. Nothing while the statement is to come. */
  readonly reduced: Nanos;
}

/** How a dispute can stand. Only the customer withdraws one; the operator decides the others. */
export const DISPUTE_STATES = ["open", "upheld", "credited", "withdrawn"] as const;
export type DisputeState = (typeof DISPUTE_STATES)[number];

/** More is asked for than there is: with the number that is. */
export interface TooMuch {
  readonly kind: "too_much";
  readonly atMost: Nanos;
}

export type Credit = { readonly kind: "credited"; readonly amount: Nanos } | TooMuch;

/** What of a charge its customer has paid or owes. */
export function leftOf({ charged, credited, reduced }: StandingCharge): Nanos {
  return subtract(subtract(charged, credited), reduced);
}

export type Opening =
  | { readonly kind: "opened"; readonly amount: Nanos }
  /** The window was open until then, ms since the epoch; null: the charge is earned, so it is longer ago than is known. */
  | { readonly kind: "window_over"; readonly untilMs: number | null }
  | TooMuch;

/**
 * Opens a dispute over a part of a charge, or over all that is left of it (null). The window ends with its last instant:
 * from then on the charge may be earned.
 */
export function openingOf(
  charge: StandingCharge & { readonly disputableUntilMs: number | null },
  asked: Nanos | null,
  nowMs: number,
): Opening {
  const { disputableUntilMs: untilMs } = charge;
  if (untilMs === null || nowMs >= untilMs) return { kind: "window_over", untilMs };
  const credit = creditOf(charge, asked);
  return credit.kind === "too_much" ? credit : { kind: "opened", amount: credit.amount };
}

/** Gives back a part of a charge, or all that is left of it (null). */
export function creditOf(charge: StandingCharge, asked: Nanos | null): Credit {
  const atMost = leftOf(charge);
  const amount = asked ?? atMost;
  return amount > 0n && amount <= atMost ? { kind: "credited", amount } : { kind: "too_much", atMost };
}

/**
 * Gives back what is disputed or a part of it, never more: what the customer did not ask for needs no dispute. Null: the
 * disputed amount, as far as it has not been given back meanwhile by credit notes of their own.
 */
export function creditInDispute(charge: StandingCharge, disputed: Nanos, asked: Nanos | null): Credit {
  const atMost = min(disputed, leftOf(charge));
  const amount = asked ?? atMost;
  return amount > 0n && amount <= atMost ? { kind: "credited", amount } : { kind: "too_much", atMost };
}
