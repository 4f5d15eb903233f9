import { concurrencySetting, integerSetting, serviceSettings } from "@contingent/runtime/config";
import { z } from "zod";

const SWEEP_INTERVAL_MAX_MS = 60_000;

export const ledgerSettings = z.object({
  ...serviceSettings,
  CONCURRENCY: concurrencySetting,
  /** Pause between two looks for overdue jobs. A lost lease is noticed within this much of its end. */
  SWEEP_INTERVAL_MS: integerSetting(10, SWEEP_INTERVAL_MAX_MS).default(500).describe("10 to 60000"),
});
