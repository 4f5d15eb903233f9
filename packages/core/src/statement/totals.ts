/** What a statement's lines come to. Every form of a statement adds its lines up here, and so does its closing. */
import type { Billing } from "../books/funding.ts";
import { add, max, min, type Nanos, subtract, ZERO } from "../money.ts";
import type { CustomerTerms } from "../pricing/rating/customer-terms.ts";
import { rateStatement, roundToMinorUnit } from "../pricing/rating/rate-statement.ts";
import type { StatementLine } from "./lines.ts";

/** An amount by how it was paid for: owed, or taken from prepaid money. */
export interface Split {
  readonly onAccount: Nanos;
  readonly prepaid: Nanos;
}

export const NOTHING: Split = { onAccount: ZERO, prepaid: ZERO };

export function whole(split: Split): Nanos {
  return add(split.onAccount, split.prepaid);
}

/** What one outcome type's lines come to. */
export interface TypeTally {
  readonly billed: number;
  readonly unbilled: number;
  readonly gross: Nanos;
  readonly reductions: Nanos;
  readonly credits: Nanos;
}

/** Sums over lines. Grows by one entry per outcome type and by nothing else, however many lines there are. */
export interface Tally {
  readonly billed: number;
  readonly unbilled: number;
  readonly credits: number;
  readonly gross: Split;
  readonly allowance: Split;
  readonly bands: Split;
  readonly discount: Split;
  readonly net: Split;
  readonly creditsOfPeriod: Split;
  readonly creditsOfEarlierPeriods: Split;
  readonly outcomeTypes: ReadonlyMap<string, TypeTally>;
}

export const EMPTY_TALLY: Tally = {
  billed: 0,
  unbilled: 0,
  credits: 0,
  gross: NOTHING,
  allowance: NOTHING,
  bands: NOTHING,
  discount: NOTHING,
  net: NOTHING,
  creditsOfPeriod: NOTHING,
  creditsOfEarlierPeriods: NOTHING,
  outcomeTypes: new Map(),
};

const NO_LINES: TypeTally = { billed: 0, unbilled: 0, gross: ZERO, reductions: ZERO, credits: ZERO };

/** The sums with more lines added. */
export function tallied(before: Tally, lines: readonly StatementLine[]): Tally {
  const outcomeTypes = new Map(before.outcomeTypes);
  let tally = before;
  for (const line of lines) {
    tally = withLine(tally, line);
    outcomeTypes.set(line.outcomeType, typeWithLine(outcomeTypes.get(line.outcomeType) ?? NO_LINES, line));
  }
  return { ...tally, outcomeTypes };
}

function withLine(tally: Tally, line: StatementLine): Tally {
  if (line.kind === "credit") {
    const which = line.ofPeriod ? "creditsOfPeriod" : "creditsOfEarlierPeriods";
    return { ...tally, credits: tally.credits + 1, [which]: plus(tally[which], line.amount, line.billing) };
  }
  const { charge } = line;
  if (charge === null) return { ...tally, unbilled: tally.unbilled + 1 };
  const { billing } = charge;
  return {
    ...tally,
    billed: tally.billed + 1,
    gross: plus(tally.gross, charge.amount, billing),
    allowance: plus(tally.allowance, line.allowance, billing),
    bands: plus(tally.bands, line.bands, billing),
    discount: plus(tally.discount, line.discount, billing),
    net: plus(tally.net, line.net, billing),
  };
}

function typeWithLine(tally: TypeTally, line: StatementLine): TypeTally {
  if (line.kind === "credit") return { ...tally, credits: add(tally.credits, line.amount) };
  const { charge } = line;
  if (charge === null) return { ...tally, unbilled: tally.unbilled + 1 };
  return {
    ...tally,
    billed: tally.billed + 1,
    gross: add(tally.gross, charge.amount),
    reductions: add(tally.reductions, subtract(charge.amount, line.net)),
  };
}

function plus(split: Split, amount: Nanos, billing: Billing): Split {
  const which = billing === "prepaid" ? "prepaid" : "onAccount";
  return { ...split, [which]: add(split[which], amount) };
}

/** A statement in figures: `gross − allowance − bands − discount − fixedDiscount − credits + commitment` is its total. */
export interface StatementTotals {
  readonly linesBilled: number;
  readonly linesUnbilled: number;
  readonly linesCredits: number;
  readonly gross: Split;
  readonly allowance: Split;
  readonly bands: Split;
  readonly discount: Split;
  readonly fixedDiscount: Split;
  readonly credits: Split;
  /** What is missing to the minimum. Owed, however the rest was paid for. */
  readonly commitment: Nanos;
  /** What rounding adds to what is owed; prepaid money is exact. */
  readonly rounding: Nanos;
  /** Whole cents. Negative: the operator owes it. */
  readonly amountDue: Nanos;
  readonly outcomeTypes: ReadonlyMap<string, TypeTally>;
}

/** The statement that lines come to, by the terms in force at the period's end (null: nothing was agreed). */
export function statementTotals(
  tally: Tally,
  terms: Pick<CustomerTerms, "discountFixed" | "commitmentMinimum"> | null,
): StatementTotals {
  const { net, creditsOfPeriod, creditsOfEarlierPeriods } = tally;
  const rated = rateStatement(terms ?? { discountFixed: ZERO, commitmentMinimum: ZERO }, {
    net: whole(net),
    creditsOfPeriod: whole(creditsOfPeriod),
    creditsOfEarlierPeriods: whole(creditsOfEarlierPeriods),
  });
  // Off what is owed first: nobody wants prepaid money back for what they still have to pay.
  const owed = min(rated.fixedDiscount, max(ZERO, subtract(net.onAccount, creditsOfPeriod.onAccount)));
  const fixedDiscount = { onAccount: owed, prepaid: subtract(rated.fixedDiscount, owed) };
  const credits = together(creditsOfPeriod, creditsOfEarlierPeriods);
  const exact = subtract(
    add(subtract(net.onAccount, fixedDiscount.onAccount), rated.commitmentTrueUp),
    credits.onAccount,
  );
  const { rounded, rounding } = roundToMinorUnit(exact);
  const { gross, allowance, bands, discount, outcomeTypes } = tally;
  return {
    linesBilled: tally.billed,
    linesUnbilled: tally.unbilled,
    linesCredits: tally.credits,
    gross,
    allowance,
    bands,
    discount,
    fixedDiscount,
    credits,
    commitment: rated.commitmentTrueUp,
    rounding,
    amountDue: rounded,
    outcomeTypes,
  };
}

function together(left: Split, right: Split): Split {
  return { onAccount: add(left.onAccount, right.onAccount), prepaid: add(left.prepaid, right.prepaid) };
}

/** What the period came to before rounding, however it was paid for. */
export function exactTotal(totals: StatementTotals): Nanos {
  return add(subtract(totals.amountDue, totals.rounding), paidFromPrepaid(totals));
}

/** What of it prepaid money has paid: charges, less what came back. */
export function paidFromPrepaid(totals: StatementTotals): Nanos {
  const { gross, allowance, bands, discount, fixedDiscount, credits } = totals;
  const back = [allowance, bands, discount, fixedDiscount, credits].map((split) => split.prepaid);
  return back.reduce((left, each) => subtract(left, each), gross.prepaid);
}
