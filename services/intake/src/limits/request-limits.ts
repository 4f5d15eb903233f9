/**
 * How many requests are taken from whom. They are counted in the memory of this process, in windows: so many processes take
 * so many times as much. *Lost:* a count that all processes share, which costs every request a round trip to protect what
 * each process protects by itself; what must be exact (open jobs, money) is counted in the database.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { CustomerId, KeyId } from "@contingent/core/ids";
import { keyIdOf } from "@contingent/db/keys";
import type { Response } from "express";
import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import { ApiError } from "../http/api-error.ts";
import type { Authenticate, Caller } from "../http/authenticate.ts";
import type { RequestRates } from "./settings.ts";

/** A client may use up a whole window at once, and then waits for the next one. */
const WINDOW_S = 10;
const FAILURES_WINDOW_S = 60;
/** Keys that are remembered to have been right. */
const GOOD_KEYS_MAX = 10_000;
/**
 * Requests of one customer that are answered at the same time. Those that wait, stream and upload take long, however slowly
 * they come; and the process takes 10,000 connections from all of them.
 */
const UNDER_WAY_MAX = 2_000;

interface Counters {
  readonly keys: RateLimiterMemory;
  readonly customers: RateLimiterMemory;
  /** Of bulk requests. */
  readonly lines: RateLimiterMemory;
  readonly addresses: RateLimiterMemory;
  readonly failures: RateLimiterMemory;
}

export class RequestLimits {
  readonly #counters: Counters | null;
  readonly #goodKeys = new Set<KeyId>();
  readonly #underWayMax: number;
  readonly #underWay = new Map<string, number>();

  /** @param rates null: nothing is counted */
  constructor(rates: RequestRates | null, underWayMax: number = UNDER_WAY_MAX) {
    this.#counters = rates === null ? null : countersOf(rates);
    this.#underWayMax = underWayMax;
  }

  /** @throws ApiError too_many_requests */
  async countAddress(address: string): Promise<void> {
    if (this.#counters === null) return;
    const { addresses } = this.#counters;
    const counted = await addresses.penalty(address);
    if (counted.consumedPoints > addresses.points) throw tooMany("address", addresses, counted);
  }

  /**
   * Tells the caller in headers what is left.
   * @throws ApiError too_many_requests
   */
  async countCaller(caller: Caller, response: Response): Promise<void> {
    if (this.#counters === null) return;
    const { keys, customers } = this.#counters;
    const byKey = await keys.penalty(caller.keyId);
    show(response, keys, byKey);
    if (byKey.consumedPoints > keys.points) throw tooMany("key", keys, byKey);
    this.#beginAnswer(caller.kind === "operator" ? caller.keyId : caller.customerId, response);
    if (caller.kind === "operator") return;
    const byCustomer = await customers.penalty(caller.customerId);
    if (byCustomer.remainingPoints < byKey.remainingPoints) show(response, customers, byCustomer);
    if (byCustomer.consumedPoints > customers.points) throw tooMany("customer", customers, byCustomer);
  }

  /**
   * Waits until one more line of the customer's bulk requests may be taken, or until nobody needs it any more: as many lines a
   * second as single requests. They are counted by themselves, so that whoever uploads is still heard otherwise.
   */
  async waitForLine(customerId: CustomerId, signal: AbortSignal): Promise<void> {
    if (this.#counters === null) return;
    const { lines } = this.#counters;
    while (!signal.aborted) {
      const counted = await lines.penalty(customerId);
      if (counted.consumedPoints <= lines.points) return;
      await delay(counted.msBeforeNext, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Counts an answer as under way until it has ended. @throws ApiError too_many_requests */
  #beginAnswer(whose: string, response: Response): void {
    const already = this.#underWay.get(whose) ?? 0;
    if (already >= this.#underWayMax) {
      const message = `${already} requests are being answered already. Send this one again once some of them have ended.`;
      throw new ApiError("too_many_requests", message, { headers: { "Retry-After": "1" }, limit: "under_way" });
    }
    // Else its end would not be told any more.
    if (response.closed) return;
    this.#underWay.set(whose, already + 1);
    response.once("close", () => {
      const left = (this.#underWay.get(whose) ?? 1) - 1;
      if (left > 0) this.#underWay.set(whose, left);
      else this.#underWay.delete(whose);
    });
  }

  /**
   * Names the caller, unless too many have failed to name themselves from this address: then only keys that were right
   * before are looked at, so that nobody is locked out by whoever else sends from there.
   * @throws ApiError too_many_failures, and what `authenticate` throws
   */
  async authenticate(authenticate: Authenticate, authorization: string | undefined, address: string): Promise<Caller> {
    const blocked = await this.#blocked(address);
    if (blocked !== null && !this.#wasGood(authorization)) throw blocked;
    try {
      const caller = await authenticate(authorization);
      this.#remember(caller.keyId);
      return caller;
    } catch (error) {
      if (error instanceof ApiError && error.code === "invalid_api_key") await this.countFailure(address);
      throw error;
    }
  }

  /** @throws ApiError too_many_failures */
  async refuseAfterFailures(address: string): Promise<void> {
    const blocked = await this.#blocked(address);
    if (blocked !== null) throw blocked;
  }

  async countFailure(address: string): Promise<void> {
    await this.#counters?.failures.penalty(address);
  }

  async #blocked(address: string): Promise<ApiError | null> {
    if (this.#counters === null) return null;
    const { failures } = this.#counters;
    const counted = await failures.get(address);
    if (counted === null || counted.consumedPoints < failures.points) return null;
    const message = "Too many keys or signatures from this address were wrong. Correct yours, and wait for a minute.";
    return new ApiError("too_many_failures", message, retryAfter(counted));
  }

  #wasGood(authorization: string | undefined): boolean {
    const id = keyIdOf(authorization?.trim().split(/ +/)[1] ?? "");
    return id !== null && this.#goodKeys.has(id);
  }

  /** The one that was used longest ago makes room. */
  #remember(keyId: KeyId): void {
    this.#goodKeys.delete(keyId);
    this.#goodKeys.add(keyId);
    const [oldest] = this.#goodKeys;
    if (this.#goodKeys.size > GOOD_KEYS_MAX && oldest !== undefined) this.#goodKeys.delete(oldest);
  }
}

function countersOf({ keyPerS, customerPerS, addressPerS, failuresPerMin }: RequestRates): Counters {
  const perWindow = (perS: number): RateLimiterMemory =>
    new RateLimiterMemory({ points: perS * WINDOW_S, duration: WINDOW_S });
  return {
    keys: perWindow(keyPerS),
    customers: perWindow(customerPerS),
    // They wait instead of being refused: seldom and long would be worse than often and short.
    lines: new RateLimiterMemory({ points: customerPerS, duration: 1 }),
    addresses: perWindow(addressPerS),
    failures: new RateLimiterMemory({ points: failuresPerMin, duration: FAILURES_WINDOW_S }),
  };
}

/** The draft for `RateLimit` headers, in the form that clients know (draft-ietf-httpapi-ratelimit-headers-06). */
function show(response: Response, limit: RateLimiterMemory, counted: RateLimiterRes): void {
  response.setHeader("RateLimit-Limit", limit.points);
  response.setHeader("RateLimit-Remaining", counted.remainingPoints);
  response.setHeader("RateLimit-Reset", secondsLeft(counted));
}

const WHOSE = { address: "from this address", key: "with this key", customer: "with keys of this customer" } as const;

function tooMany(limit: keyof typeof WHOSE, { points }: RateLimiterMemory, counted: RateLimiterRes): ApiError {
  const message = `More than ${points} requests came ${WHOSE[limit]} in ${WINDOW_S} s. Send it again in ${secondsLeft(counted)} s.`;
  return new ApiError("too_many_requests", message, { ...retryAfter(counted), limit });
}

function retryAfter(counted: RateLimiterRes): { readonly headers: Readonly<Record<string, string>> } {
  return { headers: { "Retry-After": String(secondsLeft(counted)) } };
}

function secondsLeft({ msBeforeNext }: RateLimiterRes): number {
  return Math.max(1, Math.ceil(msBeforeNext / 1_000));
}
