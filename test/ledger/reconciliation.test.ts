/** Hazard: an invoice that differs from the books: booked twice, for days that overlap, or by two who upload at once. */
import type { InvoicedCost } from "@contingent/core/books/reconciliation";
import type { AttemptId, JobId, KeyId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import { createKey } from "@contingent/db/keys";
import type { Pool } from "@contingent/db/pool";
import { checkBooks } from "@contingent/ledger/check-books";
import { correctCost } from "@contingent/ledger/correct-cost";
import { reconcile, type Reconciled } from "@contingent/ledger/reconcile";
import { findReconciliation, listReconciliations } from "@contingent/ledger/reconciliations";
import { driveTo, happens, partsOf, take } from "@contingent/testkit/jobs";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { outcomeOf } from "./by-hand.ts";

const db = databaseOfThisFile();
/** Core's fixture: this provider and model are asked, an answer costs 400 nanos, a lost one counts with its reserve. */
const PROVIDER = "anthropic";
const MODEL = "small";
const COST = 400n;
const DAY_MS = 24 * 60 * 60_000;
let operator: KeyId;
/** Each test has days of its own, long ago. */
let firstDayMs = Date.parse("2020-01-01T00:00:00Z");

beforeAll(async () => {
  operator = (await createKey(db.pool, { kind: "operator", label: "test" })).id;
});
beforeEach(() => {
  firstDayMs += 10 * DAY_MS;
});

/** The n-th day of this test. */
function day(n: number): string {
  return new Date(firstDayMs + n * DAY_MS).toISOString().slice(0, 10);
}

function invoiced(model: string, onDay: number, amount: bigint): InvoicedCost {
  return { model, day: day(onDay), amount: nanos(amount) };
}

function upload(
  lines: readonly InvoicedCost[],
  [from, until] = [0, 2] as readonly [number, number],
  pool: Pool = db.pool,
): Promise<Reconciled> {
  const period = { provider: PROVIDER, from: day(from), until: day(until) };
  return reconcile(pool, { period, lines, currency: "USD", uploadedBy: operator });
}

/** What was found and posted by an upload that was not refused. */
async function found(reconciled: Reconciled): Promise<NonNullable<Awaited<ReturnType<typeof findReconciliation>>>> {
  if (reconciled.kind !== "reconciled") throw new Error("it was refused");
  const view = await findReconciliation(db.pool, reconciled.id);
  if (view === null) throw new Error(`there is no ${reconciled.id}`);
  return view;
}

/** Lets costs of the job (all, or those under such keys) have been booked at this time of this test's n-th day. */
async function datedOn(jobId: JobId, n: number, time = "12:00:00", keys = "cost:%"): Promise<void> {
  await db.pool.query(`
    ALTER TABLE ledger_transaction DISABLE TRIGGER append_only;
    UPDATE ledger_transaction SET dated_at = '${day(n)}T${time}Z' WHERE job_id = '${jobId}' AND key LIKE '${keys}';
    ALTER TABLE ledger_transaction ENABLE TRIGGER append_only`);
}

async function answeredOn(n: number, time?: string): Promise<JobId> {
  const jobId = await driveTo(db.pool, "validating");
  await datedOn(jobId, n, time);
  return jobId;
}

async function lostOn(n: number): Promise<{ readonly jobId: JobId; readonly reserve: bigint }> {
  const jobId = await driveTo(db.pool, "attempting");
  await take(db.pool, jobId, happens("woke"));
  await datedOn(jobId, n);
  const text = "SELECT reserve_nanos FROM attempt WHERE job_id = $1";
  const { rows } = await db.pool.query<{ reserve_nanos: bigint }>(text, [jobId]);
  return { jobId, reserve: rows[0]?.reserve_nanos ?? 0n };
}

async function correct(jobId: JobId, amount: bigint): Promise<void> {
  const text = "SELECT id FROM attempt WHERE job_id = $1";
  const { rows } = await db.pool.query<{ id: AttemptId }>(text, [jobId]);
  const told = { amount: nanos(amount), reason: "an invoice", correctedBy: operator };
  expect(await correctCost(db.pool, { attemptId: rows[0]?.id ?? "att_none", ...told })).toBe("corrected");
}

/** What stands on the provider's drift account for this test's days. */
async function drift(): Promise<{ readonly drift: bigint; readonly keys: readonly string[] }> {
  const text = `
    SELECT t.key, p.amount_nanos FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
     WHERE p.account_class = 'cogs:drift' AND p.account_of = $1 AND starts_with(t.key, $2) ORDER BY t.key`;
  const values = [PROVIDER, `recon:${PROVIDER}:${day(0)}`];
  const { rows } = await db.pool.query<{ key: string; amount_nanos: bigint }>(text, values);
  return { drift: rows.reduce((total, row) => total + row.amount_nanos, 0n), keys: rows.map(({ key }) => key) };
}

async function written(): Promise<unknown> {
  const tables = ["reconciled_period", "reconciliation", "reconciliation_line", "ledger_transaction", "posting"];
  const counts = tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`);
  return (await db.pool.query(`SELECT ${counts.join(", ")}`)).rows;
}

describe("an invoice is compared with the books, by model and day", () => {
  test("what they agree on has no drift, and nothing is booked", async () => {
    await answeredOn(0);
    await answeredOn(1);
    const view = await found(await upload([invoiced(MODEL, 0, COST), invoiced(MODEL, 1, COST)]));
    expect(view).toMatchObject({ number: 1, invoiced: 800n, booked: 800n, posted: 0n });
    expect(await drift()).toEqual({ drift: 0n, keys: [] });
  });

  test.each([
    ["dearer", 500n, 100n],
    ["cheaper", 350n, -50n],
  ])("calls that were %s than booked are drift", async (_, amount, expected) => {
    await answeredOn(0);
    const view = await found(await upload([invoiced(MODEL, 0, amount)]));
    expect(view.posted).toBe(expected);
    expect(await drift()).toEqual({ drift: expected, keys: [`recon:${PROVIDER}:${day(0)}:${day(2)}:1`] });
  });

  test("models and days that only one side has stand alone, estimates are told apart", async () => {
    await answeredOn(0);
    const { reserve } = await lostOn(0);
    await answeredOn(1);
    const view = await found(await upload([invoiced(MODEL, 0, 900n), invoiced("unheard-of", 0, 7n)]));
    expect(view.lines).toEqual([
      { model: MODEL, day: day(0), invoiced: 900n, booked: COST + reserve, estimated: reserve },
      { model: MODEL, day: day(1), invoiced: null, booked: COST, estimated: 0n },
      { model: "unheard-of", day: day(0), invoiced: 7n, booked: null, estimated: 0n },
    ]);
    expect(view.posted).toBe(907n - (2n * COST + reserve));
  });

  test("days are of UTC: the first instant belongs to the period, the last day's next midnight does not", async () => {
    await answeredOn(0, "00:00:00");
    await answeredOn(1, "23:59:59.999999");
    await answeredOn(2, "00:00:00");
    await answeredOn(-1, "23:59:59.999999");
    const view = await found(await upload([]));
    expect(view.lines.map(({ day: on, booked }) => [on, booked])).toEqual([
      [day(0), COST],
      [day(1), COST],
    ]);
  });

  test("another provider's costs are not looked at, though its name begins with the same letters", async () => {
    await answeredOn(0);
    const period = { provider: "anthro", from: day(0), until: day(2) };
    const reconciled = await reconcile(db.pool, { period, lines: [], currency: "USD", uploadedBy: operator });
    expect(await found(reconciled)).toMatchObject({ booked: 0n, lines: [] });
  });

  test("an invoice for nothing against books with nothing is a reconciliation too", async () => {
    expect(await found(await upload([]))).toMatchObject({ invoiced: 0n, booked: 0n, posted: 0n, lines: [] });
  });
});

describe("uploading again", () => {
  test("the same invoice changes nothing, in whatever order its lines are", async () => {
    await answeredOn(0);
    const lines = [invoiced(MODEL, 0, 500n), invoiced("other", 1, 5n)];
    const first = await upload(lines);
    const before = await written();
    expect(await upload(lines.toReversed())).toEqual({ ...first, isNew: false });
    expect(await written()).toEqual(before);
  });

  test("another invoice for the period replaces the first: what the drift has changed by is booked", async () => {
    await answeredOn(0);
    await upload([invoiced(MODEL, 0, 500n)]);
    const second = await found(await upload([invoiced(MODEL, 0, 430n)]));
    expect(second).toMatchObject({ number: 2, invoiced: 430n, posted: -70n });
    const third = await found(await upload([invoiced(MODEL, 0, COST)]));
    expect(third).toMatchObject({ number: 3, posted: -30n });
    expect((await drift()).drift).toBe(0n);
    expect((await drift()).keys).toHaveLength(3);
    // Going back to the first is the fourth upload, not a repetition of the first.
    expect(await found(await upload([invoiced(MODEL, 0, 500n)]))).toMatchObject({ number: 4, posted: 100n });
  });

  test("lines that moved from one model to another are a new comparison with nothing to book", async () => {
    await upload([invoiced("a", 0, 5n)]);
    const second = await found(await upload([invoiced("b", 0, 5n)]));
    expect(second).toMatchObject({ number: 2, posted: 0n });
    expect(await drift()).toMatchObject({ drift: 5n });
  });

  test("the same invoice against books that have grown since is compared anew, and the first report stays", async () => {
    await answeredOn(0);
    const first = await upload([invoiced(MODEL, 0, 800n)]);
    await answeredOn(0);
    const second = await found(await upload([invoiced(MODEL, 0, 800n)]));
    expect(second).toMatchObject({ number: 2, booked: 800n, posted: -400n });
    expect((await drift()).drift).toBe(0n);
    expect(await found(first)).toMatchObject({ number: 1, booked: 400n, posted: 400n });
  });

  test("a correction after the reconciliation counts on its own day, so that no drift is taken back twice", async () => {
    const jobId = await answeredOn(0);
    await upload([invoiced(MODEL, 0, 450n)]);
    await correct(jobId, 450n);
    expect(await upload([invoiced(MODEL, 0, 450n)])).toMatchObject({ isNew: false });
    expect((await drift()).drift).toBe(50n);
    // On that day it is booked and not invoiced: together the drift is none, and the books say what was invoiced.
    await datedOn(jobId, 3, "12:00:00", "cost:%:corrected-1");
    const later = await found(await upload([], [3, 4]));
    expect(later).toMatchObject({ invoiced: 0n, booked: 50n, posted: -50n });
  });

  test("an estimate that becomes known changes what is said of it", async () => {
    const { jobId, reserve } = await lostOn(0);
    expect((await found(await upload([]))).lines).toMatchObject([{ booked: reserve, estimated: reserve }]);
    await correct(jobId, 0n);
    const second = await found(await upload([]));
    expect(second).toMatchObject({ number: 2, posted: 0n, lines: [{ booked: reserve, estimated: 0n }] });
  });
});

describe("no day is reconciled in two periods", () => {
  test.each<[string, [number, number]]>([
    ["one that begins within it", [1, 3]],
    ["one that ends within it", [-1, 1]],
    ["a part of it", [0, 1]],
    ["one around it", [-1, 3]],
  ])("%s is refused, and nothing is written", async (_, period) => {
    await upload([]);
    const before = await written();
    expect(await upload([], period)).toMatchObject({ kind: "overlaps", period: { from: day(0), until: day(2) } });
    expect(await written()).toEqual(before);
  });

  test("one that touches it is not, nor the same days of another provider", async () => {
    await upload([]);
    expect(await upload([], [2, 3])).toMatchObject({ isNew: true });
    const period = { provider: "another", from: day(1), until: day(3) };
    const reconciled = await reconcile(db.pool, { period, lines: [], currency: "USD", uploadedBy: operator });
    expect(reconciled).toMatchObject({ isNew: true });
  });

  test("not even by hand", async () => {
    await upload([]);
    const period = (provider: string, from: number, until: number) => ({
      text: "INSERT INTO reconciled_period VALUES ($1, $2, $3)",
      values: [provider, day(from), day(until)],
    });
    expect(await outcomeOf(db.pool, period(PROVIDER, 1, 3))).toBe("reconciled_period_alone");
    expect(await outcomeOf(db.pool, period(PROVIDER, 3, 3))).toBe("reconciled_period_not_empty");
    expect(await outcomeOf(db.pool, period("by-hand", 1, 3))).toBe("committed");
  });
});

describe("by several at once", () => {
  test("the same invoice is one reconciliation", async () => {
    await answeredOn(0);
    const pools = [1, 2, 3].map(() => db.another(2));
    const lines = [invoiced(MODEL, 0, 500n)];
    const all = await Promise.all(Array.from({ length: 9 }, (_, i) => upload(lines, [0, 2], pools[i % 3])));
    expect(all.filter((each) => each.kind === "reconciled" && each.isNew)).toHaveLength(1);
    expect(await drift()).toMatchObject({ drift: 100n });
  });

  test("different invoices for the period each book their difference, and the last one's drift stands", async () => {
    await answeredOn(0);
    const pools = [1, 2, 3].map(() => db.another(2));
    const amounts = Array.from({ length: 9 }, (_, i) => 300n + BigInt(i) * 50n);
    const all = await Promise.all(
      amounts.map((amount, i) => upload([invoiced(MODEL, 0, amount)], [0, 2], pools[i % 3])),
    );
    const views = await Promise.all(all.map(found));
    expect(views.map(({ number }) => number).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    const last = views.find(({ number }) => number === 9);
    expect((await drift()).drift).toBe((last?.invoiced ?? 0n) - COST);
  });

  test("of periods that overlap one gets the days", async () => {
    const pools = [1, 2, 3].map(() => db.another(2));
    const periods = [
      [0, 2],
      [1, 3],
      [0, 3],
    ] as const;
    const all = await Promise.all(periods.map((period, i) => upload([], period, pools[i])));
    expect(all.filter((each) => each.kind === "reconciled")).toHaveLength(1);
  });
});

test("they are listed newest first, of one provider or of all", async () => {
  const { id: first } = await found(await upload([]));
  const { id: second } = await found(await upload([], [2, 3]));
  const all = await listReconciliations(db.pool, { provider: PROVIDER, before: null, limit: 2 });
  expect(all.map(({ id }) => id)).toEqual([second, first]);
  const next = await listReconciliations(db.pool, { provider: undefined, before: second, limit: 1 });
  expect(next.map(({ id }) => id)).toEqual([first]);
  expect(await listReconciliations(db.pool, { provider: "nobody", before: null, limit: 1 })).toEqual([]);
});

test.each(["reconciled_period", "reconciliation", "reconciliation_line"])("%s only grows", async (table) => {
  await upload([invoiced(MODEL, 0, 1n)]);
  const RESTRICTED = "23001";
  const column = table === "reconciliation_line" ? "model" : "provider";
  expect(await outcomeOf(db.pool, `UPDATE ${table} SET ${column} = 'x'`)).toBe(RESTRICTED);
  expect(await outcomeOf(db.pool, `DELETE FROM ${table}`)).toBe(RESTRICTED);
  expect(await outcomeOf(db.pool, `TRUNCATE ${table} CASCADE`)).toBe(RESTRICTED);
});

test("after all of this every invariant of the books holds", async () => {
  const results = await checkBooks(db.pool, partsOf(db.pool).versions);
  expect(results.filter((r) => r.violations.length > 0)).toEqual([]);
});
