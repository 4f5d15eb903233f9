import { concurrencySetting, integerSetting, serviceSettings } from "@contingent/runtime/config";
import { payloadKeysFileSetting, payloadKeysSetting } from "@contingent/runtime/payload-keys";
import { z } from "zod";

const SWEEP_INTERVAL_MAX_MS = 60_000;
/** 30 days. */
const CLOSE_GRACE_MAX_MS = 2_592_000_000;
/** Ten years. */
const IDEMPOTENCY_DAYS_MAX = 3_650;

export const ledgerSettings = z.object({
  ...serviceSettings,
  PAYLOAD_KEYS: payloadKeysSetting,
  PAYLOAD_KEYS_FILE: payloadKeysFileSetting,
  CONCURRENCY: concurrencySetting,
  /** Pause between two looks for overdue jobs. A lost lease is noticed within this much of its end. */
  SWEEP_INTERVAL_MS: integerSetting(10, SWEEP_INTERVAL_MAX_MS).default(500).describe("10 to 60000"),
  /** How long after its end, by the customer's clock, a period is left open before its statement is closed. */
  CLOSE_GRACE_MS: integerSetting(0, CLOSE_GRACE_MAX_MS).default(3_600_000).describe("0 to 2592000000"),
  /** For how long a request with an Idempotency-Key can be repeated: afterwards the key is free again. */
  IDEMPOTENCY_DAYS: integerSetting(1, IDEMPOTENCY_DAYS_MAX).default(30).describe("1 to 3650"),
});
