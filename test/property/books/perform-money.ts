/** What happens to customers' money beside their jobs: top-ups, limits, terms, disputes, credits, statements, time. */
import assert from "node:assert/strict";
import { nanos } from "@contingent/core/money";
import { periodAt, statementIdOf } from "@contingent/core/statement/period";
import { changeBilling } from "@contingent/db/customer-billing";
import { customerTermsById, publishTerms } from "@contingent/db/customer-terms";
import { newId } from "@contingent/db/ids";
import { bringIn, type IncomingMoney } from "@contingent/ledger/bring-in";
import { correctCost } from "@contingent/ledger/correct-cost";
import { issueCreditNote } from "@contingent/ledger/disputes/credit-note";
import { openDispute } from "@contingent/ledger/disputes/open-dispute";
import { type DisputeEnd, resolveDispute } from "@contingent/ledger/disputes/resolve-dispute";
import { closeStatement } from "@contingent/ledger/statement/close";
import { payStatement } from "@contingent/ledger/statement/pay";
import { findStatement, viewStatement } from "@contingent/ledger/statement/read";
import { clockMoved } from "@contingent/testkit/customers";
import { AGREED, coreAgreement, HALF_HOUR_MS } from "./catalog.ts";
import { type Death, Died, dyingPool, surviving } from "./dying.ts";
import { type Operation, pick } from "./operation.ts";
import {
  nextMonth,
  refBeginClosing,
  refClose,
  refCredit,
  refDispute,
  refFinishClosing,
  refPay,
  refResolve,
} from "./reference-after.ts";
import type { RefJob } from "./reference-job.ts";
import type { RefStatement } from "./reference-rating.ts";
import type { Run } from "./run.ts";

/** Statements of one of these operations, at most: at which of them its process dies. */
const STATEMENTS_MAX = 12;

export function deathOf({ fate, how }: Operation): Death | null {
  return fate === "lives" ? null : { statement: how % STATEMENTS_MAX, isAfter: fate !== "dies_before" };
}

const HOURS = [1, 1, 1, 1, 1, 2, 2, 3, 3, 5, 13, 30, 300] as const;

/** One customer's clock is moved by whole hours. */
export async function advance(run: Run, { at, how }: Operation): Promise<boolean> {
  const index = at % 2;
  await moveBy(run, index, pick(HOURS, how) ?? 1);
  return true;
}

async function moveBy(run: Run, index: number, hours: number): Promise<void> {
  await clockMoved(run.pool, run.customer(index), { byMs: hours * 3_600_000 });
  run.reference.customer(index).now += 2 * hours;
}

const SCOPES = [null, null, ["letters"], ["invoices", "claims"]] as const;
const LIVES = [null, null, 49, 401, 1_441] as const;

/** Prepaid money comes in, and its news comes in twice. Whoever pays on account has none. */
export async function topUp(run: Run, operation: Operation): Promise<boolean> {
  const { at, how } = operation;
  const index = at % 9 === 0 ? 1 : 0;
  const lives = pick(LIVES, how) ?? null;
  const ends = lives === null ? null : run.reference.customer(index).now + lives;
  const kind = how % 4 === 0 ? ("promotion" as const) : ("top_up" as const);
  const money: IncomingMoney = {
    customerId: run.customer(index),
    kind,
    ref: newId("req"),
    amount: nanos(BigInt(1 + (how % 7)) * 1_000_000_007n),
    priority: [100, 100, 50, 10][at % 4] ?? 100,
    expiresAtMs: ends === null ? null : run.startMs + ends * HALF_HOUR_MS,
    outcomeTypes: pick(SCOPES, at) ?? null,
  };
  const death = deathOf(operation);
  const brought = await surviving(run.pool, death, (pool) => bringIn(pool, money));
  if (index === 1) {
    assert.equal(brought.kind, "on_account");
    return true;
  }
  assert.equal(brought.kind, "granted");
  const { amount, priority, outcomeTypes: types } = money;
  run.reference.grant(index, { kind, amount, priority, ends, types }, kind === "top_up" ? "cash " : "promo_issued ");
  if (how % 3 !== 0) return true;
  const again = await bringIn(run.pool, money);
  assert.ok(again.kind === "granted" && !again.isNew, "the money came in twice");
  const other = await bringIn(run.pool, { ...money, amount: nanos(1n) });
  assert.equal(other.kind, "ref_reused");
  return true;
}

const LIMITS = [null, 2_000_000_000n, 4_000_000_000n, 7_000_000_000n, 20_000_000_000n] as const;

/** The operator sets a spending limit, perhaps below what is in use. */
export async function limit(run: Run, operation: Operation): Promise<boolean> {
  const { at, how } = operation;
  const index = at % 4 === 0 ? 0 : 1;
  const customer = run.reference.customer(index);
  const amount = pick(LIMITS, how) ?? null;
  const period = at % 2 === 0 ? ("month" as const) : ("day" as const);
  const settings = {
    billing: customer.isPrepaid ? ("prepaid" as const) : ("on_account" as const),
    limit: amount === null ? null : { amount: nanos(amount), period },
    alertShares: [0.8, 1],
    alertBelow: null,
    openJobsMax: null,
  };
  const changed = await surviving(run.pool, deathOf(operation), (pool) => {
    return changeBilling(pool, run.customer(index), settings);
  });
  assert.equal(changed, "changed");
  customer.limit = amount === null ? null : { amount, period };
  return true;
}

/** The customer agrees on other terms: for jobs from now on. */
export async function terms(run: Run, operation: Operation): Promise<boolean> {
  const index = operation.at % 2;
  const agreed = pick(AGREED, operation.how) ?? AGREED[0];
  const asked = { definition: { nth: newId("req") }, terms: coreAgreement(agreed), effectiveFromMs: null };
  await surviving(run.pool, deathOf(operation), (pool) => publishTerms(pool, run.customer(index), asked));
  const customer = run.reference.customer(index);
  customer.terms.push({ from: customer.now, terms: agreed });
  // By the millisecond after it the terms are in force.
  await run.apart();
  await run.apart();
  return true;
}

/** A charged job, mostly; else any. */
function charged(run: Run, { at, how }: Operation): RefJob | undefined {
  const { jobs } = run.reference;
  return pick(how % 12 === 0 ? jobs : jobs.filter((job) => job.charge !== null), at);
}

/** Shares of a charge that are asked for, in percent; null: whatever is left of it. */
const ASKED = [null, 100, 50, 33, 7, 150] as const;

function askedOf(job: RefJob, how: number): bigint | null {
  const percent = pick(ASKED, how) ?? null;
  return percent === null ? null : ((job.charge?.amount ?? 100n) * BigInt(percent)) / 100n;
}

export async function dispute(run: Run, operation: Operation): Promise<boolean> {
  const job = charged(run, operation);
  if (job === undefined) return false;
  const asked = askedOf(job, operation.how);
  const request = {
    jobId: run.idOf(job),
    reason: `It is wrong (${newId("req")}).`,
    asked: asked === null ? null : nanos(asked),
    reverification: { stands: true },
  };
  const death = deathOf(operation);
  const opened = await surviving(run.pool, death, (pool) => openDispute(pool, request));
  const expected = refDispute(run.reference, job, asked);
  if (typeof expected === "string") assert.equal(opened.kind, expected, "what the dispute came to");
  else if ("kind" in expected) assert.deepEqual(opened, expected);
  else {
    assert.ok(opened.kind === "opened" || (death !== null && opened.kind === "repeated"), opened.kind);
    run.disputes.set(expected, opened.id);
    const again = await openDispute(run.pool, request);
    assert.deepEqual(again, { kind: "repeated", id: opened.id });
  }
  return true;
}

export async function resolve(run: Run, operation: Operation): Promise<boolean> {
  const { disputes } = run.reference;
  const { at, how } = operation;
  const open = disputes.filter(({ isOpen }) => isOpen);
  const contested = pick(how % 12 === 0 ? disputes : open, at);
  const id = contested === undefined ? undefined : run.disputes.get(contested);
  if (contested === undefined || id === undefined) return false;
  const given = how % 3 === 0 ? null : how % 3 === 1 ? "all" : (askedOf(contested.job, at) ?? "all");
  const end = endOf(given, how % 2 === 0);
  const death = deathOf(operation);
  const resolved = await surviving(run.pool, death, (pool) => resolveDispute(pool, id, end));
  if (!contested.isOpen) {
    // A customer who withdraws once more has said nothing new.
    const isSame = end.outcome === "withdraw" && contested.isWithdrawn;
    assert.equal(resolved?.kind, isSame ? "repeated" : "resolved_otherwise");
    return true;
  }
  const expected = refResolve(run.reference, contested, given);
  contested.isWithdrawn = end.outcome === "withdraw";
  if (typeof expected !== "string") assert.deepEqual(resolved, expected);
  else assert.ok(resolved?.kind === expected || (death !== null && resolved?.kind === "repeated"), resolved?.kind);
  return true;
}

/** Without anything given back either the charge is upheld, or the customer has second thoughts. */
function endOf(given: bigint | "all" | null, isUpheld: boolean): DisputeEnd {
  const reason = `So be it (${newId("req")}).`;
  if (given === null) return isUpheld ? { outcome: "uphold", reason } : { outcome: "withdraw" };
  return { outcome: "credit", amount: given === "all" ? null : nanos(given), reason };
}

export async function credit(run: Run, operation: Operation): Promise<boolean> {
  const job = charged(run, operation);
  if (job === undefined) return false;
  const amount = askedOf(job, operation.how) ?? 0n;
  const request = { jobId: run.idOf(job), amount: nanos(amount), reason: "As a courtesy.", ref: newId("req") };
  const death = deathOf(operation);
  const issued = await surviving(run.pool, death, (pool) => issueCreditNote(pool, request));
  const expected = refCredit(run.reference, job, amount);
  if (typeof expected !== "string") assert.deepEqual(issued, expected);
  else if (expected === "statement_closing") assert.equal(issued.kind, expected);
  else {
    assert.ok(issued.kind === expected || (death !== null && issued.kind === "repeated"), issued.kind);
    if (expected === "issued") assert.equal((await issueCreditNote(run.pool, request)).kind, "repeated");
  }
  return true;
}

/** The operator learns what a call really cost. */
export async function correct(run: Run, operation: Operation): Promise<boolean> {
  const { at, how } = operation;
  const job = pick(
    run.reference.jobs.filter(({ attempts }) => attempts.size > 0),
    at,
  );
  const attempt = pick([...(job?.attempts.keys() ?? [])], how);
  if (job === undefined || attempt === undefined) return false;
  const amount = BigInt(how) * 3n;
  const correction = {
    attemptId: attempt as `att_${string}`,
    amount: nanos(amount),
    reason: "The invoice says so.",
    correctedBy: run.market.operator,
  };
  const death = deathOf(operation);
  const corrected = await surviving(run.pool, death, (pool) => correctCost(pool, correction));
  const isOpen = job.attempts.get(attempt)?.state === "held";
  const isMoved = run.reference.correctCost(job, attempt, amount, false);
  if (death === null) assert.equal(corrected, isOpen ? "open" : isMoved ? "corrected" : "unchanged");
  return true;
}

/**
 * Closes a month of a customer: mostly the first one that is open, and often waits until it is over. Whoever closes it may
 * die between the two steps of that; then everything else goes on, until somebody closes it to the end.
 */
export async function close(run: Run, operation: Operation): Promise<boolean> {
  const { at, how } = operation;
  const index = at % 2;
  if (await finishClosing(run, index)) return true;
  const { openMonth } = run.reference.customer(index);
  const month = how % 8 === 0 ? nextMonth(openMonth) : how % 8 === 1 ? monthBefore(openMonth) : openMonth;
  if (Date.parse(`${month}-01T00:00:00Z`) < run.startMs) return false;
  if (how % 4 === 0) await moveBy(run, index, hoursUntilAfter(run, index, month));
  const id = statementIdAt(run, index, month);
  const death = deathOf(operation);
  if (death !== null && (await closedHalfway(run, index, month, death))) return true;
  const closed = await closeStatement(run.pool, id);
  const expected = refClose(run.reference, index, month);
  const isAgain = death !== null && expected.kind === "begun" && closed.kind === "begun_before";
  const isEmptyAgain = death !== null && expected.kind === "empty" && closed.kind === "empty";
  assert.ok(closed.kind === expected.kind || isAgain || isEmptyAgain, `${month}: ${closed.kind}, not ${expected.kind}`);
  if (expected.kind === "begun") await expectStatement(run, id, expected.statement);
  return true;
}

/** Whether whoever closes the month has died when it was begun and not finished. */
async function closedHalfway(run: Run, index: number, month: string, death: Death): Promise<boolean> {
  const id = statementIdAt(run, index, month);
  await closeStatement(dyingPool(run.pool, death), id).catch((error: unknown) => {
    if (!(error instanceof Died)) throw error;
  });
  const found = await findStatement(run.pool, id);
  if (found?.head.state !== "closing") return false;
  const begun = refBeginClosing(run.reference, index, month);
  assert.equal(begun, "begun");
  const another = await closeStatement(run.pool, statementIdAt(run, index, nextMonth(month)));
  assert.ok(another.kind === "earlier_open" || another.kind === "not_over", another.kind);
  return true;
}

/** Closes the month to the end that somebody has begun to close. @returns false when there is none */
export async function finishClosing(run: Run, index: number): Promise<boolean> {
  const { closing } = run.reference.customer(index);
  if (closing === null) return false;
  const id = statementIdAt(run, index, closing);
  assert.deepEqual(await closeStatement(run.pool, id), { kind: "begun_before", id });
  await expectStatement(run, id, refFinishClosing(run.reference, index));
  return true;
}

/** How long the month still lasts; 0 when it is over. */
function hoursUntilAfter(run: Run, index: number, month: string): number {
  const leftMs = Date.parse(`${nextMonth(month)}-01T00:00:00Z`) - run.startMs;
  return Math.max(0, Math.ceil((leftMs / HALF_HOUR_MS - run.reference.customer(index).now) / 2));
}

function monthBefore(month: string): string {
  return new Date(Date.parse(`${month}-01T00:00:00Z`) - 1).toISOString().slice(0, 7);
}

function statementIdAt(run: Run, index: number, month: string): `stm_${string}` {
  return statementIdOf(run.customer(index), periodAt(Date.parse(`${month}-01T00:00:00Z`)));
}

async function expectStatement(run: Run, id: `stm_${string}`, statement: RefStatement): Promise<void> {
  const { reductions: _, ...expected } = statement;
  const found = await findStatement(run.pool, id);
  if (found === null) throw new Error(`there is no ${id}`);
  const { totals } = await viewStatement(run.pool, customerTermsById(run.pool), found);
  const whole = (split: { readonly onAccount: bigint; readonly prepaid: bigint }): bigint =>
    split.onAccount + split.prepaid;
  const figures: typeof expected = {
    gross: whole(totals.gross),
    allowance: whole(totals.allowance),
    bands: whole(totals.bands),
    discount: whole(totals.discount),
    fixedOwed: totals.fixedDiscount.onAccount,
    fixedPrepaid: totals.fixedDiscount.prepaid,
    credits: whole(totals.credits),
    commitment: totals.commitment,
    rounding: totals.rounding,
    due: totals.amountDue,
  };
  assert.deepEqual(figures, expected, id);
}

const CENT = 10_000_000n;

/** The customer pays a statement, a part of it, or more than is due. */
export async function pay(run: Run, operation: Operation): Promise<boolean> {
  const { at, how } = operation;
  const index = at % 4 === 0 ? 0 : 1;
  const customer = run.reference.customer(index);
  const month = how % 9 === 0 ? customer.openMonth : pick([...customer.statements.keys()], at);
  if (month === undefined) return false;
  const { due, paid } = customer.statements.get(month) ?? { due: CENT, paid: 0n };
  const left = due - paid;
  const amount = how % 3 === 0 ? left + CENT : how % 3 === 1 ? left : (left / CENT / 2n) * CENT;
  if (amount <= 0n) return false;
  const payment = { statementId: statementIdAt(run, index, month), ref: newId("req"), amount: nanos(amount) };
  const death = deathOf(operation);
  const result = await surviving(run.pool, death, (pool) => payStatement(pool, payment));
  const expected = refPay(run.reference, index, month, amount);
  if (typeof expected !== "string") assert.deepEqual(result, expected);
  else assert.ok(result.kind === expected || (death !== null && result.kind === "paid_before"), result.kind);
  return true;
}
