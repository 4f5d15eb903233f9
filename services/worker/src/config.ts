import { isTierName } from "@contingent/contracts/messages/catalog";
import {
  breakerBurntMinUsdSetting,
  breakerCallsMinSetting,
  breakerLostPercentSetting,
} from "@contingent/runtime/breaker-settings";
import { concurrencySetting, serviceSettings } from "@contingent/runtime/config";
import { payloadKeysFileSetting, payloadKeysSetting } from "@contingent/runtime/payload-keys";
import { z } from "zod";

export const workerSettings = z.object({
  ...serviceSettings,
  PAYLOAD_KEYS: payloadKeysSetting,
  PAYLOAD_KEYS_FILE: payloadKeysFileSetting,
  /** The tier whose queue this process drains. */
  TIER: z.string().refine(isTierName, { error: "must name a tier" }).describe("fast, standard or premium"),
  CONCURRENCY: concurrencySetting,
  BREAKER_CALLS_MIN: breakerCallsMinSetting,
  BREAKER_BURNT_MIN_USD: breakerBurntMinUsdSetting,
  BREAKER_LOST_PERCENT: breakerLostPercentSetting,
  /** The provider's key. The simulator takes any. */
  ANTHROPIC_API_KEY: z.string().describe("a key of the Anthropic API, or any text for the simulator"),
  /** Where the API is; unset: the provider's own address. */
  ANTHROPIC_BASE_URL: z.url().optional().describe("http://host:port of the simulator"),
});
