/** Hazard: a statement that says something else than the books. */
import type { StatementTotals } from "@contingent/core/statement/totals";
import { exactTotal, paidFromPrepaid } from "@contingent/core/statement/totals";
import { nanos } from "@contingent/core/money";
import { closeStatement } from "@contingent/ledger/statement/close";
import { findStatement } from "@contingent/ledger/statement/read";
import { acceptedJob, answer, claim, happens, judge, OUTCOME_TYPE, take } from "@contingent/testkit/jobs";
import { describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { Billed, brokenBooks, usd } from "./billing.ts";

const db = databaseOfThisFile();

const PER_TYPE = { [OUTCOME_TYPE]: { allowance: 0, bands: null } };

/** The figures that are not zero, of what is owed. */
function owed({ totals }: { readonly totals: StatementTotals }): Readonly<Record<string, bigint>> {
  const { gross, allowance, bands, discount, fixedDiscount, credits, commitment, rounding, amountDue } = totals;
  const splits = { gross, allowance, bands, discount, fixedDiscount, credits };
  const figures = Object.entries(splits).map(([name, split]) => [name, split.onAccount] as const);
  const all = [...figures, ["commitment", commitment], ["rounding", rounding], ["amountDue", amountDue]] as const;
  return Object.fromEntries(all.filter(([, amount]) => amount !== 0n));
}

describe("a statement", () => {
  test("has a line for each job that closed in its period, the unbilled ones with their reason", async () => {
    const customer = await Billed.open(db.pool);
    const first = await customer.charged(usd(1), { outcomeKey: "one" });
    const failed = await customer.failed();
    await customer.moveTo(1);
    await customer.charged();
    expect(await customer.lines(0)).toMatchObject([
      {
        kind: "job",
        jobId: first,
        outcomeKey: "one",
        outcomeTypeVersion: expect.any(Number) as number,
        resolution: "success",
        reason: "verified",
        ordinal: 1,
        net: usd(1),
      },
      { kind: "job", jobId: failed, resolution: "failure", reason: "canceled", charge: null, ordinal: null, net: 0n },
    ]);
    const { totals, head, number } = await customer.statement(0);
    expect([totals.linesBilled, totals.linesUnbilled, head.state, number]).toEqual([1, 1, "open", null]);
  });

  test("shows a job in the period in which it closes, however long before it was accepted", async () => {
    const customer = await Billed.open(db.pool);
    await customer.moveTo(0, 28);
    const id = await acceptedJob(db.pool, { customerId: customer.id, terms: { deadlineMs: 60 * 86_400_000 } });
    await customer.moveTo(1);
    await take(db.pool, id, claim(), answer(), judge("pass"), happens("settled"));
    expect(await customer.lines(0)).toEqual([]);
    expect(await customer.lines(1)).toMatchObject([{ jobId: id }]);
  });

  test("comes to the same, line by line, on however small pages it is read", async () => {
    const customer = await Billed.open(db.pool, {
      outcomeTypes: {
        [OUTCOME_TYPE]: { allowance: 1, bands: { mode: "graduated", bands: [{ fromOutcome: 3, fraction: 0.5 }] } },
      },
    });
    for (let n = 0; n < 4; n += 1) {
      await customer.charged();
      await customer.failed();
    }
    const credited = await customer.charged();
    await customer.credit(credited, 100n);
    await customer.credit(credited, 50n);
    const whole = await customer.lines(0);
    expect(whole).toHaveLength(11);
    for (const size of [1, 2, 3, 5]) expect(await customer.lines(0, size)).toEqual(whole);
  });

  test("does not exist for a period to come, one that passed with nothing in it, or a customer that there is not", async () => {
    const customer = await Billed.open(db.pool);
    expect(await findStatement(db.pool, customer.statementId(1))).toBeNull();
    expect(await findStatement(db.pool, "stm_nobody202612")).toBeNull();
    expect(await findStatement(db.pool, "stm_nobody202613")).toBeNull();
    await customer.moveTo(2);
    expect(await closeStatement(db.pool, customer.statementId(1))).toEqual({ kind: "empty" });
    expect(await findStatement(db.pool, customer.statementId(0))).toBeNull();
    expect(await findStatement(db.pool, customer.statementId(1))).toBeNull();
  });
});

describe("closing a period on account", () => {
  test("without terms bills what was charged, rounded to cents by one posting", async () => {
    const customer = await Billed.open(db.pool);
    await customer.charged(usd(1.004));
    await customer.charged(usd(0.0041));
    const closed = await customer.close(0);
    expect(owed(closed)).toEqual({ gross: usd(1.0081), rounding: usd(0.0019), amountDue: usd(1.01) });
    expect(await customer.booked(0)).toEqual([
      ["rounding", "round", usd(0.0019)],
      ["statement", "stmt", -usd(1.01)],
    ]);
    expect(await customer.balance("receivable:unbilled")).toBe(0n);
    expect(await customer.balance("receivable:billed")).toBe(usd(1.01));
  });

  test("that comes to whole cents is not rounded", async () => {
    const customer = await Billed.open(db.pool);
    await customer.charged(usd(0.25));
    await customer.close(0);
    expect((await customer.booked(0)).map(([kind]) => kind)).toEqual(["statement"]);
  });

  test("books allowance, bands, percentage and fixed discount, each by itself", async () => {
    const customer = await Billed.open(db.pool, {
      outcomeTypes: {
        [OUTCOME_TYPE]: { allowance: 1, bands: { mode: "graduated", bands: [{ fromOutcome: 3, fraction: 0.5 }] } },
      },
      discountShare: 0.1,
      discountFixed: nanos(usd(0.3)),
    });
    await customer.chargedTimes(4, usd(1));
    // Free; 1 less 10 %; twice a half less 10 %; less 0.30.
    const closed = await customer.close(0);
    expect(owed(closed)).toEqual({
      gross: usd(4),
      allowance: usd(1),
      bands: usd(1),
      discount: usd(0.2),
      fixedDiscount: usd(0.3),
      amountDue: usd(1.5),
    });
    expect(await customer.booked(0)).toEqual([
      ["adjustment", "adjust:allowance", -usd(1)],
      ["adjustment", "adjust:bands", -usd(1)],
      ["adjustment", "adjust:discount", -usd(0.2)],
      ["adjustment", "adjust:fixed_discount", -usd(0.3)],
      ["statement", "stmt", -usd(1.5)],
    ]);
    expect(await customer.balance("contra_revenue:adjustment", "bands")).toBeGreaterThanOrEqual(usd(1));
  });

  test("rates volume bands by what the period ended with", async () => {
    const customer = await Billed.open(db.pool, {
      outcomeTypes: {
        [OUTCOME_TYPE]: { allowance: 0, bands: { mode: "volume", bands: [{ fromOutcome: 3, fraction: 0.5 }] } },
      },
    });
    await customer.chargedTimes(2, usd(1));
    expect((await customer.statement(0)).totals.amountDue).toBe(usd(2));
    await customer.charged(usd(1));
    expect((await customer.statement(0)).totals.amountDue).toBe(usd(1.5));
    expect((await customer.close(0)).totals.amountDue).toBe(usd(1.5));
  });

  test("rates each line by the terms its job was accepted under, and the whole by those at the period's end", async () => {
    const customer = await Billed.open(db.pool, {
      outcomeTypes: PER_TYPE,
      discountShare: 0.5,
      discountFixed: nanos(usd(9)),
    });
    await customer.charged(usd(1));
    await customer.moveTo(0, 20);
    await customer.agree({ outcomeTypes: PER_TYPE, discountFixed: nanos(usd(0.1)) });
    await customer.charged(usd(1));
    await customer.moveTo(1);
    await customer.agree({ discountFixed: nanos(usd(5)) });
    expect(owed(await customer.close(0))).toEqual({
      gross: usd(2),
      discount: usd(0.5),
      fixedDiscount: usd(0.1),
      amountDue: usd(1.4),
    });
  });

  test("brings the period up to what was committed to, also one without any job", async () => {
    const customer = await Billed.open(db.pool, { commitmentMinimum: nanos(usd(10)) });
    await customer.charged(usd(4));
    expect(owed(await customer.close(0))).toEqual({ gross: usd(4), commitment: usd(6), amountDue: usd(10) });
    expect(owed(await customer.close(1))).toEqual({ commitment: usd(10), amountDue: usd(10) });
    expect(await customer.balance("receivable:billed")).toBe(usd(20));
    expect(await customer.balance("receivable:unbilled")).toBe(0n);
  });
});

describe("credits", () => {
  test("of the same period come off it, and what they give back is not reduced as well", async () => {
    const customer = await Billed.open(db.pool, { discountShare: 0.5 });
    const whole = await customer.charged(usd(1));
    const half = await customer.charged(usd(1));
    await customer.credit(whole, usd(1));
    await customer.credit(half, usd(0.5));
    expect(owed(await customer.close(0))).toEqual({
      gross: usd(2),
      discount: usd(0.25),
      credits: usd(1.5),
      amountDue: usd(0.25),
    });
    expect(await customer.balance("receivable:unbilled")).toBe(0n);
  });

  test("of a closed period land in the open one, and leave the closed statement as it was", async () => {
    const customer = await Billed.open(db.pool, { discountFixed: nanos(usd(0.2)) });
    const job = await customer.charged(usd(1));
    const before = await customer.close(0);
    await customer.credit(job, usd(0.6));
    await customer.charged(usd(0.3));
    const after = await customer.close(1);
    expect(await customer.statement(0)).toEqual(before);
    // The fixed discount is this period's, and the credit turns the rest in the customer's favour.
    expect(owed(after)).toEqual({ gross: usd(0.3), fixedDiscount: usd(0.2), credits: usd(0.6), amountDue: -usd(0.5) });
    expect((await customer.lines(1)).at(-1)).toMatchObject({
      kind: "credit",
      jobId: job,
      amount: usd(0.6),
      ofPeriod: false,
    });
    expect(await customer.balance("receivable:billed")).toBe(usd(0.3));
  });

  test("make a statement of a period without jobs", async () => {
    const customer = await Billed.open(db.pool);
    const job = await customer.charged(usd(1));
    await customer.close(0);
    await customer.credit(job, usd(0.4));
    expect(owed(await customer.close(1))).toEqual({ credits: usd(0.4), amountDue: -usd(0.4) });
  });
});

describe("prepaid charges", () => {
  test("get their reductions back as prepaid money, and leave nothing due", async () => {
    const customer = await Billed.open(db.pool, {
      outcomeTypes: {
        [OUTCOME_TYPE]: { allowance: 1, bands: { mode: "graduated", bands: [{ fromOutcome: 3, fraction: 0.5 }] } },
      },
      discountShare: 0.1,
      discountFixed: nanos(usd(0.3)),
    });
    await customer.prepay(usd(10));
    await customer.chargedTimes(3, usd(1));
    const closed = await customer.close(0);
    expect(owed(closed)).toEqual({});
    expect(paidFromPrepaid(closed.totals)).toBe(usd(3 - 1 - 0.5 - 0.15 - 0.3));
    const { rows } = await db.pool.query({
      text: "SELECT ref, available_nanos AS available FROM credit_grant WHERE customer_id = $1 AND kind = 'rebate' ORDER BY ref",
      values: [customer.id],
    });
    const ref = (because: string): string => `${customer.statementId(0)}:${because}`;
    expect(rows).toEqual([
      { ref: ref("allowance"), available: usd(1) },
      { ref: ref("bands"), available: usd(0.5) },
      { ref: ref("discount"), available: usd(0.15) },
      { ref: ref("fixed_discount"), available: usd(0.3) },
    ]);
    expect((await customer.booked(0)).map(([, key, moved]) => [key, moved])).toEqual(
      ["allowance", "bands", "discount", "fixed_discount"].map((because) => [`adjust:${because}:prepaid`, 0n]),
    );
  });

  test("are not rounded, and a commitment that they do not reach is owed", async () => {
    const customer = await Billed.open(db.pool, { commitmentMinimum: nanos(usd(1)) });
    await customer.prepay(usd(10));
    await customer.charged(usd(0.3333));
    const { totals } = await customer.close(0);
    expect(totals).toMatchObject({ commitment: usd(0.6667), rounding: usd(0.0033), amountDue: usd(0.67) });
    expect(exactTotal(totals)).toBe(usd(1));
  });

  test("and charges on account in one period: the fixed discount comes off what is owed first", async () => {
    const customer = await Billed.open(db.pool, { discountFixed: nanos(usd(1.5)) });
    await customer.charged(usd(1));
    await customer.prepay(usd(10));
    await customer.charged(usd(2));
    const { totals } = await customer.close(0);
    expect(totals.fixedDiscount).toEqual({ onAccount: usd(1), prepaid: usd(0.5) });
    expect([totals.amountDue, paidFromPrepaid(totals)]).toEqual([0n, usd(1.5)]);
  });

  test("that were credited come back in a grant and not off the debt", async () => {
    const customer = await Billed.open(db.pool, { discountShare: 0.5 });
    await customer.prepay(usd(10));
    await customer.credit(await customer.charged(usd(2)), usd(2));
    const { totals } = await customer.close(0);
    expect([totals.amountDue, totals.credits.prepaid, totals.discount.prepaid, paidFromPrepaid(totals)]).toEqual([
      0n,
      usd(2),
      0n,
      0n,
    ]);
  });
});

test("after all of this the books are in order", async () => {
  expect(await brokenBooks(db.pool)).toEqual([]);
});
