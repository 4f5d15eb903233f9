import { THRESHOLDS } from "@contingent/core/breaker/breaker";
import { nanos } from "@contingent/core/money";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  breakerBurntMinUsdSetting,
  breakerCallsMinSetting,
  breakerLostPercentSetting,
  breakerThresholds,
} from "./breaker-settings.ts";
import { readConfig } from "./config.ts";

const schema = z.object({
  BREAKER_CALLS_MIN: breakerCallsMinSetting,
  BREAKER_BURNT_MIN_USD: breakerBurntMinUsdSetting,
  BREAKER_LOST_PERCENT: breakerLostPercentSetting,
});

test("breakers open as core says unless the operator says otherwise", () => {
  expect(breakerThresholds(readConfig(schema, {}))).toEqual(THRESHOLDS);
  const said = { BREAKER_CALLS_MIN: "50", BREAKER_BURNT_MIN_USD: "20", BREAKER_LOST_PERCENT: "30" };
  const burntMin = nanos(20_000_000_000n);
  expect(breakerThresholds(readConfig(schema, said))).toEqual({ callsMin: 50, burntMin, lostPercent: 30 });
});

test("what is no threshold is refused with what to write", () => {
  const wrong = { BREAKER_CALLS_MIN: "0", BREAKER_BURNT_MIN_USD: "0.5", BREAKER_LOST_PERCENT: "101" };
  expect(() => readConfig(schema, wrong)).toThrow(
    [
      "BREAKER_CALLS_MIN must be a whole number from 1 to 100000: set it to 1 to 100000",
      "BREAKER_BURNT_MIN_USD must be a whole number from 1 to 1000000: set it to 1 to 1000000",
      "BREAKER_LOST_PERCENT must be a whole number from 1 to 100: set it to 1 to 100",
    ].join("\n"),
  );
});
