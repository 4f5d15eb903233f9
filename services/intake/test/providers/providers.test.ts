/** Hazard: nobody sees why a model is not called, or nobody can say that it is. */
import type { ProviderModelBody } from "@contingent/contracts/http/providers";
import { openModelGate } from "@contingent/db/model-gate";
import { nanos } from "@contingent/core/money";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApi } from "../harness.ts";

const HAIKU = { provider: "anthropic", model: "claude-haiku-5-5" };
const SONNET = { provider: "anthropic", model: "claude-sonnet-5-5" };

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

async function modelOf({ model }: typeof HAIKU): Promise<ProviderModelBody | undefined> {
  const { status, body } = await api.operator.send({ path: "/v1/providers?limit=100" });
  expect(status).toBe(200);
  return (body as { data: readonly ProviderModelBody[] }).data.find((each) => each.model === model);
}

const put = (body: unknown, name = "anthropic") =>
  api.operator.send({ method: "PUT", path: `/v1/providers/${name}/breaker`, body });

describe("GET /v1/providers", () => {
  test("200: a model that nobody has called yet is called", async () => {
    expect(await modelOf(SONNET)).toEqual({
      object: "provider_model",
      ...SONNET,
      state: "closed",
      forced: false,
      since: null,
      because: null,
      next_probe_at: null,
      last_minute: {
        calls: 0,
        failures: 0,
        spent: { amount: "0.00", currency: "USD" },
        burnt: { amount: "0.00", currency: "USD" },
      },
    });
  });

  test("200: a model that fails is not, with the figures that decided it and when it is tried again", async () => {
    const opened: string[] = [];
    const gate = openModelGate(api.pool, {
      log: { warn: (_, message) => expect.fail(message) },
      changed: ({ to }) => opened.push(to),
      // Nothing is told before all of it is.
      exchangeMs: 60_000,
    });
    for (let i = 0; i < 20; i += 1) {
      const entry = await gate.enter(HAIKU, { comesBack: false, durationMs: 1_000 });
      if (entry.kind !== "pass") throw new Error("it is not called");
      await gate.report(entry.pass, i < 5 ? "answered" : "failed", nanos(10_000_000n));
    }
    await gate.close();
    expect(opened).toEqual(["open"]);
    expect(await modelOf(HAIKU)).toMatchObject({
      state: "open",
      forced: false,
      because: "15 of 20 calls failed within 5 s.",
      since: expect.stringMatching(/^20/) as string,
      next_probe_at: expect.stringMatching(/^20/) as string,
    });
  });

  test("200: the models are listed page by page", async () => {
    const all = await api.operator.send({ path: "/v1/providers?limit=100" });
    const first = await api.operator.send({ path: "/v1/providers?limit=1" });
    const cursor = encodeURIComponent((first.body as { next_cursor: string }).next_cursor);
    const second = await api.operator.send({ path: `/v1/providers?limit=1&cursor=${cursor}` });
    const modelsIn = ({ body }: { readonly body: unknown }) =>
      (body as { data: ProviderModelBody[] }).data.map(({ model }) => model);
    expect([...modelsIn(first), ...modelsIn(second)]).toEqual(modelsIn(all).slice(0, 2));
  });

  test("customers do not see them", async () => {
    expectError(await api.customer.send({ path: "/v1/providers" }), "wrong_scope");
  });
});

describe("PUT /v1/providers/{name}/breaker", () => {
  const reason = "The provider has announced an outage until noon.";

  test("200: a model is kept from being called, said once or twice, and let go again", async () => {
    const kept = await put({ model: SONNET.model, state: "open", reason });
    expect(kept).toMatchObject({ status: 200, body: { ...SONNET, state: "open", forced: true, because: reason } });
    expect(await put({ model: SONNET.model, state: "open", reason })).toMatchObject({ status: 200, body: kept.body });
    const letGo = await put({ model: SONNET.model, state: "automatic", reason: "It is over." });
    expect(letGo).toMatchObject({ status: 200, body: { state: "closed", forced: false, because: "It is over." } });
  });

  test("404 model_not_found: another provider's model, or none", async () => {
    expectError(await put({ model: SONNET.model, state: "open", reason }, "other"), "model_not_found", "/model");
    expectError(await put({ model: "claude", state: "open", reason }), "model_not_found", "/model");
  });

  test("400 for a state or a reason that is none; nothing is written", async () => {
    const before = await modelOf(SONNET);
    expectError(await put({ model: SONNET.model, state: "half_open", reason }), "invalid_field");
    expectError(await put({ model: SONNET.model, state: "open", reason: " " }), "invalid_field");
    expectError(await put({ model: SONNET.model, state: "open" }), "missing_field");
    expect(await modelOf(SONNET)).toEqual(before);
  });
});
