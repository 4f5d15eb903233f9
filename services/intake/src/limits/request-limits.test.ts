/** Hazard: one client whose requests wait and stream, slowly made, until no connection is left for anybody else. */
import { EventEmitter } from "node:events";
import type { Response } from "express";
import { expect, test } from "vitest";
import type { Caller } from "../http/authenticate.ts";
import { RequestLimits } from "./request-limits.ts";

const RATES = { keyPerS: 1_000, customerPerS: 1_000, addressPerS: 1_000, failuresPerMin: 1_000 };

function caller(customerId: `cus_${string}`, keyId: `key_${string}`): Caller {
  return { kind: "customer", customerId, keyId, scopes: ["*"] };
}

function answer(): Response {
  return Object.assign(new EventEmitter(), { closed: false, setHeader: () => undefined }) as unknown as Response;
}

test("a customer has so many requests under way, by whatever keys, and others have theirs", async () => {
  const limits = new RequestLimits(RATES, 2);
  const first = answer();
  await limits.countCaller(caller("cus_a", "key_a"), first);
  await limits.countCaller(caller("cus_a", "key_b"), answer());
  for (const key of ["key_a", "key_c"] as const) {
    const refused = limits.countCaller(caller("cus_a", key), answer());
    await expect(refused).rejects.toMatchObject({ code: "too_many_requests", headers: { "Retry-After": "1" } });
  }
  await limits.countCaller(caller("cus_b", "key_d"), answer());
  await limits.countCaller({ kind: "operator", keyId: "key_o", scopes: ["*"] }, answer());
  first.emit("close");
  await limits.countCaller(caller("cus_a", "key_a"), answer());
  await expect(limits.countCaller(caller("cus_a", "key_a"), answer())).rejects.toThrow("2 requests are being answered");
});

test("whoever has gone away before is not waited for", async () => {
  const limits = new RequestLimits(RATES, 1);
  for (let n = 0; n < 3; n += 1) {
    const gone = Object.assign(answer(), { closed: true });
    await limits.countCaller(caller("cus_a", "key_a"), gone);
  }
  await expect(limits.countCaller(caller("cus_a", "key_a"), answer())).resolves.toBeUndefined();
});

test("lines of bulk requests wait for their turn, each customer's for itself, and for no longer than somebody wants them", async () => {
  const limits = new RequestLimits({ ...RATES, customerPerS: 2 });
  const gone = new AbortController();
  await limits.waitForLine("cus_a", gone.signal);
  await limits.waitForLine("cus_a", gone.signal);
  let isTaken = false;
  const third = limits.waitForLine("cus_a", gone.signal).then(() => (isTaken = true));
  await limits.waitForLine("cus_b", gone.signal);
  await limits.countCaller(caller("cus_a", "key_a"), answer());
  expect(isTaken).toBe(false);
  gone.abort();
  await third;
});

test("nothing is counted where a gateway does it", async () => {
  const limits = new RequestLimits(null, 1);
  for (let n = 0; n < 3; n += 1)
    await expect(limits.countCaller(caller("cus_a", "key_a"), answer())).resolves.toBeUndefined();
});
