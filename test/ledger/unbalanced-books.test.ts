/** Hazard: a transaction that does not balance, or is added to later, or moves what its kind may not: by our code or by hand. */
import type { JobId } from "@contingent/core/ids";
import { PERMITTED_FLOWS } from "@contingent/core/books/accounts";
import { acceptedJob, CUSTOMER, driveTo } from "@contingent/testkit/jobs";
import { beforeEach, describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { bookedByHand, type ByHand, head, holdLegs, legs, legsOfSeveral, outcomeOf } from "./by-hand.ts";

const db = databaseOfThisFile();

let jobId: JobId;
let cost: ByHand;

beforeEach(async () => {
  jobId = await acceptedJob(db.pool);
  cost = bookedByHand("cost", jobId, `cost:att_${jobId}:reported`);
});

const BALANCED = [
  ["cogs", "p:m", 5n],
  ["payable", "p", -5n],
] as const;

describe("a transaction balances at commit", () => {
  test("one that does is booked", async () => {
    expect(await outcomeOf(db.pool, head(cost), legs(cost, BALANCED))).toBe("committed");
  });

  test("one that does not is refused", async () => {
    const lines = [["cogs", "p:m", 5n] as const, ["payable", "p", -4n] as const];
    expect(await outcomeOf(db.pool, head(cost), legs(cost, lines))).toBe("postings_balance");
  });

  test("two that only balance together are refused", async () => {
    const other = bookedByHand("cost", jobId, "cost:att_other:reported");
    const [debit, credit] = BALANCED;
    const both = legsOfSeveral([
      [cost, [debit]],
      [other, [credit]],
    ]);
    expect(await outcomeOf(db.pool, head(cost), head(other), both)).toBe("postings_balance");
  });

  test("one with a single leg is refused", async () => {
    expect(await outcomeOf(db.pool, head(cost), legs(cost, [BALANCED[0]]))).toBe("postings_balance");
  });

  test("one without any is refused", async () => {
    expect(await outcomeOf(db.pool, head(cost))).toBe("ledger_transaction_is_posted");
  });

  test("one with a leg of nothing is refused", async () => {
    const lines = [...BALANCED, ["cogs", "p:m", 0n] as const];
    expect(await outcomeOf(db.pool, head(cost), legs(cost, lines))).toBe("posting_amount_nanos_check");
  });

  test("one with a leg in another currency, or of another kind, is refused", async () => {
    const foreign = legs(cost, BALANCED, { currency: "EUR" });
    expect(await outcomeOf(db.pool, head(cost), foreign)).toBe("posting_transaction_id_kind_currency_xact_fkey");
    const otherKind = legs(cost, holdLegs(CUSTOMER, 5n), { kind: "hold" });
    expect(await outcomeOf(db.pool, head(cost), otherKind)).toBe("posting_transaction_id_kind_currency_xact_fkey");
  });

  test("a second one under the same key is refused", async () => {
    expect(await outcomeOf(db.pool, head(cost), legs(cost, BALANCED))).toBe("committed");
    const again = { ...cost, id: "txn_again" };
    expect(await outcomeOf(db.pool, head(again), legs(again, BALANCED))).toBe("ledger_transaction_key_key");
  });
});

describe("nothing is added to a transaction once it is booked", () => {
  async function xactOf(id: string): Promise<string> {
    const { rows } = await db.pool.query<{ xact: string }>("SELECT xact::text FROM ledger_transaction WHERE id = $1", [
      id,
    ]);
    return rows[0]?.xact ?? "none";
  }

  test("not even what balances", async () => {
    await outcomeOf(db.pool, head(cost), legs(cost, BALANCED));
    const more = legs(cost, BALANCED, { from: 3 });
    expect(await outcomeOf(db.pool, more)).toBe("posting_transaction_id_kind_currency_xact_fkey");
  });

  test("nor by claiming to be part of it", async () => {
    await outcomeOf(db.pool, head(cost), legs(cost, BALANCED));
    const more = legs(cost, BALANCED, { from: 3, xact: await xactOf(cost.id) });
    expect(await outcomeOf(db.pool, more)).toBe("postings_balance");
  });

  test("nor by a head that claims to belong to a later one", async () => {
    const { text, values = [] } = head(cost);
    const later = {
      text: `${text.replace("customer_id)", "customer_id, xact)")}, '999999999'::xid8`,
      values,
    };
    const lines = legs(cost, BALANCED, { xact: "999999999" });
    expect(await outcomeOf(db.pool, later, lines)).toBe("postings_balance");
  });

  test("nor after the check was called early", async () => {
    const early = "SET CONSTRAINTS ALL IMMEDIATE";
    const more = legs(cost, [["cogs", "p:m", 1n]], { from: 3 });
    expect(await outcomeOf(db.pool, head(cost), legs(cost, BALANCED), early, more)).toBe("postings_balance");
  });
});

describe("only permitted flows are booked", () => {
  test("the database permits what core permits, and nothing else", async () => {
    const { rows } = await db.pool.query("SELECT kind, account_class, direction FROM permitted_flow");
    const inCore = PERMITTED_FLOWS.map(({ kind, accountClass, direction }) => ({
      kind,
      account_class: accountClass,
      direction,
    }));
    expect(rows).toHaveLength(inCore.length);
    expect(rows).toEqual(expect.arrayContaining(inCore));
  });

  test("a balanced transaction that moves something else is refused", async () => {
    const voided = bookedByHand("void", jobId);
    const wrongWay = legs(voided, holdLegs(CUSTOMER, 500n));
    expect(await outcomeOf(db.pool, head(voided), wrongWay)).toBe("posting_permitted_flow");
    const revenue = [["cogs", "p:m", 5n] as const, ["revenue:accrued", "", -5n] as const];
    expect(await outcomeOf(db.pool, head(cost), legs(cost, revenue))).toBe("posting_permitted_flow");
  });

  test("a transaction of an unknown kind is refused", async () => {
    const gift = { ...cost, kind: "gift" as never };
    expect(await outcomeOf(db.pool, head(gift), legs(gift, BALANCED))).toBe("ledger_transaction_kind_check");
  });

  test.each([
    "DELETE FROM permitted_flow WHERE kind = 'void'",
    "UPDATE permitted_flow SET account_class = 'revenue:accrued' WHERE account_class = 'payable'",
    "TRUNCATE permitted_flow",
    "TRUNCATE permitted_flow CASCADE",
  ])("the table cannot be changed or emptied: %s", async (statement) => {
    await driveTo(db.pool, "closed");
    expect(await outcomeOf(db.pool, statement)).toMatch(/^(23001|0A000)$/);
  });
});

describe("a job's money is held once and given back or taken once", () => {
  test("a second hold is refused, under any key", async () => {
    const hold = bookedByHand("hold", jobId, "hold:again");
    expect(await outcomeOf(db.pool, head(hold), legs(hold, holdLegs(CUSTOMER, 5n)))).toBe("ledger_transaction_once");
  });

  test("a void after a capture is refused, and a second void", async () => {
    const closed = await driveTo(db.pool, "closed");
    const turned = holdLegs(CUSTOMER, -500n);
    const afterCapture = bookedByHand("void", closed);
    expect(await outcomeOf(db.pool, head(afterCapture), legs(afterCapture, turned))).toBe("ledger_transaction_once");
    const [first, second] = [bookedByHand("void", jobId), bookedByHand("void", jobId, "void:again")];
    expect(await outcomeOf(db.pool, head(first), legs(first, turned))).toBe("committed");
    expect(await outcomeOf(db.pool, head(second), legs(second, turned))).toBe("ledger_transaction_once");
  });
});
