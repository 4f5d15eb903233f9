/** Hazard: money that appears, vanishes, or goes where it may not. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { AttemptId, CustomerId, JobId } from "../ids.ts";
import { type Nanos, nanos, negate, sum, ZERO } from "../money.ts";
import {
  ACCOUNT_CLASSES,
  type AccountClass,
  attemptCost,
  type AttemptCost,
  BooksError,
  captureOnAccount,
  checked,
  type Flow,
  holdOnAccount,
  PERMITTED_FLOWS,
  type Posting,
  type Transaction,
  TRANSACTION_KINDS,
  type TransactionKind,
  voidOnAccount,
} from "./books.ts";

const JOB: JobId = "job_0001";
const CUSTOMER: CustomerId = "cus_0001";
const ATTEMPT: AttemptId = "att_0001";

const amounts = fc.bigInt({ min: 1n, max: 10n ** 15n }).map(nanos);

function costOf(cost: bigint, booked: bigint, basis: AttemptCost["basis"] = "reported"): AttemptCost {
  const model = { provider: "anthropic", model: "claude-haiku-5-5" };
  return { jobId: JOB, attemptId: ATTEMPT, ...model, basis, cost: nanos(cost), booked: nanos(booked) };
}

/** One example of everything that is ever booked. */
const BOOKED: Readonly<Record<TransactionKind, readonly Transaction[]>> = {
  hold: [holdOnAccount(JOB, CUSTOMER, nanos(500n))],
  cost: [attemptCost(costOf(300n, 0n)), attemptCost(costOf(300n, 400n))].filter((t) => t !== null),
  capture: [captureOnAccount(JOB, CUSTOMER, nanos(500n), nanos(200n))],
  void: [voidOnAccount(JOB, CUSTOMER, nanos(500n))],
};

/** The postings as `class of amount`, for reading. */
function lines(transaction: Transaction | null): readonly string[] {
  return (transaction?.postings ?? []).map(({ account, amount }) => `${account.class} ${account.of} ${amount}`);
}

describe("what is booked", () => {
  test("for a hold reserves the amount for the customer, off the balance", () => {
    const hold = holdOnAccount(JOB, CUSTOMER, nanos(500n));
    expect(hold).toMatchObject({ kind: "hold", key: "hold:job_0001", jobId: JOB });
    expect(lines(hold)).toEqual(["memo:contra  500", "customer:authorized cus_0001 -500"]);
  });

  test("for a capture ends the whole hold and charges the price", () => {
    const capture = captureOnAccount(JOB, CUSTOMER, nanos(500n), nanos(200n));
    expect(capture.key).toBe("charge:job_0001");
    expect(lines(capture)).toEqual([
      "customer:authorized cus_0001 500",
      "memo:contra  -500",
      "receivable:unbilled cus_0001 200",
      "revenue:accrued  -200",
    ]);
  });

  test("for a void ends the hold and charges nothing", () => {
    const end = voidOnAccount(JOB, CUSTOMER, nanos(500n));
    expect(end.key).toBe("void:job_0001");
    expect(lines(end)).toEqual(["customer:authorized cus_0001 500", "memo:contra  -500"]);
  });

  test("for an attempt is owed to its provider and told apart by model", () => {
    expect(lines(attemptCost(costOf(300n, 0n)))).toEqual([
      "cogs anthropic:claude-haiku-5-5 300",
      "payable anthropic -300",
    ]);
  });

  test("always balances", () => {
    fc.assert(
      fc.property(amounts, amounts, fc.bigInt({ min: 0n, max: 10n ** 15n }), (a, b, booked) => {
        const [held, price] = a > b ? [a, b] : [b, a];
        const transactions = [
          holdOnAccount(JOB, CUSTOMER, held),
          captureOnAccount(JOB, CUSTOMER, held, price),
          voidOnAccount(JOB, CUSTOMER, held),
          attemptCost(costOf(held, booked)),
        ];
        for (const t of transactions) expect(sum((t?.postings ?? []).map((p) => p.amount))).toBe(0n);
      }),
    );
  });

  test("leaves nothing reserved after a hold was captured or voided", () => {
    fc.assert(
      fc.property(amounts, (held) => {
        for (const end of [captureOnAccount(JOB, CUSTOMER, held, nanos(1n)), voidOnAccount(JOB, CUSTOMER, held)]) {
          const postings = [...holdOnAccount(JOB, CUSTOMER, held).postings, ...end.postings];
          const left = (name: AccountClass) =>
            sum(postings.filter((p) => p.account.class === name).map((p) => p.amount));
          expect([left("customer:authorized"), left("memo:contra")]).toEqual([0n, 0n]);
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
    const charge = (price: bigint) => () => captureOnAccount(JOB, CUSTOMER, nanos(500n), nanos(price));
    expect(charge(500n)).not.toThrow();
    for (const price of [501n, 0n, -1n]) expect(charge(price)).toThrow(BooksError);
  });
});

describe("what may be booked", () => {
  test.each(["hold", "void"] as const)("is not a %s of nothing, nor one the wrong way round", (kind) => {
    const book = kind === "hold" ? holdOnAccount : voidOnAccount;
    for (const amount of [0n, -5n]) expect(() => book(JOB, CUSTOMER, nanos(amount))).toThrow(BooksError);
  });

  test("is not a transaction that does not balance, by however little", () => {
    const [first, ...others] = BOOKED.hold[0]?.postings ?? [];
    const postings = [{ ...first, amount: nanos((first?.amount ?? ZERO) + 1n) } as Posting, ...others];
    expect(() => checked({ kind: "hold", key: "hold:job_0001", jobId: JOB, postings })).toThrow(/does not sum to zero/);
  });

  test("is not a transaction without two sides", () => {
    const nothing: Posting = { account: { class: "memo:contra", of: "" }, amount: ZERO };
    for (const postings of [[], [nothing]]) {
      expect(() => checked({ kind: "hold", key: "hold:job_0001", jobId: JOB, postings })).toThrow(BooksError);
    }
  });

  test("is not a posting of nothing beside others that balance", () => {
    const postings = [
      ...(BOOKED.hold[0]?.postings ?? []),
      { account: { class: "customer:authorized", of: CUSTOMER }, amount: ZERO } as const,
    ];
    expect(() => checked({ kind: "hold", key: "hold:job_0001", jobId: JOB, postings })).toThrow(BooksError);
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

  test("lets money in only by a charge", () => {
    const revenue = PERMITTED_FLOWS.filter(
      (f) => f.accountClass === "revenue:accrued" || f.accountClass === "receivable:unbilled",
    );
    expect(revenue.map(key).toSorted()).toEqual([
      "capture credit revenue:accrued",
      "capture debit receivable:unbilled",
    ]);
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
    checked({ kind, key: "key", jobId: JOB, postings });
    return false;
  } catch (error) {
    if (error instanceof BooksError && /may not/.test(error.message)) return true;
    throw error;
  }
}
