/** Hazard: nobody sees that customers are refused, or that somebody tries keys; or a metric tells what a customer has sent. */
import type { Log } from "@contingent/runtime/log";
import { metrics, type Attributes, type Counter, type MeterProvider } from "@opentelemetry/api";
import type { Response } from "express";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { Caller } from "./authenticate.ts";

const counted: [string, Attributes | undefined][] = [];
const counter = (name: string): Counter => ({ add: (_, attributes) => void counted.push([name, attributes]) });
const instruments = { createCounter: counter, createHistogram: counter, createGauge: counter };

/** Instruments are kept with their module: others of this process have their own. */
async function loadAnew() {
  vi.resetModules();
  const [{ sendError }, { ApiError }, { RequestLimits }] = await Promise.all([
    import("./respond.ts"),
    import("./api-error.ts"),
    import("../limits/request-limits.ts"),
  ]);
  return { sendError, ApiError, RequestLimits };
}
let loaded: Awaited<ReturnType<typeof loadAnew>>;
beforeAll(async () => {
  metrics.disable();
  metrics.setGlobalMeterProvider({ getMeter: () => instruments } as unknown as MeterProvider);
  loaded = await loadAnew();
});
afterAll(() => {
  metrics.disable();
  vi.resetModules();
});
beforeEach(() => void counted.splice(0));

const LOG = { error: () => undefined } as unknown as Log;
const CALLER: Caller = { kind: "customer", customerId: "cus_a", keyId: "key_a", scopes: ["*"] };

function response(): Response {
  const answer = {
    locals: {},
    req: { complete: true },
    setHeader: () => answer,
    status: () => answer,
    json: () => answer,
  };
  return { ...answer, once: () => undefined } as unknown as Response;
}

test("an error is counted by its code, and by nothing that was sent", () => {
  const { sendError, ApiError } = loaded;
  const problems = [{ param: "/a-secret", message: "It is a secret." }];
  sendError(response(), new ApiError("invalid_input", "A secret.", { param: "/a-secret", problems }), LOG);
  sendError(response(), new Error("A secret."), LOG);
  expect(counted).toEqual([
    ["outcome.api.errors", { "error.type": "invalid_input" }],
    ["outcome.api.errors", { "error.type": "internal_error" }],
  ]);
});

test.each([
  ["key", { keyPerS: 0.1 }],
  ["customer", { customerPerS: 0.1 }],
  ["address", { addressPerS: 0.1 }],
  ["under_way", {}],
])("too many requests are counted by what there were too many of: by %s", async (limit, rates) => {
  const { sendError, RequestLimits } = loaded;
  const most = { keyPerS: 100, customerPerS: 100, addressPerS: 100, failuresPerMin: 100 };
  const limits = new RequestLimits({ ...most, ...rates }, limit === "under_way" ? 1 : 100);
  const ask = async (): Promise<void> => {
    await limits.countAddress("192.0.2.1");
    await limits.countCaller(CALLER, response());
  };
  await ask();
  await ask().catch((error: unknown) => sendError(response(), error, LOG));
  expect(counted).toEqual([["outcome.api.errors", { "error.type": "too_many_requests", "outcome.limit": limit }]]);
});
