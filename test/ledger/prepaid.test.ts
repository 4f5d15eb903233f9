/** Hazard: prepaid money that is taken from the wrong grant, does not come back, or comes back as more than was taken. */
import { WINDOW } from "@contingent/core/job/job.fixture";
import { nanos } from "@contingent/core/money";
import { bringIn, type IncomingMoney } from "@contingent/ledger/bring-in";
import { checkBooks } from "@contingent/ledger/check-books";
import { expireGrants } from "@contingent/ledger/expire";
import { accountOf, availableOf, clockMoved, customerWith, granting } from "@contingent/testkit/customers";
import {
  acceptedJob,
  answer,
  claim,
  driveTo,
  happens,
  judge,
  loadedJob,
  newJob,
  OUTCOME_TYPE,
  partsOf,
  take,
} from "@contingent/testkit/jobs";
import type { CustomerId } from "@contingent/core/ids";
import { describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";

const db = databaseOfThisFile();
const HOUR_MS = 3_600_000;

/** 1,000 nanos for a success and 600 for a partial outcome: a hold of 1,000 that may come back in part. */
const TERMS = {
  price: {
    shape: "tiered",
    amount: nanos(1_000n),
    bands: [
      { fromScore: 0.5, fraction: 0.6 },
      { fromScore: 0.9, fraction: 1 },
    ],
  },
} as const;
/** The first verdict is the last. */
const ONE_ATTEMPT = { ...TERMS, attemptsMax: 1 };
const PARTIAL = [claim(), answer(), judge("partial"), happens("settled")] as const;
const FAILURE = [claim(), answer(), judge("fail"), happens("cancel"), happens("settled")] as const;
const SUCCESS = [claim(), answer(), judge("pass"), happens("settled")] as const;

async function slicesOf(jobId: `job_${string}`): Promise<unknown> {
  return (await loadedJob(db.pool, jobId)).hold.slices;
}

async function heldOf(customerId: CustomerId): Promise<bigint> {
  return (await accountOf(db.pool, customerId)).held;
}

describe("a hold takes its money", () => {
  test("from the lowest priority first, then from what expires first, then from what came in first", async () => {
    const soonMs = Date.now() + HOUR_MS;
    const { id, grants } = await customerWith(db.pool, {
      grants: [
        { amount: 100n, priority: 100 },
        { amount: 200n, priority: 100 },
        { amount: 300n, priority: 100, expiresAtMs: soonMs + HOUR_MS },
        { amount: 250n, priority: 100, expiresAtMs: soonMs },
        { amount: 50n, priority: 50 },
      ],
    });
    const job = await acceptedJob(db.pool, {
      customerId: id,
      terms: { price: { shape: "binary", amount: nanos(800n) } },
    });
    expect(await slicesOf(job)).toEqual([
      { grantId: grants[4], amount: 50n },
      { grantId: grants[3], amount: 250n },
      { grantId: grants[2], amount: 300n },
      { grantId: grants[0], amount: 100n },
      { grantId: grants[1], amount: 100n },
    ]);
    expect(await availableOf(db.pool, id)).toEqual([0n, 100n, 0n, 0n, 0n]);
    expect(await heldOf(id)).toBe(800n);
  });

  test("only from grants that are for its outcome type, and says what of the rest it could use", async () => {
    const { id, grants } = await customerWith(db.pool, {
      grants: [
        { amount: 5_000n, priority: 1, outcomeTypes: ["another"] },
        { amount: 1_000n, priority: 2, outcomeTypes: ["another", OUTCOME_TYPE] },
      ],
    });
    const job = await acceptedJob(db.pool, { customerId: id, terms: TERMS });
    expect(await slicesOf(job)).toEqual([{ grantId: grants[1], amount: 1_000n }]);
    await expect(acceptedJob(db.pool, { customerId: id, terms: TERMS })).rejects.toThrow("insufficient_prepaid");
    expect(await availableOf(db.pool, id)).toEqual([5_000n, 0n]);
  });

  test("as if a repeat beside it had not been there, which needs no money", async () => {
    const { id, grants } = await customerWith(db.pool, {
      grants: [
        { amount: 1_000n, priority: 1 },
        { amount: 1_000n, priority: 2 },
        { amount: 1_000n, priority: 3 },
      ],
    });
    const asked = { customerId: id, terms: TERMS };
    const repeated = { ...asked, outcomeKey: "bought" };
    await acceptedJob(db.pool, repeated);
    const { accept } = partsOf(db.pool);
    const [repeat, other] = [await newJob(db.pool, repeated), await newJob(db.pool, asked)];
    const [first, second] = await Promise.all([accept(repeat), accept(other)]);
    expect([first, second?.kind]).toEqual([null, "accepted"]);
    expect(await slicesOf(other.id)).toEqual([{ grantId: grants[1], amount: 1_000n }]);
    expect(await availableOf(db.pool, id)).toEqual([0n, 0n, 1_000n]);
  });

  test("never from a grant that has expired, though nobody has ended it yet", async () => {
    const { id } = await customerWith(db.pool, { grants: [{ amount: 1_000n, expiresAtMs: Date.now() + HOUR_MS }] });
    await clockMoved(db.pool, id, { byMs: HOUR_MS });
    await expect(acceptedJob(db.pool, { customerId: id, terms: TERMS })).rejects.toThrow("insufficient_prepaid");
  });
});

describe("when the job ends", () => {
  const THREE = { grants: [{ amount: 500n }, { amount: 300n }, { amount: 400n }] };

  test("the price is paid from the slices in their order, and each grant gets back exactly what is left of its slice", async () => {
    const { id } = await customerWith(db.pool, THREE);
    const job = await acceptedJob(db.pool, { customerId: id, terms: ONE_ATTEMPT });
    expect(await availableOf(db.pool, id)).toEqual([0n, 0n, 200n]);
    await take(db.pool, job, ...PARTIAL);
    // 600 of 1,000: all 500 of the first slice, 100 of the second one's 300, nothing of the third.
    expect(await availableOf(db.pool, id)).toEqual([0n, 200n, 400n]);
    expect(await accountOf(db.pool, id)).toMatchObject({ held: 0n, spent: 600n });
  });

  test("a success spends all that was held", async () => {
    const { id } = await customerWith(db.pool, THREE);
    await driveTo(db.pool, "closed", { customerId: id, terms: TERMS });
    expect(await availableOf(db.pool, id)).toEqual([0n, 0n, 200n]);
    expect(await accountOf(db.pool, id)).toMatchObject({ held: 0n, spent: 1_000n });
  });

  test("a failure gives everything back to where it came from", async () => {
    const { id } = await customerWith(db.pool, THREE);
    const job = await acceptedJob(db.pool, { customerId: id, terms: TERMS });
    await take(db.pool, job, ...FAILURE);
    expect(await availableOf(db.pool, id)).toEqual([500n, 300n, 400n]);
    expect(await accountOf(db.pool, id)).toMatchObject({ held: 0n, spent: 0n });
  });

  test("so does silence that releases", async () => {
    const { id } = await customerWith(db.pool, THREE);
    const acceptance = { ...WINDOW, onSilence: "release" } as const;
    const job = await driveTo(db.pool, "awaiting_acceptance", { customerId: id, terms: { ...TERMS, acceptance } });
    await take(db.pool, job, happens("woke"), happens("settled"));
    expect(await availableOf(db.pool, id)).toEqual([500n, 300n, 400n]);
  });

  test("many jobs of one customer that end at once leave exactly the sum", async () => {
    const { id } = await customerWith(db.pool, {
      grants: [{ amount: 7_500n }, { amount: 7_500n }, { amount: 7_500n }],
    });
    const jobs = await Promise.all(
      Array.from({ length: 20 }, () => acceptedJob(db.pool, { customerId: id, terms: TERMS })),
    );
    await Promise.all(jobs.map((job, n) => take(db.pool, job, ...(n % 2 === 0 ? SUCCESS : FAILURE))));
    const left = (await availableOf(db.pool, id)).reduce((sum, each) => sum + each, 0n);
    expect(left).toBe(12_500n);
    expect(await accountOf(db.pool, id)).toMatchObject({ held: 0n, spent: 10_000n });
  });
});

describe("what has expired", () => {
  async function expiries(customerId: CustomerId): Promise<readonly string[]> {
    const { rows } = await db.pool.query<{ line: string }>(
      `SELECT t.key || ' ' || p.amount_nanos AS line FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
        WHERE t.kind = 'expiry' AND t.customer_id = $1 AND p.amount_nanos > 0 ORDER BY t.id`,
      [customerId],
    );
    return rows.map(({ line }) => line);
  }

  test("goes to breakage once, by the customer's clock, and leaves the other grants alone", async () => {
    const expiresAtMs = Date.now() + HOUR_MS;
    const { id, grants } = await customerWith(db.pool, { grants: [{ amount: 700n, expiresAtMs }, { amount: 900n }] });
    await expireGrants(db.pool);
    expect(await expiries(id)).toEqual([]);
    await clockMoved(db.pool, id, { toMs: expiresAtMs });
    await Promise.all([expireGrants(db.pool), expireGrants(db.pool), expireGrants(db.pool)]);
    expect(await expireGrants(db.pool)).toBe(0);
    expect(await availableOf(db.pool, id)).toEqual([0n, 900n]);
    expect(await expiries(id)).toEqual([`expire:${grants[0]} 700`]);
    const { rows } = await db.pool.query("SELECT type, data FROM customer_event WHERE customer_id = $1", [id]);
    expect(rows).toEqual([{ type: "grant.expired", data: { grant: grants[0], amount: "0.0000007" } }]);
  });

  test("and comes back from a hold afterwards expires again, under the next number", async () => {
    const expiresAtMs = Date.now() + HOUR_MS;
    const { id, grants } = await customerWith(db.pool, { grants: [{ amount: 2_500n, expiresAtMs }] });
    const jobs = [
      await acceptedJob(db.pool, { customerId: id, terms: { ...ONE_ATTEMPT, deadlineMs: 2 * HOUR_MS } }),
      await acceptedJob(db.pool, { customerId: id, terms: { ...ONE_ATTEMPT, deadlineMs: 2 * HOUR_MS } }),
    ];
    await clockMoved(db.pool, id, { toMs: expiresAtMs });
    await expireGrants(db.pool);
    for (const job of jobs) {
      await take(db.pool, job, ...PARTIAL);
      await expireGrants(db.pool);
    }
    const of = grants[0];
    expect(await expiries(id)).toEqual([`expire:${of} 500`, `expire:${of}:2 400`, `expire:${of}:3 400`]);
    expect(await availableOf(db.pool, id)).toEqual([0n]);
  });
});

describe("money comes in", () => {
  const money = (customerId: CustomerId, changes: Partial<IncomingMoney> = {}): IncomingMoney => ({
    customerId,
    kind: "top_up",
    ref: "bank-1",
    amount: nanos(1_000n),
    priority: 100,
    expiresAtMs: null,
    outcomeTypes: ["a", "b"],
    ...changes,
  });

  test("once for each reference, whoever repeats it and in whatever order its outcome types stand", async () => {
    const { id } = await customerWith(db.pool, { billing: "prepaid" });
    const brought = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        bringIn(db.pool, money(id, n % 2 === 0 ? {} : { outcomeTypes: ["b", "a"] })),
      ),
    );
    expect(brought.filter((each) => each.kind === "granted" && each.isNew)).toHaveLength(1);
    expect(new Set(brought.map((each) => (each.kind === "granted" ? each.grant.id : each.kind))).size).toBe(1);
    expect(await availableOf(db.pool, id)).toEqual([1_000n]);
    // A promotion has references of its own.
    expect(await bringIn(db.pool, money(id, { kind: "promotion" }))).toMatchObject({ kind: "granted", isNew: true });
  });

  test.each([
    ["amount", { amount: nanos(1_001n) }],
    ["priority", { priority: 99 }],
    ["end", { expiresAtMs: Date.now() + HOUR_MS }],
    ["outcome types", { outcomeTypes: null }],
  ])("not again for a reference with another %s", async (_, changes) => {
    const { id } = await customerWith(db.pool, { billing: "prepaid" });
    await bringIn(db.pool, money(id));
    expect(await bringIn(db.pool, money(id, changes))).toMatchObject({ kind: "ref_reused", grant: { amount: 1_000n } });
    expect(await availableOf(db.pool, id)).toEqual([1_000n]);
  });

  test("not for a customer who is billed on account, nor for one that does not exist, nor when it has ended already", async () => {
    const onAccount = await customerWith(db.pool);
    expect(await bringIn(db.pool, money(onAccount.id))).toEqual({ kind: "on_account" });
    expect(await bringIn(db.pool, money("cus_nobody"))).toEqual({ kind: "no_customer" });
    const { id } = await customerWith(db.pool, { billing: "prepaid" });
    const now = await clockMoved(db.pool, id, { byMs: HOUR_MS });
    expect(await bringIn(db.pool, money(id, { expiresAtMs: now }))).toMatchObject({ kind: "expired" });
    const { rows } = await db.pool.query("SELECT FROM ledger_transaction WHERE customer_id = ANY($1)", [
      [onAccount.id, id],
    ]);
    expect(rows).toHaveLength(0);
  });
});

describe("a low balance", () => {
  test("is told once, and again only after more money has come in", async () => {
    const { id } = await customerWith(db.pool, { alertBelow: 1_500n, grants: [{ amount: 4_000n }] });
    const told = async (): Promise<number> =>
      (await db.pool.query("SELECT FROM customer_event WHERE type = 'prepaid.balance_low' AND customer_id = $1", [id]))
        .rowCount ?? 0;
    const submit = () => acceptedJob(db.pool, { customerId: id, terms: TERMS });
    await submit();
    await submit();
    expect(await told()).toBe(0);
    const third = await submit();
    expect(await told()).toBe(1);
    // The balance goes up and down again without any money coming in.
    await take(db.pool, third, ...FAILURE);
    await submit();
    await submit();
    expect(await told()).toBe(1);
    await granting(db.pool, id, { amount: 2_000n });
    await submit();
    expect(await told()).toBe(2);
  });
});

test("and after all of it every invariant holds", async () => {
  const results = await checkBooks(db.pool, partsOf(db.pool).versions);
  expect(results.filter((r) => r.violations.length > 0)).toEqual([]);
});
