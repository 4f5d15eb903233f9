/** What every provider promises, held against the simulator's own log of what it received and billed. */
import { readFileSync } from "node:fs";
import { isJsonObject, type Json, type JsonSchema } from "@contingent/core/json";
import { anthropic } from "@contingent/providers/anthropic/anthropic";
import type { CallResult, ModelRequest, Provider } from "@contingent/providers/provider";
import { type ScriptInput, startSimulator, type Simulator } from "@contingent/simulator/server";
import { parseOutput } from "@contingent/validators/parse-output";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

type Step = ScriptInput["steps"][number];

interface Implementation {
  readonly name: string;
  readonly model: string;
  readonly start: (simulator: Simulator) => Provider;
}

/** Every provider there is, with a way to start it against something that speaks its protocol. */
const providers: readonly Implementation[] = [
  {
    name: "anthropic",
    model: "claude-haiku-5-5",
    start: ({ url }) => anthropic({ apiKey: "sk-ant-conformance", baseUrl: url }),
  },
];

const outputSchema: JsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["answer"],
  properties: { answer: { type: "string", maxLength: 500 } },
};

describe.each(providers)("$name", ({ name, model, start }) => {
  let simulator: Simulator;
  let provider: Provider;
  const never = new AbortController().signal;

  beforeAll(async () => {
    simulator = await startSimulator();
    provider = start(simulator);
  });
  beforeEach(() => {
    simulator.clearScripts();
    simulator.clearLog();
  });
  afterAll(() => simulator.close());

  function requestOf(changes: Partial<ModelRequest> = {}): ModelRequest {
    const user = "What does the invoice of canary-4711 say?";
    return { model, system: "You read invoices.", user, outputSchema, outputTokensMax: 400, ...changes };
  }

  function call(step: Step, changes: Partial<ModelRequest> = {}): Promise<CallResult> {
    simulator.script({ steps: [step] });
    return provider.call(requestOf(changes), never);
  }

  test("has the name that its rates carry", () => {
    expect(provider.name).toBe(name);
  });

  test("an answer has its text, its id, and exactly the usage that is billed", async () => {
    const result = await call({ step: "answer_json", json: { answer: "12.50 EUR" } });
    const [bill] = simulator.billed();
    expect(simulator.billed()).toHaveLength(1);
    expect(result).toMatchObject({
      kind: "answered",
      text: '{"answer":"12.50 EUR"}',
      stop: "end",
      rawUsage: bill?.usage,
      usage: { inputTokens: bill?.usage["input_tokens"], outputTokens: bill?.usage["output_tokens"] },
      responseId: expect.stringMatching(/^msg_/) as string,
    });
  });

  test.each<[string, Step, string]>([
    ["a refusal", "refuse", "refused"],
    ["an answer without room", "truncate", "truncated"],
    ["garbage", "garbage", "end"],
  ])("%s is an answer that costs", async (_, step, stop) => {
    const result = await call(step);
    expect(result).toMatchObject({ kind: "answered", stop });
    expect(simulator.billed()).toHaveLength(1);
  });

  test("every class of usage arrives in its own place", async () => {
    const usage = {
      input_tokens: 11,
      output_tokens: 22,
      cache_read_input_tokens: 33,
      cache_creation_input_tokens: 99,
      cache_creation: { ephemeral_5m_input_tokens: 44, ephemeral_1h_input_tokens: 55 },
      service_tier: "batch",
      speed: "fast",
      inference_geo: "us",
    };
    expect(await call({ step: "answer", text: "x", usage })).toMatchObject({
      usage: {
        inputTokens: 11,
        outputTokens: 22,
        cacheReadTokens: 33,
        cacheWrite5mTokens: 44,
        cacheWrite1hTokens: 55,
        batch: true,
        fast: true,
        usOnly: true,
      },
    });
  });

  test.each<[string, Step, Partial<CallResult>]>([
    ["overloaded", "overloaded", { kind: "unavailable", mayHaveBeenBilled: false }],
    ["an internal error", "server_error", { kind: "unavailable", mayHaveBeenBilled: false }],
    ["a bad gateway", { step: "server_error", status: 502 }, { kind: "unavailable", mayHaveBeenBilled: false }],
    ["out of service", { step: "server_error", status: 503 }, { kind: "unavailable", mayHaveBeenBilled: false }],
    ["a gateway's timeout", { step: "server_error", status: 504 }, { kind: "unavailable", mayHaveBeenBilled: false }],
    [
      "a rate limit",
      { step: "rate_limited", retry_after_s: 2 },
      { kind: "rate_limited", mayHaveBeenBilled: false, retryAfterMs: 2_000 },
    ],
    ["a spending limit", "spend_limit", { kind: "rejected", mayHaveBeenBilled: false, retryAfterMs: null }],
    ["a bad request", "bad_request", { kind: "rejected", mayHaveBeenBilled: false }],
    ["a bad key", "unauthorized", { kind: "rejected", mayHaveBeenBilled: false }],
    ["an unpaid account", "billing", { kind: "rejected", mayHaveBeenBilled: false }],
    ["a forbidden model", "forbidden", { kind: "rejected", mayHaveBeenBilled: false }],
    ["a cut before the response", { step: "cut", at: "head" }, { kind: "unavailable", mayHaveBeenBilled: true }],
    ["a cut after its start", { step: "cut", at: "start" }, { kind: "unavailable", mayHaveBeenBilled: true }],
    ["a cut in the middle", { step: "cut", at: "half" }, { kind: "unavailable", mayHaveBeenBilled: true }],
  ])("%s: one request, told apart, and never free when it is billed", async (_, step, expected) => {
    const result = await call(step);
    expect(result).toMatchObject(expected);
    expect(simulator.requests()).toHaveLength(1);
    expect(soundOn(result, simulator)).toBe(true);
    expect(JSON.stringify(result)).not.toMatch(/canary-4711|sk-ant-conformance/);
  });

  test("a model that does not exist is rejected", async () => {
    const result = await provider.call(requestOf({ model: `${model}-20200101` }), never);
    expect(result).toMatchObject({ kind: "rejected", mayHaveBeenBilled: false });
  });

  test.each<[string, Step]>([
    ["that never answers", "hang"],
    ["that thinks", { step: "hold", do: "right" }],
  ])("a call to a model %s ends with its signal, and counts as spent", async (_, step) => {
    simulator.script({ steps: [step] });
    const controller = new AbortController();
    const result = provider.call(requestOf(), controller.signal);
    await simulator.until((s) => s.requests().some(({ state }) => state === "hung" || state === "held"));
    controller.abort();
    expect(await result).toMatchObject({ kind: "timeout", mayHaveBeenBilled: true });
    await simulator.until((s) => s.billed().length === 1);
  });

  test("a call after the end of its time is not made", async () => {
    expect(await provider.call(requestOf(), AbortSignal.abort())).toMatchObject({
      kind: "timeout",
      mayHaveBeenBilled: false,
    });
    expect(simulator.requests()).toEqual([]);
  });

  test("nobody there: unavailable, and free", async () => {
    const gone = await startSimulator();
    await gone.close();
    expect(await start(gone).call(requestOf(), never)).toMatchObject({ kind: "unavailable", mayHaveBeenBilled: false });
  });

  test("the count of a prompt is what it is billed at", async () => {
    const counted = await provider.countInputTokens(requestOf(), never);
    await call({ step: "answer", text: "x" });
    expect(simulator.billed()[0]?.usage["input_tokens"]).toBe(counted);
  });

  test("a count that fails throws, without the prompt", async () => {
    simulator.script({ endpoint: "count_tokens", steps: ["overloaded"] });
    await expect(provider.countInputTokens(requestOf(), never)).rejects.toThrow(
      /^The prompt's tokens could not be counted\./,
    );
    await expect(provider.countInputTokens(requestOf(), AbortSignal.abort())).rejects.not.toThrow(/canary-4711/);
  });

  test("no prompt has more tokens than inputTokensAtMost says", async () => {
    const text = fc.string({ unit: "grapheme", maxLength: 2_000, minLength: 1 }).filter((each) => each.trim() !== "");
    await fc.assert(
      fc.asyncProperty(text, text, fc.constantFrom(outputSchema, null), async (system, user, schema) => {
        const request = requestOf({ system, user, outputSchema: schema });
        expect(await provider.countInputTokens(request, never)).toBeLessThanOrEqual(
          provider.inputTokensAtMost(request),
        );
      }),
      { numRuns: 50 },
    );
  });

  test("many calls at once each get their own answer", async () => {
    const numbers = Array.from({ length: 50 }, (_, index) => `${index}`.padStart(3, "0"));
    for (const number of numbers)
      simulator.script({ match: `job ${number}`, steps: [{ step: "answer", text: `answer ${number}` }] });
    const results = await Promise.all(
      numbers.map((number) => provider.call(requestOf({ user: `job ${number}` }), never)),
    );
    expect(results.map((result) => (result.kind === "answered" ? result.text : result.message))).toEqual(
      numbers.map((number) => `answer ${number}`),
    );
  });

  test.each([
    [
      "data-extraction",
      { document: "Invoice RE-17\nAda Ltd to Bob Ltd\n2 Bolt at 3.00 EUR 6.00\nTotal 6.00 EUR\n2026-03-01" },
    ],
    [
      "code-generation",
      { name: "twice", signature: "twice(x: number): number", description: "1. Double it.", examples: [] },
    ],
  ])("takes the output schema of the sample type %s, and answers in its shape", async (type, input) => {
    const file = new URL(`../../infra/local/samples/outcome-types/${type}.json`, import.meta.url);
    const definition = JSON.parse(readFileSync(file, "utf8")) as { readonly output_schema: JsonSchema };
    const schema = definition.output_schema;
    const result = await call("right", { user: JSON.stringify(input), outputSchema: schema, outputTokensMax: 4_000 });
    expect(result).toMatchObject({ kind: "answered", stop: "end" });
    const answer = parseOutput(result.kind === "answered" ? result.text : "");
    expect(answer.ok && namesOf(answer.value)).toEqual(namesOf(schema["properties"] ?? null));
  });
});

/** What was billed is either known to the last token or admitted to be possible. */
function soundOn(result: CallResult, simulator: Simulator): boolean {
  return simulator.billed().length === 0 || result.kind === "answered" || result.mayHaveBeenBilled;
}

function namesOf(value: Json): readonly string[] {
  return isJsonObject(value) ? Object.keys(value).toSorted() : [];
}
