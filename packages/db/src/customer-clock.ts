/**
 * A customer's test clock: how far their time is ahead of the real one. Everything of theirs follows it: deadlines, leases,
 * retries, acceptance windows, the expiry of prepaid money, the periods of limits and statements.
 */
import type { CustomerId } from "@contingent/core/ids";
import { msOf } from "./job-row.ts";
import { type Pool, transaction } from "./pool.ts";

/** By how much, or until when, the clock is moved: ms, and ms since the epoch. */
export type ClockMove = { readonly byMs: number } | { readonly toMs: number };

export type ClockMoved =
  | { readonly kind: "moved"; readonly nowMs: number; readonly offsetMs: number }
  | { readonly kind: "no_customer" }
  /** A clock never goes back: what has ended by it has ended. */
  | { readonly kind: "backwards"; readonly nowMs: number }
  | { readonly kind: "too_far"; readonly offsetMaxMs: number };

/** Ten years. */
const OFFSET_MAX_MS = 3_652 * 24 * 3_600_000;

const CLOCK = `
  SELECT ${msOf("clock_timestamp()")} AS real_ms, ${msOf("clock_offset")} AS offset_ms
    FROM customer_account WHERE customer_id = $1 FOR NO KEY UPDATE`;

/** Milliseconds only: an interval with days in it would be longer or shorter by the session's time zone. */
const MOVE = `
  UPDATE customer_account SET clock_offset = $2::float8 * interval '1 millisecond', updated_at = now() WHERE customer_id = $1`;

/**
 * Jobs that wait for their next attempt are looked at when their back-off ends by the new clock, not only when somebody
 * would notice that their message is missing.
 */
const WAKE_READY = `
  UPDATE job j SET wake_at = j.ready_at
    FROM (SELECT id FROM job
           WHERE customer_id = $1 AND state = 'queued' AND wake_at > ready_at AND ready_at <= to_timestamp($2::float8 / 1000)
           ORDER BY id FOR NO KEY UPDATE) ready
   WHERE j.id = ready.id`;

/** Moves the clock forward. Locks the account while it does, and the waiting jobs after that, in a transaction of their own. */
export async function moveClock(pool: Pool, customerId: CustomerId, move: ClockMove): Promise<ClockMoved> {
  const moved = await transaction(pool, async (client): Promise<ClockMoved> => {
    const { rows } = await client.query<{ real_ms: number; offset_ms: number }>({ text: CLOCK, values: [customerId] });
    const [row] = rows;
    if (row === undefined) return { kind: "no_customer" };
    const { real_ms: realMs, offset_ms: beforeMs } = row;
    const offsetMs = "byMs" in move ? beforeMs + move.byMs : move.toMs - realMs;
    if (offsetMs < beforeMs) return { kind: "backwards", nowMs: realMs + beforeMs };
    if (offsetMs > OFFSET_MAX_MS) return { kind: "too_far", offsetMaxMs: OFFSET_MAX_MS };
    await client.query({ text: MOVE, values: [customerId, offsetMs] });
    return { kind: "moved", nowMs: realMs + offsetMs, offsetMs };
  });
  if (moved.kind === "moved") await pool.query({ text: WAKE_READY, values: [customerId, moved.nowMs] });
  return moved;
}
