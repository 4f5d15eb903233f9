/** Hazard: a margin that leaves costs out, counts something twice, or depends on what has been rolled up yet. */
import { nanos, ZERO } from "@contingent/core/money";
import type { JobId } from "@contingent/core/ids";
import { newId } from "@contingent/db/ids";
import { openPool, type OpenPool } from "@contingent/db/pool";
import { type Margin, type MarginDimension, readMargin } from "@contingent/ledger/bookkeeping/margin";
import { bookLateCost } from "@contingent/ledger/late-cost";
import {
  acceptedJob,
  answer,
  claim,
  CUSTOMER,
  driveTo,
  happens,
  inquires,
  judge,
  replies,
  take,
} from "@contingent/testkit/jobs";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Leg } from "./by-hand.ts";
import { credit } from "./charged.ts";
import { backdate, faultsWith, rollupFaults, sealAll, tamper } from "./sealing.ts";

let database: TestDatabase;
let pool: OpenPool;

async function open(): Promise<void> {
  database = await freshDatabase();
  pool = openPool(database.url, { applicationName: "test" });
}

async function close(): Promise<void> {
  await pool.end();
  await database.drop();
}

const OTHER = "cus_another";
const EVERYTHING: readonly [MarginDimension, ...MarginDimension[]] = [
  "day",
  "customer",
  "outcome_type_version",
  "tier",
  "model",
];

/** A job that fails on its first answer and is given up. */
async function failed(customerId: typeof CUSTOMER = CUSTOMER): Promise<JobId> {
  const id = await acceptedJob(pool, { customerId });
  await take(pool, id, claim(), answer(300n), judge("fail"), happens("cancel"), happens("settled"));
  return id;
}

/** A job that escalates: each failed answer costs, and the tier that succeeds is the one that earns. */
async function escalated(): Promise<void> {
  const id = await acceptedJob(pool);
  for (;;) {
    const job = await take(pool, id, claim(), answer(100n), judge("fail"));
    if (job.state !== "queued") throw new Error("it ended before it escalated");
    if (job.progress.step > 0) break;
  }
  await take(pool, id, claim(), answer(700n), judge("pass"), happens("settled"));
}

/** A job whose answer is lost, and which is given up; the answer arrives after the job was closed. */
async function lostAndFound(cost: bigint, meanwhile: () => Promise<void>): Promise<void> {
  const id = await acceptedJob(pool);
  await take(pool, id, claim(), happens("woke"), happens("cancel"), happens("settled"));
  await meanwhile();
  const { rows } = await pool.query<{ id: `att_${string}` }>({
    text: "SELECT id FROM attempt WHERE job_id = $1",
    values: [id],
  });
  const told = {
    provider: "anthropic",
    model: "small",
    usage: null,
    inputTokens: 1,
    outputTokens: 1,
    currency: "USD",
  } as const;
  const attemptId = rows[0]?.id ?? "att_none";
  expect(await bookLateCost(pool, { ...told, jobId: id, attemptId, cost: nanos(cost) })).toBe(true);
}

async function profit(): Promise<bigint> {
  const { rows } = await pool.query<{ total: bigint }>(`
    SELECT coalesce(-sum(amount_nanos), 0)::bigint AS total FROM posting
     WHERE account_class LIKE 'revenue:%' OR account_class LIKE 'contra_revenue:%' OR account_class LIKE 'cogs%'
        OR account_class IN ('breakage', 'rounding')`);
  return rows[0]?.total ?? 0n;
}

async function jobsMargin(): Promise<bigint> {
  const { rows } = await pool.query<{ total: bigint }>(`
    SELECT (coalesce((SELECT sum(amount_nanos) FROM charge), 0) - coalesce((SELECT sum(cost_nanos) FROM attempt), 0)
            - coalesce((SELECT sum(amount_nanos) FROM credit_note), 0) - coalesce((SELECT sum(cost_nanos) FROM verdict), 0)
            - coalesce((SELECT sum(cost_nanos) FROM inquiry), 0))::bigint AS total`);
  return rows[0]?.total ?? 0n;
}

function marginOf({ revenue, credits, adjustments, cost }: Margin["totals"]): bigint {
  return revenue - credits - adjustments - cost;
}

async function expectTruth(): Promise<void> {
  const { totals, lines } = await readMargin(pool, { groupBy: EVERYTHING });
  expect(marginOf(totals)).toBe(await profit());
  expect(marginOf(totals)).toBe(await jobsMargin());
  expect(lines.reduce((sum, line) => sum + marginOf(line), 0n)).toBe(marginOf(totals));
  expect(await rollupFaults(pool)).toEqual([]);
}

describe("the figures", () => {
  beforeEach(open);
  afterEach(close);

  test("of nothing are none", async () => {
    const { totals, lines } = await readMargin(pool, { groupBy: ["outcome_type"] });
    expect(lines).toEqual([]);
    expect(totals).toEqual({
      closed: 0,
      billed: 0,
      partial: 0,
      failed: 0,
      calls: 0,
      revenue: ZERO,
      credits: ZERO,
      adjustments: ZERO,
      cost: ZERO,
      absorbed: ZERO,
    });
  });

  test("are of all jobs, the costs of failed ones included, by tier and model", async () => {
    await driveTo(pool, "closed");
    await failed();
    await escalated();
    await driveTo(pool, "validating");
    const { lines, totals } = await readMargin(pool, { groupBy: ["tier", "model"] });
    expect(totals).toMatchObject({ closed: 3, billed: 2, partial: 0, failed: 1, absorbed: 300n });
    // The escalated job's first tier cost twice what an answer did there; what it earned counts where it succeeded.
    expect(
      lines.map(({ tier, model, closed, billed, failed: lost, cost }) => [tier, model, closed, billed, lost, cost]),
    ).toEqual([
      ["fast", "small", 2, 1, 1, 400n + 300n + 2n * 100n + 400n],
      ["standard", "medium", 1, 1, 0, 700n],
    ]);
    await expectTruth();
  });

  test("count what a verdict and an inquiry cost in the tier of the attempt that they are on, under the name of who is paid", async () => {
    const validation = { provider: "judges", name: "court", cost: nanos(70n) };
    const id = await acceptedJob(pool, { terms: { validation } });
    await take(pool, id, claim(), answer(300n), inquires(), replies(200n), judge("fail"), happens("cancel"));
    await take(pool, id, happens("settled"));
    const { lines } = await readMargin(pool, { groupBy: ["tier", "model"] });
    expect(lines.map(({ tier, model, calls, cost, absorbed }) => [tier, model, calls, cost, absorbed])).toEqual([
      ["fast", "court", 0, 70n, 70n],
      ["fast", "medium", 0, 200n, 200n],
      ["fast", "small", 1, 300n, 300n],
    ]);
    await expectTruth();
    await sealAll(pool);
    await expectTruth();
  });

  test("count what a partial earned where it was reached, and not where the job ended", async () => {
    const bands = [{ fromScore: 0.5, fraction: 0.5 }];
    const terms = {
      attemptsMax: 3,
      partialAt: 0.5,
      price: { shape: "tiered", amount: nanos(1_000_000n), bands },
    } as const;
    const id = await acceptedJob(pool, { terms });
    await take(pool, id, claim(), answer(100n), judge("partial"), claim(), answer(100n), judge("fail"));
    await take(pool, id, claim(), answer(700n), judge("fail"), happens("settled"));
    const { lines } = await readMargin(pool, { groupBy: ["tier"] });
    expect(lines.map(({ tier, closed, billed, partial, revenue }) => [tier, closed, billed, partial, revenue])).toEqual(
      [
        ["fast", 1, 1, 1, 500_000n],
        ["standard", 0, 0, 0, 0n],
      ],
    );
    expect(lines.map(({ calls, cost, absorbed }) => [calls, cost, absorbed])).toEqual([
      [2, 200n, 0n],
      [1, 700n, 0n],
    ]);
    await expectTruth();
  });

  test("have a place for every account of profit and loss, also for what belongs to no job", async () => {
    const id = await driveTo(pool, "closed");
    const book = async (
      kind: string,
      of: { job?: JobId; customer?: string },
      ...postings: readonly Leg[]
    ): Promise<void> => {
      const lines = postings.map(([account, whose, amount]) => [account, whose, amount.toString()]);
      const entry = {
        id: newId("txn"),
        kind,
        key: `${kind}:by-hand`,
        job_id: of.job,
        customer_id: of.customer,
        currency: "USD",
        postings: lines,
      };
      // With the guards off: statements, which book some of these, would take a month to be closed.
      await tamper(pool, `SELECT book('${JSON.stringify([entry])}'::jsonb)`);
    };
    const job = { job: id, customer: CUSTOMER };
    const customer = { customer: CUSTOMER };
    const before = (await readMargin(pool, { groupBy: ["tier"] })).totals;
    expect(await credit(pool, id, 7n, "courtesy")).toMatchObject({ kind: "issued" });
    await book("earn", job, ["revenue:accrued", "", 50n], ["revenue:earned", "", -50n]);
    await book("adjustment", customer, ["contra_revenue:adjustment", "", 11n], ["receivable:unbilled", CUSTOMER, -11n]);
    await book("rounding", customer, ["rounding", "", 2n], ["receivable:unbilled", CUSTOMER, -2n]);
    await book("commitment", customer, ["receivable:unbilled", CUSTOMER, 13n], ["revenue:commitment", "", -13n]);
    await book("expiry", customer, ["customer:prepaid", "gra_x", 17n], ["breakage", "", -17n]);
    await book("reconciliation", {}, ["cogs:drift", "anthropic", 19n], ["payable", "anthropic", -19n]);
    for (const seal of [async () => {}, () => sealAll(pool)]) {
      await seal();
      const { lines, totals } = await readMargin(pool, { groupBy: ["customer", "tier"] });
      expect(totals).toMatchObject({
        revenue: before.revenue + 13n + 17n,
        credits: 7n,
        adjustments: 11n + 2n,
        cost: before.cost + 19n,
        closed: 1,
      });
      expect(marginOf(totals)).toBe(await profit());
      expect(lines.map((line) => [line.customerId, line.tier, line.credits, line.adjustments])).toEqual([
        [CUSTOMER, "fast", 7n, 0n],
        [CUSTOMER, null, 0n, 13n],
        [null, null, 0n, 0n],
      ]);
      expect(await rollupFaults(pool)).toEqual([]);
    }
  });

  test("are the same before, between and after sealing", async () => {
    await driveTo(pool, "closed");
    await failed();
    const half = await readMargin(pool, { groupBy: EVERYTHING });
    await sealAll(pool);
    expect(await readMargin(pool, { groupBy: EVERYTHING })).toEqual(half);
    await escalated();
    await failed(OTHER);
    const whole = await readMargin(pool, { groupBy: EVERYTHING });
    expect(whole.totals.closed).toBe(4);
    await expectTruth();
    await sealAll(pool, 3);
    expect(await readMargin(pool, { groupBy: EVERYTHING })).toEqual(whole);
    await expectTruth();
  });

  test.each([
    ["before anything is sealed", false],
    ["after the closing was sealed", true],
  ])("absorb a cost that becomes known late, %s", async (_, isSealed) => {
    await lostAndFound(77n, async () => {
      if (isSealed) await sealAll(pool);
      const { totals } = await readMargin(pool, { groupBy: ["day"] });
      expect(totals.absorbed).toBe(totals.cost);
    });
    expect((await readMargin(pool, { groupBy: ["day"] })).totals).toMatchObject({
      cost: 77n,
      absorbed: 77n,
      revenue: 0n,
    });
    await expectTruth();
    await sealAll(pool);
    expect((await readMargin(pool, { groupBy: ["day"] })).totals).toMatchObject({ cost: 77n, absorbed: 77n });
    await expectTruth();
  });

  test("absorb what was spent and sealed before the job was closed, on the day it was spent", async () => {
    const id = await acceptedJob(pool);
    await take(pool, id, claim(), answer(300n), judge("fail"));
    await backdate(pool, id, 1);
    await sealAll(pool);
    expect((await readMargin(pool, { groupBy: ["day"] })).totals).toMatchObject({ cost: 300n, absorbed: 0n });
    await take(pool, id, happens("cancel"), happens("settled"));
    const open = await readMargin(pool, { groupBy: ["day"] });
    expect(open.lines.map((line) => [line.cost, line.absorbed, line.failed])).toEqual([
      [300n, 300n, 0],
      [0n, 0n, 1],
    ]);
    await sealAll(pool);
    expect(await readMargin(pool, { groupBy: ["day"] })).toEqual(open);
    await expectTruth();
  });
});

describe("a query", () => {
  beforeEach(open);
  afterEach(close);

  test("names what it is grouped by and nothing else", async () => {
    await driveTo(pool, "closed");
    const { lines } = await readMargin(pool, { groupBy: ["customer", "outcome_type_version"] });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ customerId: CUSTOMER, outcomeType: "fixture", version: 1, billed: 1 });
    expect(Object.keys(lines[0] ?? {})).not.toContain("tier");
  });

  test("is limited to a customer, an outcome type and days, sealed or not", async () => {
    await driveTo(pool, "closed");
    const other = await failed(OTHER);
    await backdate(pool, other, 3);
    for (const seal of [async () => {}, () => sealAll(pool)]) {
      await seal();
      const closed = async (filter: Omit<Parameters<typeof readMargin>[1], "groupBy">): Promise<number> =>
        (await readMargin(pool, { groupBy: ["day"], ...filter })).totals.closed;
      expect(await closed({})).toBe(2);
      expect(await closed({ customerId: OTHER })).toBe(1);
      expect(await closed({ customerId: "cus_none" })).toBe(0);
      expect(await closed({ outcomeType: "fixture" })).toBe(2);
      expect(await closed({ outcomeType: "other" })).toBe(0);
      const [earlier, later] = (await readMargin(pool, { groupBy: ["day"] })).lines.map((line) => line.day);
      expect(await closed({ from: later })).toBe(1);
      expect(await closed({ until: later })).toBe(1);
      expect(await closed({ from: earlier, until: later, customerId: CUSTOMER })).toBe(0);
    }
  });
});

describe("the check of the roll-ups", () => {
  const OF_TODAY = "WHERE day = (SELECT max(day) FROM margin_rollup)";
  /** The number of today's block; there is one of yesterday before it. */
  let block: number;

  beforeAll(async () => {
    await open();
    await backdate(pool, await driveTo(pool, "closed"), 1);
    await sealAll(pool);
    await failed();
    await sealAll(pool);
    const { rows } = await pool.query<{ number: number }>("SELECT max(number) AS number FROM ledger_block");
    block = rows[0]?.number ?? 0;
  });
  afterAll(close);

  test("finds nothing in roll-ups that are in order", async () => {
    expect([await rollupFaults(pool), await rollupFaults(pool, block)]).toEqual([[], []]);
  });

  test.each([
    [
      "an account's movement",
      "UPDATE account_movement SET debit_nanos = debit_nanos + 1, credit_nanos = credit_nanos + 1",
    ],
    ["a number of postings", "UPDATE account_movement SET postings = postings + 1"],
    ["a movement that is missing", "DELETE FROM account_movement"],
  ])("finds %s: of a day since the block, and of any day in full", async (_, damage) => {
    const today = "day = (SELECT max(day) FROM account_movement) AND account_class = 'payable'";
    const { inFull, since } = await faultsWith(pool, `${damage} WHERE ${today}`, block);
    expect(inFull).not.toEqual([]);
    expect(since).not.toEqual([]);
  });

  test("leaves the postings of earlier days to the full check", async () => {
    const { inFull, since } = await faultsWith(
      pool,
      `UPDATE account_movement SET debit_nanos = debit_nanos + 1, credit_nanos = credit_nanos + 1
        WHERE day = (SELECT min(day) FROM account_movement) AND account_class = 'payable'`,
      block,
    );
    expect(inFull).not.toEqual([]);
    expect(since.filter((what) => what.includes("payable"))).toEqual([]);
  });

  test.each(["revenue_nanos", "credits_nanos", "adjustments_nanos", "cost_nanos"])(
    "finds another %s in the margins, since whatever block",
    async (measure) => {
      const damage = `UPDATE margin_rollup SET ${measure} = ${measure} + 1 WHERE day = (SELECT min(day) FROM margin_rollup)`;
      const { inFull, since } = await faultsWith(pool, damage, block);
      expect(inFull).not.toEqual([]);
      expect(since).not.toEqual([]);
    },
  );

  test.each(["absorbed_nanos", "closed", "billed", "partial", "failed", "calls"])(
    "finds another %s in the margins, in full",
    async (measure) => {
      const damage = `UPDATE margin_rollup SET ${measure} = ${measure} + 1 ${OF_TODAY}`;
      const { inFull } = await faultsWith(pool, damage, block);
      expect(inFull).toEqual([expect.stringMatching(/^margin of /)]);
    },
  );

  test("finds a margin that moved to another line, in full", async () => {
    const { inFull } = await faultsWith(pool, `UPDATE margin_rollup SET tier = 'premium' ${OF_TODAY}`, block);
    expect(inFull).toHaveLength(2);
  });
});
