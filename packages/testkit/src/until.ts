import { until as untilWithin, type WaitOptions } from "@contingent/embedded/wait";

/** Work takes as long as the machine needs for it: this is waited out only where something is broken. */
const PATIENCE_MS = 60_000;

/** Waits until a condition holds and returns what it returned. Give a time only where the time is what is promised. */
export async function until<T>(
  condition: () => T | Promise<T>,
  options: Partial<WaitOptions> = {},
): Promise<Exclude<T, false | null | undefined>> {
  return await untilWithin(condition, { timeoutMs: PATIENCE_MS, ...options });
}
