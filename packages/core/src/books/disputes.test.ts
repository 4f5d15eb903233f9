/** Hazard: a charge that is given back twice, or disputed when nobody expects it any more. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { add, nanos, ZERO } from "../money.ts";
import { creditInDispute, creditOf, openingOf, type StandingCharge } from "./disputes.ts";

const CHARGE = { charged: nanos(500n), credited: nanos(200n), reduced: ZERO, disputableUntilMs: 1_000 };

describe("a dispute", () => {
  test("is over what is asked for, or over all that is left of the charge", () => {
    expect(openingOf(CHARGE, nanos(120n), 999)).toEqual({ kind: "opened", amount: 120n });
    expect(openingOf(CHARGE, null, 999)).toEqual({ kind: "opened", amount: 300n });
  });

  test("can be opened until the window's last millisecond, and not at its end", () => {
    expect(openingOf(CHARGE, null, 999).kind).toBe("opened");
    expect(openingOf(CHARGE, null, 1_000)).toEqual({ kind: "window_over", untilMs: 1_000 });
    expect(openingOf({ ...CHARGE, disputableUntilMs: null }, null, 0)).toEqual({ kind: "window_over", untilMs: null });
  });

  test("is not over more than is left, and says how much that is", () => {
    expect(openingOf(CHARGE, nanos(301n), 0)).toEqual({ kind: "too_much", atMost: 300n });
    const reduced = { ...CHARGE, reduced: nanos(50n) };
    expect(openingOf(reduced, nanos(251n), 0)).toEqual({ kind: "too_much", atMost: 250n });
    expect(openingOf(reduced, null, 0)).toEqual({ kind: "opened", amount: 250n });
    expect(openingOf({ ...CHARGE, credited: CHARGE.charged }, null, 0)).toEqual({ kind: "too_much", atMost: 0n });
  });
});

describe("a credit within a dispute", () => {
  test("is the disputed amount unless another is given", () => {
    expect(creditInDispute(CHARGE, nanos(250n), null)).toEqual({ kind: "credited", amount: 250n });
    expect(creditInDispute(CHARGE, nanos(250n), nanos(1n))).toEqual({ kind: "credited", amount: 1n });
  });

  test("is never more than was disputed", () => {
    expect(creditInDispute(CHARGE, nanos(250n), nanos(251n))).toEqual({ kind: "too_much", atMost: 250n });
  });

  test("leaves out what a statement took off while the dispute was open", () => {
    const reduced = { ...CHARGE, reduced: nanos(100n) };
    expect(creditInDispute(reduced, nanos(300n), null)).toEqual({ kind: "credited", amount: 200n });
    expect(creditInDispute(reduced, nanos(300n), nanos(201n))).toEqual({ kind: "too_much", atMost: 200n });
  });

  test("leaves out what was given back while the dispute was open", () => {
    expect(creditInDispute(CHARGE, nanos(400n), null)).toEqual({ kind: "credited", amount: 300n });
    expect(creditInDispute(CHARGE, nanos(400n), nanos(400n))).toEqual({ kind: "too_much", atMost: 300n });
  });
});

test("whatever is asked for and granted, in any order, never adds up to more than a statement has left of the charge", () => {
  const amount = fc.option(fc.bigInt({ min: -10n, max: 1_200n }).map(nanos));
  const percent = fc.bigInt({ min: 0n, max: 100n });
  const step = fc.record({ asked: amount, disputed: amount });
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 1_000n }), percent, fc.array(step), (amountCharged, off, steps) => {
      const charged = nanos(amountCharged);
      const reduced = nanos((amountCharged * off) / 100n);
      let charge: StandingCharge = { charged, credited: ZERO, reduced };
      for (const { asked, disputed } of steps) {
        const credit = disputed === null ? creditOf(charge, asked) : creditInDispute(charge, disputed, asked);
        if (credit.kind === "too_much") continue;
        expect(credit.amount).toBeGreaterThan(0n);
        charge = { ...charge, credited: add(charge.credited, credit.amount) };
      }
      expect(charge.credited + reduced).toBeLessThanOrEqual(charged);
    }),
  );
});
