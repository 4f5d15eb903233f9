/** What the operator takes for a model that is away: the same for every service that calls models. */
import type { Thresholds } from "@contingent/core/breaker/breaker";
import { nanos } from "@contingent/core/money";
import { integerSetting } from "./config.ts";

const CALLS_MAX = 100_000;
const BURNT_MAX_USD = 1_000_000;
const NANOS_OF_USD = 1_000_000_000n;

/** How many calls of a model within 5 s, or within a minute, say anything. */
export const breakerCallsMinSetting = integerSetting(1, CALLS_MAX).default(20).describe(`1 to ${CALLS_MAX}`);
/** How much money must have gone to calls that failed. */
export const breakerBurntMinUsdSetting = integerSetting(1, BURNT_MAX_USD).default(1).describe(`1 to ${BURNT_MAX_USD}`);
/** The share of the calls, or of the money, at which a breaker opens. */
export const breakerLostPercentSetting = integerSetting(1, 100).default(50).describe("1 to 100");

export function breakerThresholds(config: {
  readonly BREAKER_CALLS_MIN: number;
  readonly BREAKER_BURNT_MIN_USD: number;
  readonly BREAKER_LOST_PERCENT: number;
}): Thresholds {
  return {
    callsMin: config.BREAKER_CALLS_MIN,
    burntMin: nanos(BigInt(config.BREAKER_BURNT_MIN_USD) * NANOS_OF_USD),
    lostPercent: config.BREAKER_LOST_PERCENT,
  };
}
