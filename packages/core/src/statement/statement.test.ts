/** Hazard: a statement that does not add up, or whose closing leaves something on the customer's account. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Billing } from "../books/funding.ts";
import { add, type Nanos, nanos, negate, subtract, sum, ZERO } from "../money.ts";
import type { CustomerTerms } from "../pricing/rating/customer-terms.ts";
import { closingOf } from "./closing.ts";
import { canonicalLine, type ClosedJob, type CreditLine, jobLine, type StatementLine } from "./lines.ts";
import { EMPTY_TALLY, exactTotal, paidFromPrepaid, statementTotals, tallied, whole } from "./totals.ts";

const STATEMENT = { id: "stm_acme202611", customerId: "cus_acme" } as const;
const ABOUT = { outcomeTypeVersion: 1, outcomeKey: null } as const;

const billing = fc.constantFrom<Billing>("on_account", "prepaid");
const price = fc.bigInt({ min: 1n, max: 10n ** 13n }).map(nanos);
const part = fc.integer({ min: 0, max: 100 });
const share = fc.integer({ min: 0, max: 1_000_000 }).map((millionths) => millionths / 1_000_000);
const amount = fc.bigInt({ min: 0n, max: 10n ** 14n }).map(nanos);
const type = fc.constantFrom("letters", "invoices");

const terms = fc
  .record({
    allowance: fc.nat(3),
    fraction: share,
    discountShare: share,
    discountFixed: amount,
    commitmentMinimum: amount,
  })
  .map(({ allowance, fraction, ...each }): CustomerTerms => ({
    ...each,
    prices: {},
    outcomeTypes: { letters: { allowance, bands: { mode: "graduated", bands: [{ fromOutcome: 3, fraction }] } } },
  }));

/** A job, charged or not, and credit notes for it that are at most its charge. */
const fate = fc.record({ outcomeType: type, price: fc.option(price, { nil: null }), billing, credited: part });

interface Month {
  readonly lines: readonly StatementLine[];
  readonly earlier: Nanos;
}

const month = fc
  .tuple(fc.array(fate, { maxLength: 12 }), terms, fc.option(fc.tuple(price, billing), { nil: null }))
  .map(([fates, agreed, credit]): Month & { readonly agreed: CustomerTerms } => {
    const ordinals = new Map<string, number>();
    const lines = fates.flatMap((each, n) => linesOf(each, n, agreed, ordinals));
    const earlier = credit === null ? [] : [creditLine(99, "letters", credit[0], credit[1], false)];
    return { agreed, lines: [...lines, ...earlier], earlier: credit === null ? ZERO : credit[0] };
  });

function linesOf(
  each: {
    readonly outcomeType: string;
    readonly price: Nanos | null;
    readonly billing: Billing;
    readonly credited: number;
  },
  n: number,
  agreed: CustomerTerms,
  ordinals: Map<string, number>,
): readonly StatementLine[] {
  const { outcomeType } = each;
  const credited = each.price === null ? ZERO : nanos((each.price * BigInt(each.credited)) / 100n);
  const job: ClosedJob = {
    ...ABOUT,
    jobId: `job_${n}`,
    closedAt: "2026-11-02T00:00:00.000000Z",
    outcomeType,
    resolution: each.price === null ? "failure" : "success",
    reason: each.price === null ? "exhausted" : "verified",
    attempts: 1,
    charge: each.price === null ? null : { amount: each.price, billing: each.billing, credited },
  };
  const ordinal = (ordinals.get(outcomeType) ?? 0) + 1;
  if (each.price !== null) ordinals.set(outcomeType, ordinal);
  const line = jobLine(job, agreed, each.price === null ? null : { ordinal, total: ordinal });
  return credited === 0n ? [line] : [line, creditLine(n, outcomeType, credited, each.billing, true)];
}

function creditLine(n: number, outcomeType: string, given: Nanos, to: Billing, ofPeriod: boolean): CreditLine {
  const at = "2026-11-03T00:00:00.000000Z";
  return {
    ...ABOUT,
    kind: "credit",
    creditNoteId: `crn_${n}`,
    at,
    jobId: `job_${n}`,
    outcomeType,
    amount: given,
    reason: "Sorry.",
    billing: to,
    ofPeriod,
  };
}

describe("a statement", () => {
  test("of a job without terms is its charge; of one that was not charged nothing", () => {
    const [line] = linesOf(
      { outcomeType: "letters", price: null, billing: "prepaid", credited: 0 },
      1,
      NONE,
      new Map(),
    );
    expect(line).toMatchObject({ ordinal: null, net: 0n });
    const totals = statementTotals(tallied(EMPTY_TALLY, line === undefined ? [] : [line]), null);
    expect(totals).toMatchObject({ linesBilled: 0, linesUnbilled: 1, amountDue: 0n, rounding: 0n });
  });

  test("adds up: its figures, its two ways to pay, and its outcome types", () => {
    fc.assert(
      fc.property(month, ({ agreed, lines }) => {
        const totals = statementTotals(tallied(EMPTY_TALLY, lines), agreed);
        const { gross, allowance, bands, discount, fixedDiscount, credits, commitment, rounding, amountDue } = totals;
        const off = sum([allowance, bands, discount, fixedDiscount, credits].map(whole));
        expect(exactTotal(totals)).toBe(add(subtract(whole(gross), off), commitment));
        expect(add(amountDue, paidFromPrepaid(totals))).toBe(add(exactTotal(totals), rounding));
        expect(amountDue % 10_000_000n).toBe(0n);
        const types = Array.from(totals.outcomeTypes.values());
        expect(sum(types.map((each) => each.gross))).toBe(whole(gross));
        expect(sum(types.map((each) => each.reductions))).toBe(sum([allowance, bands, discount].map(whole)));
        expect(sum(types.map((each) => each.credits))).toBe(whole(credits));
      }),
    );
  });

  test("owes a customer at most what was credited for earlier periods, rounded", () => {
    fc.assert(
      fc.property(month, ({ agreed, lines, earlier }) => {
        const totals = statementTotals(tallied(EMPTY_TALLY, lines), agreed);
        expect(exactTotal(totals) >= negate(earlier)).toBe(true);
      }),
    );
  });

  test("comes to the same, however its lines are split into pages", () => {
    fc.assert(
      fc.property(month, fc.nat(12), ({ agreed, lines }, at) => {
        const together = statementTotals(tallied(EMPTY_TALLY, lines), agreed);
        const pages = tallied(tallied(EMPTY_TALLY, lines.slice(0, at)), lines.slice(at));
        expect(statementTotals(pages, agreed)).toEqual(together);
      }),
    );
  });
});

const NONE: CustomerTerms = {
  prices: {},
  outcomeTypes: {},
  discountShare: 0,
  discountFixed: ZERO,
  commitmentMinimum: ZERO,
};

describe("closing a statement", () => {
  test("moves all that is owed from unbilled to billed, and gives prepaid reductions back to the nano", () => {
    fc.assert(
      fc.property(month, ({ agreed, lines }) => {
        const totals = statementTotals(tallied(EMPTY_TALLY, lines), agreed);
        let grants = 0;
        const { transactions, rebates } = closingOf(STATEMENT, totals, () => `gra_${(grants += 1)}`);
        const moved = (accountClass: string): Nanos =>
          sum(
            transactions.flatMap(({ postings }) =>
              postings.flatMap((p) => (p.account.class === accountClass ? [p.amount] : [])),
            ),
          );
        const before = subtract(totals.gross.onAccount, totals.credits.onAccount);
        expect(add(before, moved("receivable:unbilled"))).toBe(0n);
        expect(moved("receivable:billed")).toBe(totals.amountDue);
        const back = sum(rebates.map((rebate) => rebate.amount));
        expect(negate(moved("customer:prepaid"))).toBe(back);
        expect(paidFromPrepaid(totals)).toBe(subtract(subtract(totals.gross.prepaid, totals.credits.prepaid), back));
        expect(new Set(transactions.map(({ key }) => key)).size).toBe(transactions.length);
      }),
    );
  });

  test("of nothing books nothing", () => {
    const totals = statementTotals(EMPTY_TALLY, NONE);
    expect(closingOf(STATEMENT, totals, () => "gra_none")).toEqual({ transactions: [], rebates: [] });
  });
});

test("a line's text says every figure of it, so that no change goes unnoticed", () => {
  fc.assert(
    fc.property(month, ({ lines }) => {
      for (const line of lines) {
        if (line.kind !== "job" || line.charge === null) continue;
        const text = canonicalLine(line);
        for (const changed of [
          { ...line, net: add(line.net, nanos(1n)) },
          { ...line, reason: "accepted" as const },
          { ...line, outcomeKey: "other" },
          { ...line, charge: { ...line.charge, amount: add(line.charge.amount, nanos(1n)) } },
        ]) {
          expect(canonicalLine(changed)).not.toBe(text);
        }
      }
    }),
  );
});
