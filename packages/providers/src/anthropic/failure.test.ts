import { createServer } from "node:net";
import { describe, expect, test } from "vitest";
import type { CallFailed } from "../provider.ts";
import { anthropic } from "./anthropic.ts";
import { answering, KEY, patient, requestOf, sendError, sendWithoutEnd } from "./server.fixture.ts";

describe("an error status", () => {
  test.each<[number, string, CallFailed["kind"], string]>([
    [400, "invalid_request_error", "rejected", "correct the outcome type's prompt, schema or output limit"],
    [401, "authentication_error", "rejected", "set ANTHROPIC_API_KEY"],
    [402, "billing_error", "rejected", "settle the account"],
    [403, "permission_error", "rejected", "grant it access"],
    [404, "not_found_error", "rejected", "correct the catalog"],
    [413, "request_too_large", "rejected", "shorten the prompt"],
    [422, "invalid_request_error", "rejected", "refused the request"],
    [408, "timeout_error", "unavailable", "tried again"],
    [409, "api_error", "unavailable", "tried again"],
    [429, "rate_limit_error", "rate_limited", "lower the concurrency"],
    [500, "api_error", "unavailable", "tried again"],
    [502, "api_error", "unavailable", "tried again"],
    [503, "api_error", "unavailable", "tried again"],
    [504, "timeout_error", "unavailable", "tried again"],
    [529, "overloaded_error", "unavailable", "overloaded"],
  ])("%s %s: %s, not billed, once, with advice", async (status, type, kind, advice) => {
    await using server = await answering((response) => sendError(response, status, { type, message: "Some words." }));
    const result = await server.provider.call(requestOf(), patient());
    expect(result).toMatchObject({ kind, mayHaveBeenBilled: false, retryAfterMs: null, usage: null });
    expect(messageOf(result)).toContain(advice);
    expect(messageOf(result)).toContain(`(${status} ${type} req_011Canary): Some words.`);
    expect(server.received).toHaveLength(1);
  });

  test("with a body that is no JSON is classed by its status", async () => {
    await using server = await answering((response) => {
      response.writeHead(503, { "content-type": "text/html" }).end("<h1>Bad gateway</h1>");
    });
    const result = await server.provider.call(requestOf(), patient());
    expect(result).toMatchObject({ kind: "unavailable", mayHaveBeenBilled: false });
  });

  test.each([
    ["retry-after", "7", 7_000],
    ["retry-after", "0", 0],
    ["retry-after", "0.25", 250],
    ["retry-after-ms", "1500", 1_500],
    ["retry-after", "86400", 300_000],
    ["retry-after", "Mon, 01 Jan 2001 00:00:00 GMT", 0],
    ["retry-after", "Mon, 01 Jan 2400 00:00:00 GMT", 300_000],
    ["retry-after", "soon", null],
    ["x-other", "1", null],
  ])("429 with %s: %s waits %s ms", async (name, value, expected) => {
    await using server = await answering((response) =>
      sendError(response, 429, { type: "rate_limit_error", message: "" }, { [name]: value }),
    );
    const result = await server.provider.call(requestOf(), patient());
    expect(result).toMatchObject({ kind: "rate_limited", retryAfterMs: expected });
  });

  test("an overloaded API may say when to come back", async () => {
    await using server = await answering((response) =>
      sendError(response, 529, { type: "overloaded_error", message: "" }, { "retry-after": "3" }),
    );
    expect(await server.provider.call(requestOf(), patient())).toMatchObject({ retryAfterMs: 3_000 });
  });

  test.each(["enforced_spend_limit_reached", "contract_spend_limit_reached"])(
    "429 for %s is not waited for",
    async (code) => {
      const error = { type: "rate_limit_error", message: "", details: { error_code: code } };
      await using server = await answering((response) => sendError(response, 429, error, { "retry-after": "5" }));
      const result = await server.provider.call(requestOf(), patient());
      expect(result).toMatchObject({ kind: "rejected", mayHaveBeenBilled: false, retryAfterMs: null });
      expect(messageOf(result)).toContain("spending limit");
    },
  );
});

describe("a message never tells", () => {
  const secret = "canary-customer-42";

  test.each([
    ["the key", `invalid x-api-key: ${KEY}`],
    ["a part of the prompt", `messages.0: unsafe text "17 of ${secret}" found`],
    ["a part of the prompt with other spacing", `bad input:\n  17   of canary?`],
    ["a short prompt", "tell me"],
  ])("%s, when the API repeats it", async (_, message) => {
    await using server = await answering((response) =>
      sendError(response, 400, { type: "invalid_request_error", message }),
    );
    const user = message === "tell me" ? message : requestOf().user;
    const result = await server.provider.call(requestOf({ user }), patient());
    expect(messageOf(result)).toMatch(/\(400 invalid_request_error req_011Canary\)$/);
  });

  test("a type or code that is not one", async () => {
    const error = { type: `x ${secret}`, message: "", details: { error_code: `y ${secret}` } };
    await using server = await answering((response) => sendError(response, 400, error));
    expect(messageOf(await server.provider.call(requestOf(), patient()))).not.toContain(secret);
  });

  test("the prompt, when the connection breaks", async () => {
    await using server = await answering((response) => void response.destroy());
    const message = messageOf(await server.provider.call(requestOf(), patient()));
    expect(message).toContain("broke off");
    expect(message).not.toContain(secret);
  });
});

describe("the connection", () => {
  test("that nobody accepts costs nothing", async () => {
    const provider = anthropic({ apiKey: KEY, baseUrl: `http://127.0.0.1:${await closedPort()}` });
    const result = await provider.call(requestOf(), patient());
    expect(result).toMatchObject({ kind: "unavailable", mayHaveBeenBilled: false, retryAfterMs: null, usage: null });
    expect(messageOf(result)).toContain("check ANTHROPIC_BASE_URL");
  });

  test("to a host that does not exist costs nothing", async () => {
    const provider = anthropic({ apiKey: KEY, baseUrl: "http://model-api.invalid" });
    expect(await provider.call(requestOf(), patient())).toMatchObject({
      kind: "unavailable",
      mayHaveBeenBilled: false,
    });
  });

  test("that breaks before the response may have cost something: the request was read", async () => {
    await using server = await answering((response) => void response.destroy());
    const result = await server.provider.call(requestOf(), patient());
    expect(result).toMatchObject({ kind: "unavailable", mayHaveBeenBilled: true, usage: null });
    expect(server.received).toHaveLength(1);
  });
});

describe("the signal", () => {
  test("that is already aborted makes no call", async () => {
    await using server = await answering((response) => void response.end());
    const result = await server.provider.call(requestOf(), AbortSignal.abort());
    expect(result).toMatchObject({ kind: "timeout", mayHaveBeenBilled: false });
    expect(server.received).toEqual([]);
  });

  test("aborts a call that gets no response: it may have been billed", async () => {
    const controller = new AbortController();
    await using server = await answering(() => controller.abort());
    const result = await server.provider.call(requestOf(), controller.signal);
    expect(result).toMatchObject({ kind: "timeout", mayHaveBeenBilled: true, usage: null });
  });

  test("aborts an answer in the middle, with the usage that was seen", async () => {
    const controller = new AbortController();
    // So much does not fit into the buffers between the two: when it is sent, the beginning has been read.
    const enough = 4_000_000;
    const abort = (bytes: number): void => void (bytes > enough && controller.abort(new Error("the deadline")));
    await using server = await answering((response) => sendWithoutEnd(response, abort));
    const result = await server.provider.call(requestOf(), controller.signal);
    expect(result).toMatchObject({
      kind: "timeout",
      mayHaveBeenBilled: true,
      usage: { inputTokens: 20, outputTokens: 1 },
    });
  });

  test("by its timeout does the same", async () => {
    await using server = await answering(() => undefined);
    const result = await server.provider.call(requestOf(), AbortSignal.timeout(30));
    expect(result).toMatchObject({ kind: "timeout", mayHaveBeenBilled: true });
  });
});

/** A port that was free a moment ago. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return address === null || typeof address === "string" ? 0 : address.port;
}

function messageOf(result: object): string {
  return "message" in result && typeof result.message === "string" ? result.message : "";
}
