/** The reference's arithmetic of prices and statements. It shares no line with core: whole millionths, rounded down. */
import type { RefPrice, RefTerms } from "./catalog.ts";

const MILLION = 1_000_000n;
const CENT = 10_000_000n;

function part(amount: bigint, millionths: number): bigint {
  return (amount * BigInt(millionths)) / MILLION;
}

function least(...amounts: readonly bigint[]): bigint {
  return amounts.reduce((low, each) => (each < low ? each : low));
}

function most(...amounts: readonly bigint[]): bigint {
  return amounts.reduce((high, each) => (each > high ? each : high));
}

export interface RefOutcome {
  readonly isWhole: boolean;
  /** Millionths. */
  readonly score: number;
  readonly value: bigint;
}

/** What a delivered outcome costs. */
export function refPrice(price: RefPrice, { isWhole, score, value }: RefOutcome): bigint {
  if (price.shape === "binary") return isWhole ? price.amount : 0n;
  if (price.shape === "value") return isWhole ? least(most(part(value, price.rate), price.min), price.max) : 0n;
  if (price.shape === "linear") return least(most(part(price.amount, score), price.floor), price.ceiling);
  const reached = price.bands.filter(([from]) => score >= from);
  return part(price.amount, reached.at(-1)?.[1] ?? 0);
}

/** The most that it can cost. */
export function refHold(price: RefPrice): bigint {
  if (price.shape === "binary") return price.amount;
  if (price.shape === "value") return price.max;
  if (price.shape === "linear") return least(most(price.amount, price.floor), price.ceiling);
  return most(...price.bands.map(([, share]) => part(price.amount, share)));
}

/** A charge on its statement, in the order in which charges were made. */
export interface RefLine {
  readonly type: string;
  readonly charged: bigint;
  /** Of it, by credit notes that were given before this statement. */
  readonly credited: bigint;
  readonly terms: RefTerms | null;
}

export interface RefStatement {
  readonly gross: bigint;
  readonly allowance: bigint;
  readonly bands: bigint;
  readonly discount: bigint;
  readonly fixedOwed: bigint;
  readonly fixedPrepaid: bigint;
  readonly credits: bigint;
  readonly commitment: bigint;
  readonly rounding: bigint;
  readonly due: bigint;
  /** What each line was reduced by, in their order. */
  readonly reductions: readonly bigint[];
}

/** A period of one customer, who pays in one way: `prepaid` decides where reductions go. */
export function refStatement(
  lines: readonly RefLine[],
  credits: { readonly ofPeriod: bigint; readonly ofEarlier: bigint },
  atEnd: RefTerms | null,
  isPrepaid: boolean,
): RefStatement {
  let [gross, allowance, bands, discount, net] = [0n, 0n, 0n, 0n, 0n];
  const reductions: bigint[] = [];
  for (const [at, line] of lines.entries()) {
    const sameType = (other: RefLine): boolean => other.type === line.type;
    const nth = lines.slice(0, at + 1).filter(sameType).length;
    const agreed = line.terms?.periods[line.type];
    const kept = line.charged - line.credited;
    const payable = agreed !== undefined && nth <= agreed.free ? 0n : kept;
    const reached = agreed?.byTotal === true ? lines.filter(sameType).length : nth;
    const band = agreed?.bands.filter(([from]) => from <= reached).at(-1)?.[1] ?? 1_000_000;
    const banded = part(payable, band);
    const paid = part(banded, 1_000_000 - (line.terms?.off ?? 0));
    gross += line.charged;
    allowance += kept - payable;
    bands += payable - banded;
    discount += banded - paid;
    net += paid + line.credited;
    reductions.push(kept - paid);
  }
  const fixed = least(atEnd?.offFixed ?? 0n, most(0n, net - credits.ofPeriod));
  const commitment = most(0n, (atEnd?.minimum ?? 0n) - (net - fixed));
  const given = credits.ofPeriod + credits.ofEarlier;
  const exact = commitment + (isPrepaid ? 0n : net - fixed - given);
  const due = wholeCents(exact);
  return {
    gross,
    allowance,
    bands,
    discount,
    fixedOwed: isPrepaid ? 0n : fixed,
    fixedPrepaid: isPrepaid ? fixed : 0n,
    credits: given,
    commitment,
    rounding: due - exact,
    due,
    reductions,
  };
}

/** The nearest cent; a half goes away from zero. */
function wholeCents(amount: bigint): bigint {
  const magnitude = amount < 0n ? -amount : amount;
  const below = (magnitude / CENT) * CENT;
  const cents = 2n * (magnitude - below) >= CENT ? below + CENT : below;
  return amount < 0n ? -cents : cents;
}
