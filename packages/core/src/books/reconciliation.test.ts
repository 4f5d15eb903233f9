import fc from "fast-check";
import { expect, test } from "vitest";
import { nanos, subtract, sum } from "../money.ts";
import {
  type BookedCost,
  compare,
  differenceOf,
  invoiceDrift,
  type InvoicedCost,
  modelsOfOneSide,
  saysTheSame,
  totalsOf,
} from "./reconciliation.ts";

const MONDAY = "2026-11-23";
const TUESDAY = "2026-11-24";

function invoiced(model: string, day: string, amount: bigint): InvoicedCost {
  return { model, day, amount: nanos(amount) };
}

function booked(model: string, day: string, amount: bigint, estimated = 0n): BookedCost {
  return { model, day, amount: nanos(amount), estimated: nanos(estimated) };
}

test("lines are put side by side by model and day, and those of one side stand alone", () => {
  const lines = compare(
    [invoiced("m-5", MONDAY, 4n), invoiced("m", TUESDAY, 10n), invoiced("m", MONDAY, 7n)],
    [booked("m", MONDAY, 6n, 2n), booked("n", MONDAY, 3n, 3n), booked("m-5", TUESDAY, 5n)],
  );
  expect(lines.map((line) => [line.model, line.day, line.invoiced, line.booked, line.estimated])).toEqual([
    ["m", MONDAY, 7n, 6n, 2n],
    ["m", TUESDAY, 10n, null, 0n],
    ["m-5", MONDAY, 4n, null, 0n],
    ["m-5", TUESDAY, null, 5n, 0n],
    ["n", MONDAY, null, 3n, 3n],
  ]);
  expect(lines.map(differenceOf)).toEqual([1n, 10n, 4n, -5n, -3n]);
  expect(totalsOf(lines)).toEqual({ invoiced: 21n, booked: 14n, estimated: 5n, drift: 7n });
  // m-5 was asked for on one day and booked on another: both sides know it.
  expect(modelsOfOneSide(lines)).toEqual({ invoicedOnly: [], bookedOnly: ["n"] });
  expect(modelsOfOneSide(compare([invoiced("o", MONDAY, 1n)], []))).toEqual({ invoicedOnly: ["o"], bookedOnly: [] });
});

test("a line of nothing is a line", () => {
  const lines = compare([invoiced("m", MONDAY, 0n)], []);
  expect(lines).toEqual([{ model: "m", day: MONDAY, invoiced: 0n, booked: null, estimated: 0n }]);
  expect(saysTheSame(lines, compare([], [booked("m", MONDAY, 0n)]))).toBe(false);
});

test.each([
  ["another amount", [invoiced("m", MONDAY, 8n)], [booked("m", MONDAY, 6n)]],
  ["another day", [invoiced("m", TUESDAY, 7n)], [booked("m", TUESDAY, 6n)]],
  ["another model", [invoiced("n", MONDAY, 7n)], [booked("n", MONDAY, 6n)]],
  ["books that have changed", [invoiced("m", MONDAY, 7n)], [booked("m", MONDAY, 5n)]],
  ["an estimate that is known now", [invoiced("m", MONDAY, 7n)], [booked("m", MONDAY, 6n, 1n)]],
  ["one line more", [invoiced("m", MONDAY, 7n), invoiced("n", MONDAY, 0n)], [booked("m", MONDAY, 6n)]],
])("%s is another comparison", (_, left, right) => {
  const before = compare([invoiced("m", MONDAY, 7n)], [booked("m", MONDAY, 6n)]);
  expect(saysTheSame(before, compare(left, right))).toBe(false);
  expect(saysTheSame(compare(left, right), before)).toBe(false);
  expect(saysTheSame(before, [...before])).toBe(true);
});

test("drift is booked against what is owed to the provider, one way or the other, under the upload's own key", () => {
  const upload = { provider: "anthropic", period: `${MONDAY}:2026-11-25`, number: 2 };
  expect(invoiceDrift({ ...upload, amount: nanos(7n) })).toMatchObject({
    kind: "reconciliation",
    key: "recon:anthropic:2026-11-23:2026-11-25:2",
    jobId: null,
    customerId: null,
    postings: [
      { account: { class: "cogs:drift", of: "anthropic" }, amount: 7n },
      { account: { class: "payable", of: "anthropic" }, amount: -7n },
    ],
  });
  const balance = (accountClass: string): bigint =>
    invoiceDrift({ ...upload, amount: nanos(-7n) })
      .postings.filter(({ account }) => account.class === accountClass)
      .reduce((total, posting) => total + posting.amount, 0n);
  expect([balance("cogs:drift"), balance("payable")]).toEqual([-7n, 7n]);
});

test("whatever is invoiced and booked: no amount is lost, and the order of the lines does not matter", () => {
  const place = fc.record({ model: fc.constantFrom("a", "a-1", "b"), day: fc.constantFrom(MONDAY, TUESDAY) });
  const amount = fc.bigInt({ min: 0n, max: 1_000n }).map(nanos);
  const unique = { selector: (p: { model: string; day: string }) => `${p.model} ${p.day}` };
  const invoices = fc.uniqueArray(
    fc.tuple(place, amount).map(([p, a]) => ({ ...p, amount: a })),
    unique,
  );
  const books = fc.uniqueArray(
    fc.tuple(place, amount).map(([p, a]) => ({ ...p, amount: a, estimated: a })),
    unique,
  );
  fc.assert(
    fc.property(invoices, books, (left, right) => {
      const lines = compare(left, right);
      const totals = totalsOf(lines);
      expect(totals.invoiced).toBe(sum(left.map((line) => line.amount)));
      expect(totals.booked).toBe(sum(right.map((line) => line.amount)));
      expect(totals.drift).toBe(subtract(totals.invoiced, totals.booked));
      expect(saysTheSame(lines, compare(left.toReversed(), right.toReversed()))).toBe(true);
    }),
  );
});
