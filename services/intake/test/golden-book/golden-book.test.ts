/**
 * The golden book: a January of one prepaid customer, Meridian, in which every kind of transaction happens, and of one who
 * pays on account, Birch. What is booked stands in `book.txt`, the statements in `statements.json` and `statements.csv`; both
 * were added up by hand as it is written here. `GOLDEN=write npm test golden-book` writes the files again: then the
 * difference is what a change does to a customer's bill, and has to be read line by line.
 *
 * What is sold: an outcome for 2.00 when it scores 0.9 or more, for 60 % of that from 0.5 on. A charge may be disputed for
 * ten days. Meridian has agreed: the first outcome of a month is free, the others are 10 % off, and a month comes to at
 * least 8.005 in all.
 *
 * Jan 2   Meridian pays in 10.00. The operator gives 5.00 more, to be spent first, until Jan 12.
 * Jan 3   A succeeds. Held 2.00 of the gift, charged 2.00.                         gift 3.00   paid in 10.00
 * Jan 4   B is good in part, at 0.6. Held 2.00 of the gift, charged 60 %: 1.20,
 *         and 0.80 goes back to where it came from.                                gift 1.80   paid in 10.00
 * Jan 5   C fails. Held were the gift's 1.80 and 0.20 that was paid in; each gets
 *         its own back. The attempt's cost is the operator's loss.                 gift 1.80   paid in 10.00
 * Jan 7   Meridian disputes B, all 1.20. The operator gives back 0.40: the doubt
 *         ends, and 0.40 is prepaid money of its own, to be spent first.           credit 0.40
 * Jan 12  What is left of the gift, 1.80, expires.                                 gift 0.00
 * Jan 13  D succeeds at the second try. Held 0.40 of the credit and 1.60 that was
 *         paid in, charged 2.00. The first call was lost: its worst case, 0.0015,
 *         stands in the books until the provider says that it was 0.0010.          credit 0.00  paid in 8.40
 * Jan 15  A's and B's ten days are over: 2.00 and 1.20 are earned. (B's credit is
 *         in contra-revenue; the charge itself is earned as it was made.)
 * Jan 20  Birch, on account: E succeeds. 2.00 was only authorized and is now owed.
 * Jan 21  Birch gets 0.50 of it off, as a courtesy: 1.50 is owed.
 * Jan 24  D's ten days are over: 2.00 is earned.
 *         The provider's invoice is 0.0003 more than what calls are booked at: drift.
 * Feb 2   January is closed, at its last millisecond.
 *         Meridian:  A 2.00, free                          allowance 2.00   net 0.00
 *                    B 1.20, of which 0.40 was given back;
 *                      10 % off the other 0.80             discount  0.08   net 1.12
 *                    D 2.00, 10 % off                      discount  0.20   net 1.80
 *                    C nothing
 *           The lines come to 2.92; to 8.005 there are 5.085 missing: the true-up. Prepaid money has paid 5.20; of that
 *           come back the allowance's 2.00 and the discount's 0.28, as prepaid money of their own. Only the true-up is
 *           owed: 5.085, in whole cents 5.09, of which 0.005 is rounding.
 *         Birch: E 2.00 less the credit of 0.50: 1.50 is owed, and nothing is rounded.
 * Feb 3   Both pay. E's ten days are over, too: 2.00 is earned.
 *
 * In the end: cash 10.00 + 5.09 + 1.50 = 16.59. Earned 2.00 + 1.20 + 2.00 + 2.00 = 7.20, less 0.40 and 0.50 of credits, 2.00
 * of allowance and 0.28 of discount; true-up 5.085, rounding 0.005, breakage 1.80, gift −5.00. Meridian has 8.40 + 2.00 +
 * 0.28 = 10.68 left. Calls have cost 5 × 0.0012 + 0.0010 = 0.0070, and 0.0003 of drift: 0.0073 is owed to the provider.
 */
import fs from "node:fs";
import path from "node:path";
import { TRANSACTION_KINDS } from "@contingent/core/books/accounts";
import type { AttemptId, CustomerId, JobId, KeyId } from "@contingent/core/ids";
import { rate, ratesOf } from "@contingent/core/job/job.fixture";
import { nanos, parseMoney, ZERO } from "@contingent/core/money";
import { periodAt, statementIdOf } from "@contingent/core/statement/period";
import { changeBilling } from "@contingent/db/customer-billing";
import { publishTerms } from "@contingent/db/customer-terms";
import { newId } from "@contingent/db/ids";
import { createKey } from "@contingent/db/keys";
import { checkBooks } from "@contingent/ledger/check-books";
import { correctCost } from "@contingent/ledger/correct-cost";
import { issueCreditNote } from "@contingent/ledger/disputes/credit-note";
import { openDispute } from "@contingent/ledger/disputes/open-dispute";
import { resolveDispute } from "@contingent/ledger/disputes/resolve-dispute";
import { earnDue } from "@contingent/ledger/earn";
import { expireGrants } from "@contingent/ledger/expire";
import { reconcile } from "@contingent/ledger/reconcile";
import { closeStatement } from "@contingent/ledger/statement/close";
import { payStatement } from "@contingent/ledger/statement/pay";
import { clockMoved, customerWith, granting } from "@contingent/testkit/customers";
import {
  acceptedJob,
  answer,
  happens,
  judge,
  OUTCOME_TYPE,
  partsOf,
  take,
  type TestStep,
} from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, startApi } from "../harness.ts";
import { journalOf, trialBalanceOf } from "./ledger-text.ts";

const DAY_MS = 86_400_000;
const YEAR = new Date().getUTCFullYear() + 1;
const JANUARY_MS = Date.UTC(YEAR, 0, 1);
const TERMS = {
  price: {
    shape: "tiered",
    amount: usd("2.00"),
    bands: [
      { fromScore: 0.5, fraction: 0.6 },
      { fromScore: 0.9, fraction: 1 },
    ],
  },
  costCap: usd("0.05"),
  disputeWindowMs: 10 * DAY_MS,
} as const;
/** A call reserves 1,000 tokens at a micro-dollar and 100 at five: 0.0015. */
const RATES = ratesOf(rate("small", 1_000n, 5_000n));
const CALL = usd("0.0012");

let api: Api;
let birch: CustomerId;
let operator: KeyId;
/** What ids are called in the files. */
const names = new Map<string, string>();

function usd(text: string): ReturnType<typeof nanos> {
  return parseMoney(text) ?? ZERO;
}

function claim(): TestStep {
  const call = { inputTokens: 1_000, exact: true, rates: RATES, away: new Set<string>(), mustWait: false };
  return () => ({ type: "claim", attemptId: newId("att"), ...call });
}

/** The texts with names for ids; ids that nobody has named are called by what they are, in the order of their appearance. */
function named(text: string): string {
  return text.replaceAll(/\b(?:cus|job|gra|att|vrd|dsp|crn|stm)_[0-9a-z]+/g, (id) => {
    const known = names.get(id);
    if (known !== undefined) return known;
    const [prefix = ""] = id.split("_");
    const count = [...names.values()].filter((name) => name.startsWith(`${prefix}-`)).length;
    names.set(id, `${prefix}-${count + 1}`);
    return named(id);
  });
}

/** Neither the year, nor the moment within an hour, nor a hash over ids is the same the next time. */
function steady(text: string): string {
  return named(text)
    .replaceAll(new RegExp(`\\b${YEAR}(?=-)`, "g"), "YYYY")
    .replaceAll(/T(\d\d):\d\d:\d\d(?:\.\d+)?Z/g, "T$1h")
    .replaceAll(/(recon:anthropic):[-\d]+:[-\d]+/g, "$1:today")
    .replaceAll(/sha256:[0-9a-f]{64}/g, "sha256:…");
}

/** Both customers' clocks show this day of January (or of what follows), nine o'clock. */
async function on(day: number): Promise<void> {
  const toMs = JANUARY_MS + (day - 1) * DAY_MS + 9 * 3_600_000;
  for (const id of [api.customerId, birch]) await clockMoved(api.pool, id, { toMs });
}

async function job(name: string, customerId: CustomerId, attemptsMax: number, ...steps: TestStep[]): Promise<JobId> {
  const id = await acceptedJob(api.pool, { customerId, outcomeKey: name, terms: { ...TERMS, attemptsMax } });
  names.set(id, name);
  await take(api.pool, id, ...steps, happens("settled"));
  return id;
}

beforeAll(async () => {
  api = await startApi();
  ({ id: birch } = await customerWith(api.pool));
  names.set(api.customerId, "meridian").set(birch, "birch");
  ({ id: operator } = await createKey(api.pool, { kind: "operator", label: "the books", mode: "test" }));
  await meridianAgreesAndPaysIn();
  await meridianBuys();
  await meridianGoesOn();
  await birchBuys();
  await januaryIsClosed();
  await nameGrants();
});
afterAll(() => api[Symbol.asyncDispose]());

async function meridianAgreesAndPaysIn(): Promise<void> {
  const { pool, customerId: meridian } = api;
  const settings = { billing: "prepaid", limit: null, alertShares: [], alertBelow: null, openJobsMax: null } as const;
  expect(await changeBilling(pool, meridian, settings)).toBe("changed");
  await on(1);
  const terms = {
    prices: {},
    outcomeTypes: { [OUTCOME_TYPE]: { allowance: 1, bands: null } },
    discountShare: 0.1,
    discountFixed: ZERO,
    commitmentMinimum: usd("8.005"),
  };
  await publishTerms(pool, meridian, { definition: {}, terms, effectiveFromMs: null });
  await on(2);
  const paidIn = await granting(pool, meridian, { amount: usd("10.00"), ref: "transfer-1" });
  const expiresAtMs = JANUARY_MS + 11 * DAY_MS;
  const promotion = { kind: "promotion", ref: "welcome", priority: 50, expiresAtMs } as const;
  const gift = await granting(pool, meridian, { amount: usd("5.00"), ...promotion });
  names.set(paidIn, "paid-in").set(gift, "gift");
}

async function meridianBuys(): Promise<void> {
  const { pool, customerId: meridian } = api;
  await on(3);
  await job("A", meridian, 1, claim(), answer(CALL), judge("pass"));
  await on(4);
  const jobId = await job("B", meridian, 1, claim(), answer(CALL), judge("partial"));
  await on(5);
  await job("C", meridian, 1, claim(), answer(CALL), judge("fail"));
  await on(7);
  const reverification = { stands: true };
  const opened = await openDispute(pool, { jobId, reason: "The date is missing.", asked: null, reverification });
  if (opened.kind !== "opened") throw new Error(opened.kind);
  const end = { outcome: "credit", amount: usd("0.40"), reason: "A third of it was." } as const;
  expect(await resolveDispute(pool, opened.id, end)).toEqual({ kind: "resolved" });
}

async function meridianGoesOn(): Promise<void> {
  const { pool, customerId: meridian } = api;
  await on(12);
  expect(await expireGrants(pool)).toBe(1);
  await on(13);
  const jobId = await job("D", meridian, 2, claim(), happens("woke"), claim(), answer(CALL), judge("pass"));
  const lost = "SELECT id FROM attempt WHERE job_id = $1 AND number = 1";
  const { rows } = await pool.query<{ id: AttemptId }>(lost, [jobId]);
  const attemptId = rows[0]?.id ?? "att_none";
  const correction = { attemptId, amount: usd("0.0010"), reason: "The provider's log.", correctedBy: operator };
  expect(await correctCost(pool, correction)).toBe("corrected");
  await on(15);
  expect(await earnDue(pool, 10)).toBe(2);
}

async function birchBuys(): Promise<void> {
  const { pool } = api;
  await on(20);
  const jobId = await job("E", birch, 1, claim(), answer(CALL), judge("pass"));
  await on(21);
  const note = { jobId, amount: usd("0.50"), reason: "A courtesy.", ref: "courtesy" };
  expect((await issueCreditNote(pool, note)).kind).toBe("issued");
  await on(24);
  expect(await earnDue(pool, 10)).toBe(1);
  await invoice();
}

async function januaryIsClosed(): Promise<void> {
  const { pool, customerId: meridian } = api;
  const statements = [meridian, birch].map((id) => statementIdOf(id, periodAt(JANUARY_MS)));
  await on(33);
  for (const [n, statementId] of statements.entries()) {
    names.set(statementId, `january-of-${n === 0 ? "meridian" : "birch"}`);
    expect((await closeStatement(pool, statementId)).kind).toBe("begun");
  }
  await on(34);
  for (const [n, statementId] of statements.entries()) {
    const [ref, amount] = n === 0 ? ["bank-1", usd("5.09")] : ["bank-2", usd("1.50")];
    expect(await payStatement(pool, { statementId, ref, amount })).toEqual({ kind: "paid" });
  }
  expect(await earnDue(pool, 10)).toBe(1);
}

/** The provider's invoice: what is booked, day by day, and 0.0003 more on the first one. */
async function invoice(): Promise<void> {
  const booked = `
    SELECT (t.dated_at AT TIME ZONE 'UTC')::date::text AS day, sum(p.amount_nanos)::bigint AS amount
      FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id AND p.account_class = 'cogs' GROUP BY 1 ORDER BY 1`;
  const { rows } = await api.pool.query<{ day: string; amount: bigint }>(booked);
  const lines = rows.map(({ day, amount }, n) => ({
    model: "small",
    day,
    amount: nanos(n === 0 ? amount + usd("0.0003") : amount),
  }));
  const from = rows[0]?.day ?? "";
  const until = new Date(Date.parse(rows.at(-1)?.day ?? "") + DAY_MS).toISOString().slice(0, 10);
  const period = { provider: "anthropic", from, until };
  expect((await reconcile(api.pool, { period, lines, currency: "USD", uploadedBy: operator })).kind).toBe("reconciled");
}

/** Grants that were not asked for are called by where they come from. */
async function nameGrants(): Promise<void> {
  const text =
    "SELECT id, kind, split_part(ref, ':', 2) AS because FROM credit_grant WHERE kind IN ('credit', 'rebate')";
  const { rows } = await api.pool.query<{ id: string; kind: string; because: string }>(text);
  for (const { id, kind, because } of rows) names.set(id, kind === "credit" ? "credit-for-B" : `rebate-${because}`);
}

/** What the file says, after it was written where that is asked for. */
function golden(name: string, text: string): string {
  const file = path.join(import.meta.dirname, name);
  if (process.env["GOLDEN"] === "write") fs.writeFileSync(file, text);
  return fs.readFileSync(file, "utf8");
}

describe("the golden book", () => {
  test("has every kind of transaction, each as it was added up by hand", async () => {
    const { rows } = await api.pool.query<{ kind: string }>("SELECT DISTINCT kind FROM ledger_transaction");
    expect(rows.map(({ kind }) => kind).toSorted()).toEqual(TRANSACTION_KINDS.toSorted());
    const journal = await journalOf(api.pool, named);
    const balance = await trialBalanceOf(api.pool, named);
    const book = `${steady(journal)}\n\n\nTrial balance\n\n${steady(balance)}\n`;
    expect(book).toBe(golden("book.txt", book));
  });

  test("comes to the statements that the customers get", async () => {
    const bodies: unknown[] = [];
    const files: string[] = [];
    for (const id of [api.customerId, birch]) {
      const path = `/v1/statements/${statementIdOf(id, periodAt(JANUARY_MS))}`;
      bodies.push(await api.operator.call({ path }));
      files.push(String((await api.operator.send({ path: `${path}/csv` })).body).replaceAll("\r\n", "\n"));
    }
    const [json, csv] = [`${steady(JSON.stringify(bodies, null, 2))}\n`, steady(files.join("\n"))];
    expect(json).toBe(golden("statements.json", json));
    expect(csv).toBe(golden("statements.csv", csv));
  });

  test("breaks no invariant", async () => {
    const results = await checkBooks(api.pool, partsOf(api.pool).versions);
    expect(results.flatMap(({ violations }) => violations)).toEqual([]);
  });
});
