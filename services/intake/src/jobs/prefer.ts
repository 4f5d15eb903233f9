/** The Prefer header (RFC 7240), of which `wait` is understood. */
import { WAIT_MAX_S } from "@contingent/contracts/http/values";

/** Seconds the caller is willing to wait; 0 when it does not say so, or not so that it can be read. A preference is no demand. */
export function waitPreference(prefer: string | undefined): number {
  for (const preference of (prefer ?? "").split(",")) {
    const match = /^\s*wait\s*=\s*"?(\d{1,9})"?\s*(?:;.*)?$/i.exec(preference);
    if (match?.[1] !== undefined) return Math.min(Number(match[1]), WAIT_MAX_S);
  }
  return 0;
}
