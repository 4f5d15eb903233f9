/**
 * What is sold in these runs, in the reference's own words: shares in millionths, times in half hours. Whatever begins
 * does so at an odd half hour and lasts an odd number of them, so that nothing ends within the minutes that a run takes:
 * the two sides never disagree about what is over.
 */
import { FAST } from "@contingent/core/job/job.fixture";
import { nanos } from "@contingent/core/money";
import type { Terms } from "@contingent/core/outcome-type";
import type { PriceTerms } from "@contingent/core/pricing/price";
import type { CustomerTerms } from "@contingent/core/pricing/rating/customer-terms";

export const HALF_HOUR_MS = 1_800_000;
const MILLION = 1_000_000;

export type RefPrice =
  | { readonly shape: "binary"; readonly amount: bigint }
  /** From a score on, a share of the amount. */
  | { readonly shape: "tiered"; readonly amount: bigint; readonly bands: readonly (readonly [number, number])[] }
  | { readonly shape: "linear"; readonly amount: bigint; readonly floor: bigint; readonly ceiling: bigint }
  | { readonly shape: "value"; readonly rate: number; readonly min: bigint; readonly max: bigint };

export interface SoldType {
  readonly name: string;
  readonly price: RefPrice;
  /** Null: an outcome is the customer's at once. */
  readonly acceptance: { readonly lasts: number; readonly silenceAccepts: boolean } | null;
  readonly rework: boolean;
  readonly deadline: number;
  readonly disputable: number;
  /** What a verdict costs. */
  readonly judging: bigint;
}

/** Amounts that no share divides evenly: every rounding shows. */
export const SOLD: readonly [SoldType, ...SoldType[]] = [
  {
    name: "letters",
    price: {
      shape: "tiered",
      amount: 1_003_000_007n,
      bands: [
        [500_000, 600_000],
        [900_000, 1_000_000],
      ],
    },
    acceptance: null,
    rework: false,
    deadline: 49,
    disputable: 401,
    judging: 0n,
  },
  {
    name: "invoices",
    price: { shape: "binary", amount: 747_000_011n },
    acceptance: { lasts: 13, silenceAccepts: true },
    rework: true,
    deadline: 97,
    disputable: 1_441,
    judging: 0n,
  },
  {
    name: "claims",
    price: { shape: "value", rate: 20_000, min: 110_000_003n, max: 1_900_000_001n },
    acceptance: { lasts: 49, silenceAccepts: false },
    rework: true,
    deadline: 145,
    disputable: 0,
    judging: 70n,
  },
  {
    name: "essays",
    price: { shape: "linear", amount: 999_999_999n, floor: 310_000_007n, ceiling: 960_000_001n },
    acceptance: null,
    rework: false,
    deadline: 13,
    disputable: 49,
    judging: 0n,
  },
];

/** What one customer has agreed; shares in millionths. */
export interface RefTerms {
  readonly prices: Readonly<Record<string, RefPrice>>;
  readonly periods: Readonly<
    Record<
      string,
      {
        readonly free: number;
        readonly byTotal: boolean;
        /** From the n-th outcome on, the share that is paid. */
        readonly bands: readonly (readonly [number, number])[];
      }
    >
  >;
  readonly off: number;
  readonly offFixed: bigint;
  readonly minimum: bigint;
}

export const AGREED: readonly [RefTerms, ...RefTerms[]] = [
  {
    prices: {},
    periods: {
      letters: {
        free: 1,
        byTotal: false,
        bands: [
          [2, 800_000],
          [4, 500_001],
        ],
      },
      invoices: {
        free: 0,
        byTotal: true,
        bands: [
          [1, 950_000],
          [2, 900_000],
        ],
      },
    },
    off: 33_333,
    offFixed: 50_000_000n,
    minimum: 0n,
  },
  {
    prices: { essays: { shape: "binary", amount: 401_000_003n } },
    periods: {},
    off: 0,
    offFixed: 2_000_000_000n,
    minimum: 3_000_000_000n,
  },
  { prices: {}, periods: {}, off: 0, offFixed: 0n, minimum: 0n },
];

/** The same in core's words. */
export function corePrice(price: RefPrice): PriceTerms {
  switch (price.shape) {
    case "binary":
      return { shape: "binary", amount: nanos(price.amount) };
    case "tiered":
      return {
        shape: "tiered",
        amount: nanos(price.amount),
        bands: price.bands.map(([from, share]) => ({ fromScore: from / MILLION, fraction: share / MILLION })),
      };
    case "linear":
      return {
        shape: "linear",
        amount: nanos(price.amount),
        floor: nanos(price.floor),
        ceiling: nanos(price.ceiling),
      };
    case "value":
      return {
        shape: "value",
        rate: price.rate / MILLION,
        path: "/recovered",
        min: nanos(price.min),
        max: nanos(price.max),
      };
  }
}

/** One tier that may be tried three times, without pauses: the cascade has tests of its own. */
export const ATTEMPTS_MAX = 3;
export const LEASE = 3;

export function coreTerms(type: SoldType): Partial<Terms> {
  const { acceptance } = type;
  const retry = { initialDelayMs: 0, multiplier: 1, jitter: 0, delayMaxMs: 0 };
  return {
    cascade: [
      {
        ...FAST,
        models: ["small"],
        attemptsMax: ATTEMPTS_MAX,
        retry,
        timeoutMs: LEASE * HALF_HOUR_MS,
        timeNeededMs: 0,
        successAt: null,
      },
    ],
    attemptsMax: ATTEMPTS_MAX,
    price: corePrice(type.price),
    acceptance:
      acceptance === null
        ? { mode: "automatic" }
        : {
            mode: "window",
            durationMs: acceptance.lasts * HALF_HOUR_MS,
            onSilence: acceptance.silenceAccepts ? "accept" : "release",
          },
    rework: type.rework,
    deadlineMs: type.deadline * HALF_HOUR_MS,
    disputeWindowMs: type.disputable * HALF_HOUR_MS,
    validation: type.judging === 0n ? null : { provider: "judges", name: "court", cost: nanos(type.judging) },
  };
}

export function coreAgreement(terms: RefTerms): CustomerTerms {
  const periods = Object.entries(terms.periods).map(([name, { free, byTotal, bands }]) => {
    const coreBands = bands.map(([fromOutcome, share]) => ({ fromOutcome, fraction: share / MILLION }));
    const mode = byTotal ? ("volume" as const) : ("graduated" as const);
    return [name, { allowance: free, bands: bands.length === 0 ? null : { mode, bands: coreBands } }] as const;
  });
  return {
    prices: Object.fromEntries(Object.entries(terms.prices).map(([name, price]) => [name, corePrice(price)])),
    outcomeTypes: Object.fromEntries(periods),
    discountShare: terms.off / MILLION,
    discountFixed: nanos(terms.offFixed),
    commitmentMinimum: nanos(terms.minimum),
  };
}
