import { concurrencySetting, serviceSettings } from "@contingent/runtime/config";
import { z } from "zod";

export const validatorSettings = z.object({ ...serviceSettings, CONCURRENCY: concurrencySetting });
