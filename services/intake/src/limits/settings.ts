/** How much of everything is taken in: the settings, and what the process makes of them. */
import { integerSetting } from "@contingent/runtime/config";

const OPEN_JOBS_MAX_DEFAULT = 100_000;
/** What the database counts up to. */
const OPEN_JOBS_MAX_MAX = 2_147_483_647;

export const openJobsMaxSetting = integerSetting(0, OPEN_JOBS_MAX_MAX)
  .default(OPEN_JOBS_MAX_DEFAULT)
  .describe("0 to 2147483647");

export interface Limits {
  readonly openJobsMax: number;
}

export function limitsOf(config: { readonly OPEN_JOBS_MAX: number }): Limits {
  return { openJobsMax: config.OPEN_JOBS_MAX };
}
