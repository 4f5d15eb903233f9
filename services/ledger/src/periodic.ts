/**
 * What time alone brings about in the books, behind the jobs and never in their way: one duty after the other, again and
 * again. Any number may run; each duty is done once, whoever does it.
 */
import { setTimeout as delay } from "node:timers/promises";
import { forgetRequests } from "@contingent/db/idempotency";
import { dropDuePayloads } from "@contingent/db/payloads/drop";
import { rewrapKeys } from "@contingent/db/payloads/keyring";
import { creditAudits } from "@contingent/ledger/audits/credit";
import { drawAudits } from "@contingent/ledger/audits/draw";
import { earnDue } from "@contingent/ledger/earn";
import { expireGrants } from "@contingent/ledger/expire";
import { closeDuePeriods } from "@contingent/ledger/statement/due";
import type { LedgerContext } from "./context.ts";

export type PeriodicContext = Pick<
  LedgerContext,
  "pool" | "versions" | "payloads" | "payloadKeys" | "log" | "closeGraceMs" | "idempotencyDays"
>;

export interface Duty {
  readonly name: string;
  /** One round; says how much was due. */
  readonly run: (context: PeriodicContext, limit: number) => Promise<number>;
  /** The most that one round takes on. A round that finds so much is followed by another at once. */
  readonly perRoundMax: number;
}

/** In the order in which they are done. */
export const DUTIES: readonly Duty[] = [
  { name: "earn", run: ({ pool }, limit) => earnDue(pool, limit), perRoundMax: 200 },
  { name: "expire", run: ({ pool }, limit) => expireGrants(pool, limit), perRoundMax: 100 },
  { name: "close-periods", run: closePeriods, perRoundMax: 50 },
  { name: "draw-audits", run: draw, perRoundMax: 5_000 },
  { name: "credit-audits", run: ({ pool }, limit) => creditAudits(pool, limit), perRoundMax: 100 },
  {
    name: "drop-payloads",
    run: ({ pool, payloads }, limit) => dropDuePayloads(pool, payloads, limit),
    perRoundMax: 200,
  },
  { name: "forget-requests", run: forget, perRoundMax: 500 },
  { name: "rewrap-payload-keys", run: rewrap, perRoundMax: 100 },
];

async function forget({ pool, idempotencyDays }: PeriodicContext, limit: number): Promise<number> {
  return await forgetRequests(pool, idempotencyDays, limit);
}

/** Of keys that are sealed with another master key than the first. */
async function rewrap({ pool, payloadKeys }: PeriodicContext, limit: number): Promise<number> {
  const [first, ...others] = payloadKeys;
  return first === undefined ? 0 : await rewrapKeys(pool, [first, ...others], limit);
}

/** So many ledger transactions are looked at in a round; what was drawn from a full one is followed by another round at once. */
async function draw({ pool, versions }: PeriodicContext, limit: number): Promise<number> {
  const drawing = await drawAudits(pool, versions, limit);
  return drawing?.isMore === true ? limit : (drawing?.audits ?? 0);
}

async function closePeriods({ pool, log, closeGraceMs: graceMs }: PeriodicContext, limit: number): Promise<number> {
  return await closeDuePeriods(pool, {
    graceMs,
    limit,
    failed(statement, error) {
      log.warn({ statement, error: error instanceof Error ? error.message : String(error) }, "a period was not closed");
    },
  });
}

/** How late a duty is done: soon enough for a clock that somebody moves to see what comes of it. */
export const PERIODIC_INTERVAL_MS = 1_000;

export interface PeriodicOptions {
  /** Pause between rounds that found little. */
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  readonly duties?: readonly Duty[];
}

/** Does the duties until the signal aborts. One that fails is logged and tried again; the others are done all the same. */
export async function runPeriodic(
  context: PeriodicContext,
  { intervalMs, signal, duties = DUTIES }: PeriodicOptions,
): Promise<void> {
  while (!signal.aborted) {
    let isMore = false;
    for (const duty of duties) isMore = (await doneInPart(context, duty)) || isMore;
    if (!isMore) await delay(intervalMs, undefined, { signal }).catch(() => {});
  }
}

/** Whether there may be more of it at once. */
async function doneInPart(context: PeriodicContext, { name, run, perRoundMax }: Duty): Promise<boolean> {
  try {
    const found = await run(context, perRoundMax);
    if (found > 0) context.log.debug({ duty: name, found }, "periodic duty done");
    return found >= perRoundMax;
  } catch (error) {
    context.log.warn(
      { duty: name, error: error instanceof Error ? error.message : String(error) },
      "periodic duty failed",
    );
    return false;
  }
}
