import { concurrencySetting, serviceSettings } from "@contingent/runtime/config";
import { sandboxSocketSetting } from "@contingent/sandbox/config";
import { z } from "zod";

export const validatorSettings = z.object({
  ...serviceSettings,
  CONCURRENCY: concurrencySetting,
  SANDBOX_SOCKET: sandboxSocketSetting,
});
