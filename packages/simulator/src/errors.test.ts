import {
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  OverloadedError,
  RateLimitError,
} from "@anthropic-ai/sdk";
import { describe, expect, test } from "vitest";
import { apiErrorOf, ask, OPUS, SONNET, startPair, type Params } from "./server.fixture.ts";

describe("a request that the API would not take", () => {
  const format = (schema: Record<string, unknown>): Partial<Params> => ({
    output_config: { format: { type: "json_schema", schema } },
  });
  const object = { type: "object", additionalProperties: false, required: [] };

  test.each<[string, Partial<Params> | Record<string, unknown>, RegExp]>([
    ["temperature", { temperature: 0 }, /^400 .*temperature/],
    ["top_p", { top_p: 0.9 }, /^400 .*top_p/],
    ["top_k", { top_k: 5 }, /^400 .*top_k/],
    ["no max_tokens", { max_tokens: undefined }, /max_tokens: Field required/],
    ["max_tokens of zero", { max_tokens: 0 }, /greater than or equal to 1/],
    [
      "max_tokens beyond the model's",
      { max_tokens: 1_000_000, stream: true },
      /maximum allowed number of output tokens/,
    ],
    ["no messages", { messages: [] }, /at least one message/],
    ["an unknown role", { messages: [{ role: "robot", content: "Hi" }] }, /role/],
    ["a forced tool on a new model", { model: SONNET, tool_choice: { type: "any" } }, /tool_choice/],
    ["an open object in the schema", format({ type: "object", properties: {} }), /additionalProperties/],
    [
      "a bound in the schema",
      format({ ...object, properties: { n: { type: "number", minimum: 0 } } }),
      /'minimum' is not supported/,
    ],
    [
      "two items at least in the schema",
      format({ ...object, properties: { l: { type: "array", minItems: 2 } } }),
      /minItems/,
    ],
  ])("%s is a 400 that names it", async (_, changes, message) => {
    await using pair = await startPair();
    // The SDK's types rightly forbid most of these requests; the server must refuse them all the same.
    const error = await apiErrorOf(pair.client.post("/v1/messages", { body: { ...ask("Hi"), ...changes } }));
    expect(error).toBeInstanceOf(BadRequestError);
    expect(error.type).toBe("invalid_request_error");
    expect(error.message).toMatch(message);
    expect(pair.simulator.billed()).toEqual([]);
  });

  test("an unknown model is a 404, also when it is the prefix of a known one", async () => {
    await using pair = await startPair();
    for (const model of ["claude-sonnet-5-5-20991231", "claude-sonnet"]) {
      const error = await apiErrorOf(pair.client.messages.create(ask("Hi", { model })));
      expect(error).toBeInstanceOf(NotFoundError);
      expect(error.message).toContain(model);
    }
  });

  test("a body above the limit is a 413", async () => {
    await using pair = await startPair({ bodyBytesMax: 10_000 });
    const error = await apiErrorOf(pair.client.messages.create(ask("z".repeat(20_000))));
    expect(error.status).toBe(413);
    expect(error.type).toBe("request_too_large");
  });

  test("a body that is not JSON is a 400", async () => {
    await using pair = await startPair();
    const headers = { "x-api-key": "test-key", "anthropic-version": "2026-10-21" };
    const response = await fetch(`${pair.simulator.url}/v1/messages`, { method: "POST", headers, body: "{" });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
  });

  test("a wrong key is a 401, and a missing one", async () => {
    await using pair = await startPair({ apiKey: "the-right-key" }, "another-key");
    const error = await apiErrorOf(pair.client.messages.create(ask("Hi")));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error.type).toBe("authentication_error");
    const response = await fetch(`${pair.simulator.url}/v1/models`, { headers: { "anthropic-version": "2026-10-21" } });
    expect(response.status).toBe(401);
  });
});

describe("an error that a script asks for", () => {
  test("429 carries retry-after and the limits that are used up", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: [{ step: "rate_limited", retry_after_s: 7 }] });
    const error = await apiErrorOf(pair.client.messages.create(ask("Hi")));
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error.headers?.get("retry-after")).toBe("7");
    for (const budget of ["requests", "tokens", "input-tokens", "output-tokens"]) {
      expect(error.headers?.get(`anthropic-ratelimit-${budget}-remaining`)).toBe("0");
      expect(error.headers?.get(`anthropic-ratelimit-${budget}-limit`)).toMatch(/^\d+$/);
      expect(error.headers?.get(`anthropic-ratelimit-${budget}-reset`)).toMatch(/^\d{4}-/);
    }
  });

  test("429 for a spend limit carries its code and no retry-after", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: ["spend_limit"] });
    const error = await apiErrorOf(pair.client.messages.create(ask("Hi")));
    expect(error).toBeInstanceOf(RateLimitError);
    expect(error.errorCode).toBe("enforced_spend_limit_reached");
    expect(error.headers?.get("retry-after")).toBeNull();
  });

  test.each([
    ["server_error" as const, InternalServerError, 500, "api_error"],
    ["overloaded" as const, OverloadedError, 529, "overloaded_error"],
    ["bad_request" as const, BadRequestError, 400, "invalid_request_error"],
    ["unauthorized" as const, AuthenticationError, 401, "authentication_error"],
  ])("%s reaches the client as its own class, and is not billed", async (step, type, status, apiType) => {
    await using pair = await startPair();
    pair.simulator.script({ steps: [step, step] });
    for (const call of [
      pair.client.messages.create(ask("Hi")),
      pair.client.messages.stream(ask("Hi")).finalMessage(),
    ]) {
      const error = await apiErrorOf(call);
      expect(error).toBeInstanceOf(type);
      expect(error.status).toBe(status);
      expect(error.type).toBe(apiType);
      expect(error.requestID).toMatch(/^req_sim_/);
    }
    expect(pair.simulator.billed()).toEqual([]);
  });

  test("can be meant for one model only", async () => {
    await using pair = await startPair();
    pair.simulator.script({ model: OPUS, steps: ["overloaded"] });
    await expect(pair.client.messages.create(ask("Hi"))).resolves.toMatchObject({ type: "message" });
    await expect(pair.client.messages.create(ask("Hi", { model: OPUS }))).rejects.toMatchObject({ status: 529 });
  });

  test("can be meant for token counts only", async () => {
    await using pair = await startPair();
    pair.simulator.script({ endpoint: "count_tokens", steps: ["overloaded"] });
    const { model, messages } = ask("Hi");
    await expect(pair.client.messages.create(ask("Hi"))).resolves.toMatchObject({ type: "message" });
    await expect(pair.client.messages.countTokens({ model, messages })).rejects.toMatchObject({ status: 529 });
  });
});
