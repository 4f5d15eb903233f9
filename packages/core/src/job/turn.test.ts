/** Hazard: a customer who sends a hundred thousand jobs, and everybody else waits behind them. */
import { describe, expect, test } from "vitest";
import { TURN_BACKLOG_MAX_MS, TURN_STEP_MS, turnOf } from "./turn.ts";

const START_MS = 1_700_000_000_000;

interface Waiting {
  readonly customer: string;
  readonly turnAtMs: number;
  readonly acceptedAtMs: number;
}

/** What waits, in a list for each customer: in the order of its turns, for a customer's own only rise here. */
class Queue {
  readonly #byCustomer = new Map<string, Waiting[]>();
  readonly #taken = new Map<string, number>();
  /** The longest that any job has waited, ms. */
  longestWaitMs = 0;

  open(customer: string): number {
    return (this.#byCustomer.get(customer)?.length ?? 0) - (this.#taken.get(customer) ?? 0);
  }

  accept(customer: string, nowMs: number): void {
    const own = this.#byCustomer.get(customer) ?? [];
    own.push({ customer, turnAtMs: turnOf(nowMs, this.open(customer)), acceptedAtMs: nowMs });
    this.#byCustomer.set(customer, own);
  }

  /** Takes whoever's turn it is, and ends that job at once. */
  take(nowMs: number): string | null {
    const heads = [...this.#byCustomer].flatMap(([customer, own]) => own[this.#taken.get(customer) ?? 0] ?? []);
    const [next] = heads.toSorted((a, b) => a.turnAtMs - b.turnAtMs || a.acceptedAtMs - b.acceptedAtMs);
    if (next === undefined) return null;
    this.#taken.set(next.customer, (this.#taken.get(next.customer) ?? 0) + 1);
    this.longestWaitMs = Math.max(this.longestWaitMs, nowMs - next.acceptedAtMs);
    return next.customer;
  }
}

describe("beside a backlog of 100,000 jobs", () => {
  test("another customer's first job goes before all of it but what had its turn before that was there", () => {
    const queue = new Queue();
    for (let n = 0; n < 100_000; n += 1) queue.accept("large", START_MS);
    // Three seconds later, at a hundred attempts a second.
    for (let n = 0; n < 300; n += 1) expect(queue.take(START_MS + n * 10)).toBe("large");
    queue.accept("small", START_MS + 3_000);
    expect(queue.take(START_MS + 3_000)).toBe("small");
  });

  test("another customer's steady jobs all go at once, and the backlog gets the rest", () => {
    const queue = new Queue();
    for (let n = 0; n < 100_000; n += 1) queue.accept("large", START_MS);
    const taken = new Map<string, number>();
    for (let second = 1; second <= 60; second += 1) {
      for (let n = 0; n < 20; n += 1) queue.accept("small", START_MS + second * 1_000);
      for (let n = 0; n < 100; n += 1) {
        const customer = queue.take(START_MS + second * 1_000 + n * 10);
        if (customer !== null) taken.set(customer, (taken.get(customer) ?? 0) + 1);
      }
    }
    expect(Object.fromEntries(taken)).toEqual({ small: 60 * 20, large: 60 * 80 });
  });

  test("nobody starves: beside others who take all there is, each job is reached when its turn is over", () => {
    const queue = new Queue();
    const backlog = 200;
    for (let n = 0; n < backlog; n += 1) queue.accept("large", START_MS);
    // Every hundred milliseconds there is a new customer, and one attempt.
    for (let n = 0; n < 4_000; n += 1) {
      queue.accept(`c${n}`, START_MS + n * 100);
      queue.take(START_MS + n * 100);
    }
    expect(queue.open("large")).toBe(0);
    expect(queue.longestWaitMs).toBeLessThan(2 * backlog * TURN_STEP_MS);
  });
});

test("a turn is never before the acceptance, rises with what is open, and is put off by a week at most", () => {
  expect(turnOf(START_MS, 0)).toBe(START_MS);
  expect(turnOf(START_MS, 1)).toBe(START_MS + 1_000);
  expect(turnOf(START_MS, 100_000)).toBe(START_MS + 100_000_000);
  expect(turnOf(START_MS, 10_000_000)).toBe(START_MS + TURN_BACKLOG_MAX_MS);
});
