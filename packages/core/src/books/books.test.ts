/** Hazard: money that appears, vanishes, or goes where it may not. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AttemptId, CustomerId, GrantId, JobId } from "../ids.ts";
import { min, type Nanos, nanos, negate, sum, ZERO } from "../money.ts";
import {
  ACCOUNT_CLASSES,
  type AccountClass,
  type Flow,
  PERMITTED_FLOWS,
  TRANSACTION_KINDS,
  type TransactionKind,
} from "./accounts.ts";
import { creditNote, disputeOpened, disputeResolved, earned } from "./after-charge.ts";
import {
  attemptCost,
  type AttemptCost,
  BooksError,
  capture,
  checked,
  type Hold,
  hold,
  type Posting,
  release,
  returnedSlices,
  type Transaction,
  verdictCost,
} from "./books.ts";
import { expiry, promotion, topUp } from "./grants.ts";
import { invoiceDrift } from "./reconciliation.ts";
import { adjusted, billed, commitmentTrueUp, paid, rounded } from "./statements.ts";

const JOB: JobId = "job_0001";
const CUSTOMER: CustomerId = "cus_0001";
const ATTEMPT: AttemptId = "att_0001";
const GRANT: GrantId = "gra_0001";
const OF_JOB = { jobId: JOB, customerId: CUSTOMER };
const OF_STATEMENT = { id: "stm_0001", customerId: CUSTOMER } as const;

function onAccount(amount: bigint): Hold {
  return { ...OF_JOB, amount: nanos(amount), slices: null };
}

function prepaid(...amounts: readonly bigint[]): Hold {
  const slices = amounts.map((amount, n) => ({ grantId: `gra_000${n + 1}` as GrantId, amount: nanos(amount) }));
  return { ...OF_JOB, amount: sum(slices.map((slice) => slice.amount)), slices };
}

const amounts = fc.bigInt({ min: 1n, max: 10n ** 15n }).map(nanos);

function costOf(cost: bigint, booked: bigint, basis: AttemptCost["basis"] = "reported"): AttemptCost {
  const model = { provider: "anthropic", model: "claude-haiku-5-5" };
  return { jobId: JOB, attemptId: ATTEMPT, ...model, basis, cost: nanos(cost), booked: nanos(booked) };
}

/** One example of everything that is ever booked. */
const BOOKED: Readonly<Record<TransactionKind, readonly Transaction[]>> = {
  top_up: [topUp({ id: GRANT, customerId: CUSTOMER, ref: "wire-1", amount: nanos(500n) })],
  grant: [promotion({ id: GRANT, customerId: CUSTOMER, ref: "welcome", amount: nanos(500n) })],
  hold: [hold(onAccount(500n)), hold(prepaid(300n, 200n))],
  cost: [attemptCost(costOf(300n, 0n)), attemptCost(costOf(300n, 400n))].filter((t) => t !== null),
  capture: [capture(onAccount(500n), nanos(200n)), capture(prepaid(300n, 200n), nanos(350n))],
  void: [release(onAccount(500n)), release(prepaid(300n, 200n))],
  dispute: [
    disputeOpened({ ...OF_JOB, id: "dsp_0001", amount: nanos(200n) }),
    disputeResolved({ ...OF_JOB, id: "dsp_0001", amount: nanos(200n) }),
  ],
  credit: [
    creditNote({ ...OF_JOB, id: "crn_0001", grantId: GRANT, amount: nanos(200n) }),
    creditNote({ ...OF_JOB, id: "crn_0002", grantId: null, amount: nanos(200n) }),
  ],
  earn: [earned({ ...OF_JOB, amount: nanos(200n) })],
  expiry: [expiry({ id: GRANT, customerId: CUSTOMER, left: nanos(20n), number: 1 })],
  adjustment: [
    adjusted({ ...OF_STATEMENT, because: "allowance", grantId: null, amount: nanos(20n) }),
    adjusted({ ...OF_STATEMENT, because: "bands", grantId: GRANT, amount: nanos(20n) }),
  ],
  commitment: [commitmentTrueUp({ ...OF_STATEMENT, amount: nanos(20n) })],
  rounding: [rounded({ ...OF_STATEMENT, amount: nanos(2n) }), rounded({ ...OF_STATEMENT, amount: nanos(-2n) })],
  statement: [billed({ ...OF_STATEMENT, amount: nanos(200n) }), billed({ ...OF_STATEMENT, amount: nanos(-200n) })],
  payment: [paid({ ...OF_STATEMENT, ref: "wire-2", amount: nanos(200n) })],
  reconciliation: [3n, -3n].map((amount) =>
    invoiceDrift({ provider: "anthropic", period: "2026-11-01..2026-11-30", number: 1, amount: nanos(amount) }),
  ),
};

/** The postings as `class of amount`, for reading. */
function lines(transaction: Transaction | null): readonly string[] {
  return (transaction?.postings ?? []).map(({ account, amount }) => `${account.class} ${account.of} ${amount}`);
}

describe("what is booked", () => {
  test("for a hold reserves the amount for the customer, off the balance", () => {
    const held = hold(onAccount(500n));
    expect(held).toMatchObject({ kind: "hold", key: "hold:job_0001", jobId: JOB, customerId: CUSTOMER });
    expect(lines(held)).toEqual(["memo:contra  500", "customer:authorized cus_0001 -500"]);
  });

  test("for a prepaid hold takes each grant's slice", () => {
    expect(lines(hold(prepaid(300n, 200n)))).toEqual([
      "customer:prepaid gra_0001 300",
      "customer:prepaid gra_0002 200",
      "customer:held cus_0001 -500",
    ]);
  });

  test("for a prepaid capture spends the slices in their order and gives the rest back to where it came from", () => {
    expect(lines(capture(prepaid(300n, 200n), nanos(350n)))).toEqual([
      "customer:held cus_0001 500",
      "revenue:accrued  -350",
      "customer:prepaid gra_0002 -150",
    ]);
    expect(lines(capture(prepaid(300n, 200n), nanos(100n))).slice(2)).toEqual([
      "customer:prepaid gra_0001 -200",
      "customer:prepaid gra_0002 -200",
    ]);
  });

  test("for a prepaid void gives every grant exactly its slice back", () => {
    expect(returnedSlices(prepaid(300n, 200n), ZERO)).toEqual(prepaid(300n, 200n).slices);
    expect(lines(release(prepaid(300n, 200n)))).toEqual([
      "customer:held cus_0001 500",
      "customer:prepaid gra_0001 -300",
      "customer:prepaid gra_0002 -200",
    ]);
  });

  test("is refused when the slices are not the hold", () => {
    const short = { ...prepaid(300n, 200n), amount: nanos(501n) };
    for (const book of [() => hold(short), () => capture(short, nanos(1n)), () => release(short)]) {
      expect(book).toThrow(/do not add up/);
    }
  });

  test("for a capture ends the whole hold and charges the price", () => {
    const charged = capture(onAccount(500n), nanos(200n));
    expect(charged.key).toBe("charge:job_0001");
    expect(lines(charged)).toEqual([
      "customer:authorized cus_0001 500",
      "memo:contra  -500",
      "receivable:unbilled cus_0001 200",
      "revenue:accrued  -200",
    ]);
  });

  test("for a void ends the hold and charges nothing", () => {
    const end = release(onAccount(500n));
    expect(end.key).toBe("void:job_0001");
    expect(lines(end)).toEqual(["customer:authorized cus_0001 500", "memo:contra  -500"]);
  });

  test("for an attempt is owed to its provider and told apart by model", () => {
    expect(lines(attemptCost(costOf(300n, 0n)))).toEqual([
      "cogs anthropic:claude-haiku-5-5 300",
      "payable anthropic -300",
    ]);
  });

  test("for a verdict is owed to whoever judged, once", () => {
    const cost = { jobId: JOB, verdictId: "vrd_0001", provider: "judges", name: "court", cost: nanos(70n) } as const;
    expect(verdictCost(cost)).toMatchObject({ kind: "cost", key: "cost:vrd_0001:reported", jobId: JOB });
    expect(lines(verdictCost(cost))).toEqual(["cogs judges:court 70", "payable judges -70"]);
    for (const none of [0n, -1n]) expect(() => verdictCost({ ...cost, cost: nanos(none) })).toThrow(BooksError);
  });

  test("always balances", () => {
    fc.assert(
      fc.property(amounts, amounts, fc.bigInt({ min: 0n, max: 10n ** 15n }), (a, b, booked) => {
        const [held, price] = a > b ? [a, b] : [b, a];
        const transactions = [
          hold(onAccount(held)),
          capture(onAccount(held), price),
          release(onAccount(held)),
          attemptCost(costOf(held, booked)),
        ];
        for (const t of transactions) expect(sum((t?.postings ?? []).map((p) => p.amount))).toBe(0n);
      }),
    );
  });

  test("leaves nothing reserved after a hold was captured or voided, and every prepaid nano where it belongs", () => {
    const holds = fc.oneof(
      amounts.map((amount) => onAccount(amount)),
      fc.array(amounts, { minLength: 1, maxLength: 5 }).map((slices) => prepaid(...slices)),
    );
    fc.assert(
      fc.property(holds, fc.bigInt({ min: 1n, max: 10n ** 15n }), (held, asked) => {
        const price = min(nanos(asked), held.amount);
        for (const [end, charged] of [
          [capture(held, price), price],
          [release(held), ZERO],
        ] as const) {
          const postings = [...hold(held).postings, ...end.postings];
          const left = (name: AccountClass) =>
            sum(postings.filter((p) => p.account.class === name).map((p) => p.amount));
          expect([left("customer:authorized"), left("memo:contra"), left("customer:held")]).toEqual([0n, 0n, 0n]);
          expect(left("revenue:accrued")).toBe(negate(charged));
          expect(left(held.slices === null ? "receivable:unbilled" : "customer:prepaid")).toBe(charged);
        }
      }),
    );
  });
});

describe("the cost of an attempt", () => {
  test("that was estimated is corrected by the difference, up or down", () => {
    expect(lines(attemptCost(costOf(700n, 600n)))[0]).toBe("cogs anthropic:claude-haiku-5-5 100");
    expect(lines(attemptCost(costOf(400n, 600n)))[0]).toBe("cogs anthropic:claude-haiku-5-5 -200");
  });

  test("adds up to the truth whatever was estimated", () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 0n, max: 10n ** 15n }),
        fc.bigInt({ min: 0n, max: 10n ** 15n }),
        (estimate, truth) => {
          const booked = [attemptCost(costOf(estimate, 0n, "estimated")), attemptCost(costOf(truth, estimate))];
          const postings = booked.flatMap((t) => t?.postings ?? []);
          const left = (name: AccountClass) =>
            sum(postings.filter((p) => p.account.class === name).map((p) => p.amount));
          expect([left("cogs"), left("payable")]).toEqual([truth, -truth]);
        },
      ),
    );
  });

  test("books nothing when there is nothing to book", () => {
    expect(attemptCost(costOf(0n, 0n))).toBeNull();
    expect(attemptCost(costOf(600n, 600n))).toBeNull();
  });

  test("has one key as an estimate and another one as the truth, so that each is booked once", () => {
    const keys = (["estimated", "reported"] as const).map((basis) => attemptCost(costOf(300n, 0n, basis))?.key);
    expect(keys).toEqual(["cost:att_0001:estimated", "cost:att_0001:reported"]);
  });
});

describe("a charge", () => {
  test("is at most the hold and more than nothing", () => {
    const charge = (price: bigint) => () => capture(onAccount(500n), nanos(price));
    expect(charge(500n)).not.toThrow();
    for (const price of [501n, 0n, -1n]) expect(charge(price)).toThrow(BooksError);
  });
});

describe("what may be booked", () => {
  test.each(["hold", "void"] as const)("is not a %s of nothing, nor one the wrong way round", (kind) => {
    const book = kind === "hold" ? hold : release;
    for (const amount of [0n, -5n]) expect(() => book(onAccount(amount))).toThrow(BooksError);
  });

  test("is not a transaction that does not balance, by however little", () => {
    const [first, ...others] = BOOKED.hold[0]?.postings ?? [];
    const postings = [{ ...first, amount: nanos((first?.amount ?? ZERO) + 1n) } as Posting, ...others];
    expect(() => checked({ kind: "hold", key: "hold:job_0001", ...OF_JOB, postings })).toThrow(/does not sum to zero/);
  });

  test("is not a transaction without two sides", () => {
    const nothing: Posting = { account: { class: "memo:contra", of: "" }, amount: ZERO };
    for (const postings of [[], [nothing]]) {
      expect(() => checked({ kind: "hold", key: "hold:job_0001", ...OF_JOB, postings })).toThrow(BooksError);
    }
  });

  test("is not a posting of nothing beside others that balance", () => {
    const postings = [
      ...(BOOKED.hold[0]?.postings ?? []),
      { account: { class: "customer:authorized", of: CUSTOMER }, amount: ZERO } as const,
    ];
    expect(() => checked({ kind: "hold", key: "hold:job_0001", ...OF_JOB, postings })).toThrow(BooksError);
  });

  test("is, of every kind, account and direction, only what the table permits", () => {
    const refused: string[] = [];
    for (const kind of TRANSACTION_KINDS) {
      for (const accountClass of ACCOUNT_CLASSES) {
        for (const amount of [1n, -1n]) {
          if (!isRefused(kind, accountClass, nanos(amount))) continue;
          refused.push(key({ kind, accountClass, direction: amount > 0n ? "debit" : "credit" }));
        }
      }
    }
    const all = TRANSACTION_KINDS.length * ACCOUNT_CLASSES.length * 2;
    expect(refused.length).toBe(all - PERMITTED_FLOWS.length);
    expect(refused.filter((flow) => PERMITTED_FLOWS.map(key).includes(flow))).toEqual([]);
  });
});

describe("the table of permitted flows", () => {
  test("names each flow once, and gives every kind both sides", () => {
    expect(new Set(PERMITTED_FLOWS.map(key)).size).toBe(PERMITTED_FLOWS.length);
    for (const kind of TRANSACTION_KINDS) {
      const directions = new Set(PERMITTED_FLOWS.filter((f) => f.kind === kind).map((f) => f.direction));
      expect(directions).toEqual(new Set(["debit", "credit"]));
    }
  });

  test("permits just what is really booked: nothing is left open for later", () => {
    const used = Object.values(BOOKED).flatMap((transactions) => transactions.flatMap(flowsOf));
    expect([...new Set(used)].toSorted()).toEqual(PERMITTED_FLOWS.map(key).toSorted());
  });

  test("lets a customer owe more only by a charge, a commitment or the rounding of a statement", () => {
    const owing = PERMITTED_FLOWS.filter((f) => f.accountClass === "receivable:unbilled" && f.direction === "debit");
    expect(owing.map((f) => f.kind).toSorted()).toEqual(["capture", "commitment", "rounding", "statement"]);
  });

  test("lets revenue in only by a charge or a commitment", () => {
    const revenue = PERMITTED_FLOWS.filter((f) => f.accountClass.startsWith("revenue:") && f.direction === "credit");
    // A dispute and the end of its window only move what a charge has brought in.
    expect(new Set(revenue.map((f) => f.kind))).toEqual(new Set(["capture", "commitment", "dispute", "earn"]));
  });
});

function key(flow: Flow): string {
  return `${flow.kind} ${flow.direction} ${flow.accountClass}`;
}

function flowsOf({ kind, postings }: Transaction): readonly string[] {
  return postings.map(({ account, amount }) =>
    key({ kind, accountClass: account.class, direction: amount > 0n ? "debit" : "credit" }),
  );
}

/** Whether a balanced transaction of this kind is refused because of this posting: its other side is permitted. */
function isRefused(kind: TransactionKind, accountClass: AccountClass, amount: Nanos): boolean {
  const direction = amount > 0n ? "credit" : "debit";
  const counterpart = PERMITTED_FLOWS.find((f) => f.kind === kind && f.direction === direction);
  const postings: Posting[] = [{ account: { class: accountClass, of: "" }, amount }];
  if (counterpart !== undefined) {
    postings.push({ account: { class: counterpart.accountClass, of: "" }, amount: negate(amount) });
  }
  try {
    checked({ kind, key: "key", ...OF_JOB, postings });
    return false;
  } catch (error) {
    if (error instanceof BooksError && /may not/.test(error.message)) return true;
    throw error;
  }
}
