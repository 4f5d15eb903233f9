import { context, propagation, ProxyTracerProvider, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { answering, KEY, patient, requestOf, sendAnswer, sendError } from "./server.fixture.ts";

type Processor = NonNullable<NonNullable<ConstructorParameters<typeof NodeSDK>[0]>["spanProcessors"]>[number];
type EndedSpan = Parameters<Processor["onEnd"]>[0];

const ended: EndedSpan[] = [];
const collector: Processor = {
  onStart: () => undefined,
  onEnd: (span) => void ended.push(span),
  forceFlush: async () => undefined,
  shutdown: async () => undefined,
};
const sdk = new NodeSDK({
  spanProcessors: [collector],
  metricReaders: [],
  logRecordProcessors: [],
  instrumentations: [],
  resourceDetectors: [],
});

beforeAll(() => {
  // What an operator's environment may say must not make the SDK record prompts, or log.
  process.env["ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE"] = "content";
  process.env["ANTHROPIC_LOG"] = "debug";
});
beforeEach(() => void ended.splice(0));
afterAll(async () => {
  delete process.env["ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE"];
  delete process.env["ANTHROPIC_LOG"];
  await sdk.shutdown();
  // Other files of this process have no telemetry. A tracer that they made before asks the same provider.
  const provider = trace.getTracerProvider();
  if (provider instanceof ProxyTracerProvider) provider.setDelegate(new ProxyTracerProvider());
  trace.disable();
  context.disable();
  propagation.disable();
});

describe("the SDK's own spans", () => {
  test("are children of the active span, also for a client that was there before the tracer", async () => {
    await using server = await answering((response) => sendAnswer(response, '{"answer":"canary-answer"}'));
    // A worker makes its provider at start; nothing orders that after the telemetry.
    await server.provider.call(requestOf(), patient());
    expect(ended).toEqual([]);
    sdk.start();

    const parent = trace.getTracer("test").startSpan("attempt");
    await context.with(trace.setSpan(context.active(), parent), () => server.provider.call(requestOf(), patient()));
    parent.end();
    const [call] = ended;
    expect(ended.map((span) => span.name)).toEqual(["anthropic.messages.create", "attempt"]);
    expect(call?.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
    expect(call?.spanContext().traceId).toBe(parent.spanContext().traceId);
    expect(call?.attributes).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "anthropic",
      "gen_ai.request.model": "claude-haiku-5-5",
      "gen_ai.request.max_tokens": 500,
      "gen_ai.response.id": "msg_1",
      "gen_ai.usage.input_tokens": 20,
      "gen_ai.usage.output_tokens": 7,
      "anthropic.message.stop_reason": "end_turn",
    });
  });

  test("carry neither the prompt nor the answer nor the key, whatever the environment asks for", async () => {
    const schema = { type: "object", properties: { answer: { type: "string", description: "canary-schema" } } };
    await using server = await answering((response) => sendAnswer(response, '{"answer":"canary-answer"}'));
    await using refusing = await answering((response) =>
      sendError(response, 400, { type: "invalid_request_error", message: "canary-message" }),
    );
    for (const { provider } of [server, refusing]) await provider.call(requestOf({ outputSchema: schema }), patient());
    expect(ended).toHaveLength(2);
    const recorded = JSON.stringify(
      ended.map(({ name, attributes, events, status }) => [name, attributes, events, status]),
    );
    expect(recorded).not.toContain("canary");
    expect(recorded).not.toContain(KEY);
    expect(ended[1]?.attributes["error.type"]).toBe("invalid_request_error");
  });

  test("count as one call each, without trace headers for the provider", async () => {
    await using server = await answering((response) =>
      sendError(response, 529, { type: "overloaded_error", message: "" }),
    );
    const parent = trace.getTracer("test").startSpan("attempt");
    await context.with(trace.setSpan(context.active(), parent), () => server.provider.call(requestOf(), patient()));
    expect(server.received).toHaveLength(1);
    const [{ headers } = { headers: {} }] = server.received;
    expect(Object.keys(headers).filter((name) => /^(traceparent|tracestate|baggage)$/.test(name))).toEqual([]);
  });
});

test("the SDK writes nothing to the console", async () => {
  const written: unknown[] = [];
  const methods = ["log", "info", "warn", "error", "debug"] as const;
  const originals = methods.map((method) => console[method]);
  for (const method of methods) console[method] = (...args: unknown[]) => void written.push(args);
  try {
    await using server = await answering((response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.end("event: message_start\ndata: {not json\n\n");
    });
    await server.provider.call(requestOf(), patient());
    await using overloaded = await answering((response) =>
      sendError(response, 529, { type: "overloaded_error", message: "" }),
    );
    await overloaded.provider.call(requestOf(), patient());
  } finally {
    for (const [index, method] of methods.entries()) console[method] = originals[index] ?? console[method];
  }
  expect(written).toEqual([]);
});
