/** Hazard: more is promised than a customer has, or another grant pays than the one whose turn it is. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { GrantId } from "../ids.ts";
import { add, nanos, sum, ZERO } from "../money.ts";
import { alertsBetween, balance } from "./alerts.ts";
import { fund, type FundingAccount, type Grant, headroom, spendable } from "./funding.ts";

const NOW_MS = 1_700_000_000_000;

function grant(id: string, available: bigint, changes: Partial<Grant> = {}): Grant {
  const usual = { priority: 100, expiresAtMs: null, outcomeTypes: null };
  return { id: `gra_${id}`, available: nanos(available), ...usual, ...changes };
}

function account(changes: Partial<FundingAccount> = {}): FundingAccount {
  return { billing: "prepaid", limit: null, held: ZERO, spent: ZERO, grants: [], nowMs: NOW_MS, ...changes };
}

function month(amount: bigint, floor = 0n): NonNullable<FundingAccount["limit"]> {
  return { amount: nanos(amount), period: "month", floor: nanos(floor) };
}

const ASKED = { outcomeType: "extraction", amount: nanos(100n) };

/** What each grant gives, or why none does. */
function outcome(held: FundingAccount, asked = ASKED): unknown {
  const funding = fund(held, asked);
  if (funding.kind === "refused") return funding.shortage;
  return funding.slices?.map(({ grantId, amount }) => `${grantId} ${amount}`) ?? "on account";
}

describe("prepaid money is spent", () => {
  test("by priority, then by expiry, then by age", () => {
    const grants = [
      grant("0003", 30n),
      grant("0002", 30n, { expiresAtMs: NOW_MS + 2 }),
      grant("0001", 30n, { expiresAtMs: NOW_MS + 2 }),
      grant("0004", 10n, { priority: 1 }),
      grant("0005", 15n, { expiresAtMs: NOW_MS + 1 }),
    ];
    expect(outcome(account({ grants }))).toEqual([
      "gra_0004 10",
      "gra_0005 15",
      "gra_0001 30",
      "gra_0002 30",
      "gra_0003 15",
    ]);
  });

  test("only on what it is for, and only until it expires", () => {
    const grants = [
      grant("0001", 500n, { outcomeTypes: ["code"] }),
      grant("0002", 500n, { expiresAtMs: NOW_MS }),
      grant("0003", 60n, { outcomeTypes: ["code", "extraction"] }),
      grant("0004", 60n),
    ];
    expect(outcome(account({ grants }))).toEqual(["gra_0003 60", "gra_0004 40"]);
    expect(spendable(account({ grants }), "code").map((g) => g.id)).toEqual(["gra_0001", "gra_0003", "gra_0004"]);
  });

  test("never beyond what there is: the refusal says what is missing", () => {
    const grants = [grant("0001", 60n), grant("0002", 39n), grant("0003", 900n, { outcomeTypes: ["code"] })];
    expect(outcome(account({ grants }))).toEqual({ because: "insufficient_prepaid", needed: 100n, available: 99n });
  });

  test("not at all by a customer on account, whatever grants are left", () => {
    expect(outcome(account({ billing: "on_account", grants: [grant("0001", 500n)] }))).toBe("on account");
  });
});

describe("a spending limit", () => {
  test("counts what is charged and what is held, to the nano", () => {
    const used = { billing: "on_account", held: nanos(300n), spent: nanos(600n) } as const;
    expect(outcome(account({ ...used, limit: month(1_000n) }))).toBe("on account");
    expect(outcome(account({ ...used, limit: month(999n) }))).toEqual({
      because: "spending_limit",
      needed: 100n,
      limit: 999n,
      period: "month",
      held: 300n,
      spent: 600n,
    });
    expect(headroom(account({ ...used, limit: month(1_000n) }))).toBe(100n);
    expect(headroom(account({ ...used, limit: month(800n, 900n) }))).toBe(0n);
    expect(headroom(account(used))).toBeNull();
  });

  test("below what was used when it was set refuses new jobs all the same", () => {
    const used = account({ billing: "on_account", held: nanos(900n), limit: month(500n, 900n) });
    expect(outcome(used)).toMatchObject({ because: "spending_limit", limit: 500n });
  });

  test("holds for prepaid customers too", () => {
    const rich = account({ grants: [grant("0001", 5_000n)], held: nanos(950n), limit: month(1_000n) });
    expect(outcome(rich)).toMatchObject({ because: "spending_limit" });
  });
});

describe("whatever is asked for, one job after the other", () => {
  const grants = fc.array(
    fc.record({
      available: fc.bigInt({ min: 0n, max: 500n }),
      priority: fc.integer({ min: 0, max: 3 }),
      expiresInMs: fc.option(fc.integer({ min: -1, max: 2 })),
      outcomeTypes: fc.option(fc.subarray(["extraction", "code"])),
    }),
    { maxLength: 8 },
  );
  const accounts = fc
    .record({
      grants,
      limit: fc.option(fc.bigInt({ min: 0n, max: 3_000n })),
      billing: fc.constantFrom("prepaid", "on_account"),
    })
    .map(({ grants: some, limit, billing }) =>
      account({
        billing,
        limit: limit === null ? null : month(limit),
        grants: some.map(({ available, priority, expiresInMs, outcomeTypes }, n) =>
          grant(String(n).padStart(4, "0"), available, {
            priority,
            expiresAtMs: expiresInMs === null ? null : NOW_MS + expiresInMs,
            outcomeTypes,
          }),
        ),
      }),
    );
  const requests = fc.array(
    fc.record({
      outcomeType: fc.constantFrom("extraction", "code"),
      amount: fc.bigInt({ min: 1n, max: 400n }).map(nanos),
    }),
    { maxLength: 20 },
  );

  test("no grant is overdrawn, no limit exceeded, every slice adds up, and what is refused takes nothing", () => {
    fc.assert(
      fc.property(accounts, requests, (start, asked) => {
        let present = start;
        for (const request of asked) {
          const funding = fund(present, request);
          if (funding.kind === "refused") continue;
          const { account: after, slices } = funding;
          expect(slices === null || sum(slices.map((slice) => slice.amount)) === request.amount).toBe(true);
          expect(after.held).toBe(add(present.held, request.amount));
          for (const [n, { available }] of after.grants.entries()) {
            const taken = slices?.find(({ grantId }) => grantId === after.grants[n]?.id)?.amount ?? ZERO;
            expect(available >= 0n && available + taken === present.grants[n]?.available).toBe(true);
          }
          expect(after.limit === null || after.held + after.spent <= after.limit.amount).toBe(true);
          present = after;
        }
      }),
    );
  });

  test("a grant that comes later in the order pays nothing while an earlier one has something left", () => {
    fc.assert(
      fc.property(accounts, requests, (start, asked) => {
        for (const request of asked) {
          const funding = fund(start, request);
          if (funding.kind === "refused" || funding.slices === null) continue;
          const order = spendable(start, request.outcomeType);
          const paying = new Map(funding.slices.map((slice) => [slice.grantId, slice.amount]));
          const lastPaying = order.findLastIndex(({ id }) => paying.has(id));
          for (const { id, available } of order.slice(0, lastPaying)) expect(paying.get(id)).toBe(available);
        }
      }),
    );
  });
});

describe("an alert", () => {
  const thresholds = { alertShares: [0.5, 0.8, 1], alertBelow: nanos(250n), periodStartMs: 1 };
  const told = (before: FundingAccount, held: bigint): readonly string[] =>
    alertsBetween({ ...before, ...thresholds }, { ...before, held: nanos(held) }).map((alert) => alert.subject);

  test("is raised when a share of the limit is reached, for each that is passed at once, and not again", () => {
    const used = account({ billing: "on_account", held: nanos(400n), limit: month(1_000n) });
    expect(told(used, 499n)).toEqual([]);
    expect(told(used, 500n)).toEqual(["1:0.5"]);
    expect(told(used, 1_000n)).toEqual(["1:0.5", "1:0.8", "1:1"]);
    expect(told({ ...used, held: nanos(500n) }, 600n)).toEqual([]);
  });

  test("is raised when the prepaid balance falls below its threshold, and again after the next top-up", () => {
    const alertsOf = (before: FundingAccount, left: bigint, id: GrantId = "gra_0001") =>
      alertsBetween({ ...before, ...thresholds }, { ...before, grants: [{ ...grant("0001", left), id }] }).map(
        (alert) => [alert.subject, alert.data["balance"]],
      );
    const rich = account({ grants: [grant("0001", 300n)] });
    expect(alertsOf(rich, 250n)).toEqual([]);
    expect(alertsOf(rich, 249n)).toEqual([["gra_0001:0.00000025", "0.000000249"]]);
    expect(alertsOf(account({ grants: [grant("0001", 249n)] }), 100n)).toEqual([]);
    const again = account({ grants: [grant("0001", 100n), grant("0002", 300n)] });
    expect(alertsOf(again, 100n)[0]?.[0]).toBe("gra_0002:0.00000025");
  });

  test("does not count what has expired", () => {
    expect(balance(account({ grants: [grant("0001", 5n), grant("0002", 7n, { expiresAtMs: NOW_MS })] }))).toBe(5n);
  });
});
