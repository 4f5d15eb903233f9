import {
  breakerBurntMinUsdSetting,
  breakerCallsMinSetting,
  breakerLostPercentSetting,
} from "@contingent/runtime/breaker-settings";
import { concurrencySetting, serviceSettings } from "@contingent/runtime/config";
import { httpValidatorSecretsFileSetting, outgoingAllowLoopbackSetting } from "@contingent/runtime/outgoing/settings";
import { payloadKeysFileSetting, payloadKeysSetting } from "@contingent/runtime/payload-keys";
import { sandboxSocketSetting } from "@contingent/sandbox/config";
import { z } from "zod";

export const validatorSettings = z.object({
  ...serviceSettings,
  PAYLOAD_KEYS: payloadKeysSetting,
  PAYLOAD_KEYS_FILE: payloadKeysFileSetting,
  CONCURRENCY: concurrencySetting,
  BREAKER_CALLS_MIN: breakerCallsMinSetting,
  BREAKER_BURNT_MIN_USD: breakerBurntMinUsdSetting,
  BREAKER_LOST_PERCENT: breakerLostPercentSetting,
  SANDBOX_SOCKET: sandboxSocketSetting,
  HTTP_VALIDATOR_SECRETS_FILE: httpValidatorSecretsFileSetting,
  OUTGOING_ALLOW_LOOPBACK: outgoingAllowLoopbackSetting,
  /** The key of the provider whose models judge; unset: no model is asked, and whoever needs one has a broken validator. */
  ANTHROPIC_API_KEY: z.string().optional().describe("a key of the Anthropic API, or any text for the simulator"),
  /** Where the API is; unset: the provider's own address. */
  ANTHROPIC_BASE_URL: z.url().optional().describe("http://host:port of the simulator"),
});
