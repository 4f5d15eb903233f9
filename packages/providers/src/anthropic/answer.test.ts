import { describe, expect, test } from "vitest";
import type { CallFailed } from "../provider.ts";
import {
  answering,
  eventsOf,
  patient,
  requestOf,
  sendAnswer,
  sendError,
  sendEvents,
  sendWithoutEnd,
  startStream,
} from "./server.fixture.ts";

const NO_ANSWER = { usage: null, retryAfterMs: null };

describe("an answer", () => {
  test("carries text, stop, usage, the raw report and the rate limits", async () => {
    const reset = "2026-11-23T12:00:30Z";
    await using server = await answering((response) => {
      startStream(response, {
        "anthropic-ratelimit-requests-limit": "4000",
        "anthropic-ratelimit-requests-remaining": "3999",
        "anthropic-ratelimit-requests-reset": reset,
        "anthropic-ratelimit-tokens-limit": "many",
      });
      const start = { cache_read_input_tokens: 3, cache_creation: { ephemeral_5m_input_tokens: 4 }, speed: "fast" };
      sendEvents(response, eventsOf('{"total":12.5}', { start, delta: { cache_read_input_tokens: 5 } }));
      response.end();
    });
    const result = await server.provider.call(requestOf(), patient());
    expect(result).toEqual({
      kind: "answered",
      text: '{"total":12.5}',
      stop: "end",
      usage: {
        inputTokens: 20,
        outputTokens: 7,
        cacheReadTokens: 5,
        cacheWrite5mTokens: 4,
        cacheWrite1hTokens: 0,
        batch: false,
        fast: true,
        usOnly: false,
      },
      rawUsage: {
        input_tokens: 20,
        cache_creation_input_tokens: 0,
        cache_read_input_tokens: 5,
        cache_creation: { ephemeral_5m_input_tokens: 4 },
        output_tokens: 7,
        output_tokens_details: null,
        server_tool_use: null,
        service_tier: "standard",
        speed: "fast",
        inference_geo: "global",
      },
      responseId: "msg_1",
      rateLimit: {
        requests: { limit: 4000, remaining: 3999, resetAtMs: Date.parse(reset) },
        tokens: null,
        inputTokens: null,
        outputTokens: null,
      },
    });
  });

  test.each([
    ["end_turn", "end"],
    ["stop_sequence", "end"],
    ["tool_use", "end"],
    ["max_tokens", "truncated"],
    ["model_context_window_exceeded", "truncated"],
    ["pause_turn", "truncated"],
    ["refusal", "refused"],
    ["a_reason_of_next_year", "end"],
  ])("that stopped for %s is an answer: %s", async (reason, stop) => {
    await using server = await answering((response) => sendAnswer(response, "x", { stop: reason }));
    expect(await server.provider.call(requestOf(), patient())).toMatchObject({ kind: "answered", stop, text: "x" });
  });

  test("thinking is no part of the text, and several texts are one", async () => {
    await using server = await answering((response) => {
      const [start, , , , delta, stop] = eventsOf("");
      startStream(response);
      sendEvents(response, [
        start ?? {},
        { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
        { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "hmm" } },
        { type: "content_block_start", index: 1, content_block: { type: "text", text: "[1," } },
        { type: "content_block_start", index: 2, content_block: { type: "text", text: "" } },
        { type: "content_block_delta", index: 2, delta: { type: "text_delta", text: "2]" } },
        { type: "an_event_of_next_year" },
        delta ?? {},
        stop ?? {},
      ]);
      response.end();
    });
    expect(await server.provider.call(requestOf(), patient())).toMatchObject({ kind: "answered", text: "[1,2]" });
  });
});

describe("a stream that goes wrong counts as spent", () => {
  const usageSeen = { inputTokens: 20, outputTokens: 1 };

  test.each<[string, readonly object[], boolean]>([
    ["ends before its first event", [], false],
    ["ends after its start", eventsOf("x").slice(0, 1), true],
    ["ends in the middle", eventsOf("x").slice(0, 3), true],
    ["ends without its last event", eventsOf("x").slice(0, 5), true],
    ["lacks its start", eventsOf("x").slice(1), false],
    ["has a start without a message", [{ type: "message_start" }], false],
    ["never says why it stopped", eventsOf("x").filter((_, index) => index !== 4), true],
  ])("when it %s", async (_, events, isUsageSeen) => {
    await using server = await answering((response) => {
      startStream(response);
      sendEvents(response, events);
      response.end();
    });
    const result = await server.provider.call(requestOf(), patient());
    expect(result).toMatchObject({ kind: "unavailable", mayHaveBeenBilled: true, retryAfterMs: null });
    expect(usageOf(result) !== null).toBe(isUsageSeen);
  });

  test("when the connection breaks in the middle, with the usage that was seen", async () => {
    await using server = await answering(async (response) => {
      startStream(response);
      sendEvents(response, eventsOf("x").slice(0, 3));
      await new Promise((resolve) => response.write(": flushed\n\n", resolve));
      response.destroy();
    });
    const result = await server.provider.call(requestOf(), patient());
    expect(result).toMatchObject({ kind: "unavailable", mayHaveBeenBilled: true, usage: usageSeen });
  });

  test("when what comes is not JSON, or not a stream of events at all", async () => {
    for (const body of [
      'event: message_start\ndata: {"type":\n\n',
      "<html>Please log in to the hotel's network</html>",
    ]) {
      await using server = await answering((response) => {
        startStream(response);
        response.end(body);
      });
      const result = await server.provider.call(requestOf(), patient());
      expect(result).toMatchObject({ kind: "unavailable", mayHaveBeenBilled: true, ...NO_ANSWER });
    }
  });

  test.each([
    ["negative", { output_tokens: -5 }],
    ["fractional", { output_tokens: 1.5 }],
    ["text", { output_tokens: "7" }],
    ["beyond all numbers", { output_tokens: 1e300 }],
  ])("when its usage report is %s: no cost is made up", async (_, delta) => {
    await using server = await answering((response) => sendAnswer(response, "x", { delta }));
    const result = await server.provider.call(requestOf(), patient());
    expect(result).toMatchObject({ kind: "unavailable", mayHaveBeenBilled: true, ...NO_ANSWER });
  });

  test("when it never ends: it is cut off at a bound", async () => {
    await using server = await answering((response) => sendWithoutEnd(response));
    const result = await server.provider.call(requestOf(), patient());
    expect(result).toMatchObject({ kind: "unavailable", mayHaveBeenBilled: true, usage: usageSeen });
    expect(result.kind === "answered" ? "" : result.message).toContain("endless");
  });
});

describe("an error in place of the rest of the answer", () => {
  test.each<[string, CallFailed["kind"]]>([
    ["overloaded_error", "unavailable"],
    ["api_error", "unavailable"],
    ["rate_limit_error", "rate_limited"],
    ["invalid_request_error", "rejected"],
    ["an_error_of_next_year", "unavailable"],
  ])("%s: %s, billed only when tokens had been made", async (type, kind) => {
    for (const eventsBefore of [0, 3]) {
      await using server = await answering((response) => {
        startStream(response);
        sendEvents(response, eventsOf("x").slice(0, eventsBefore));
        sendEvents(response, [{ type: "error", error: { type, message: "no" } }]);
        response.end();
      });
      const result = await server.provider.call(requestOf(), patient());
      expect(result).toMatchObject({ kind, mayHaveBeenBilled: eventsBefore > 0 });
    }
  });
});

describe("counting tokens", () => {
  test("asks for what would be sent, without the limit", async () => {
    await using server = await answering((response) => {
      response.writeHead(200, { "content-type": "application/json" }).end('{"input_tokens":321}');
    });
    expect(await server.provider.countInputTokens(requestOf(), patient())).toBe(321);
    const [{ url, body } = { url: "", body: {} }] = server.received;
    expect(url).toBe("/v1/messages/count_tokens");
    expect(Object.keys(body).toSorted()).toEqual(["messages", "model", "system"]);
  });

  test("throws when there is no count, saying why", async () => {
    await using broken = await answering((response) =>
      sendError(response, 529, { type: "overloaded_error", message: "no" }),
    );
    await expect(broken.provider.countInputTokens(requestOf(), patient())).rejects.toThrow(
      "could not be counted. The model API is overloaded",
    );
    await using odd = await answering((response) => {
      response.writeHead(200, { "content-type": "application/json" }).end('{"input_tokens":-1}');
    });
    await expect(odd.provider.countInputTokens(requestOf(), patient())).rejects.toThrow("could not be counted");
  });
});

function usageOf(result: Awaited<ReturnType<Awaited<ReturnType<typeof answering>>["provider"]["call"]>>): unknown {
  return result.usage;
}
