import { describe, expect, test } from "vitest";
import { ask, HAIKU, OPUS, SONNET, startPair, textOf } from "./server.fixture.ts";

const SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["topic", "count", "urgent"],
  properties: {
    topic: { type: "string", enum: ["billing", "delivery"] },
    count: { type: "integer" },
    urgent: { type: "boolean" },
  },
};

describe("an answer", () => {
  test("comes with every field of a message and of its usage", async () => {
    await using pair = await startPair();
    const message = await pair.client.messages.create(ask("Where is my parcel?"));
    expect(message).toMatchObject({
      type: "message",
      role: "assistant",
      model: HAIKU,
      stop_reason: "end_turn",
      stop_sequence: null,
      stop_details: null,
      container: null,
    });
    expect(Object.keys(message.usage).toSorted()).toEqual([
      "cache_creation",
      "cache_creation_input_tokens",
      "cache_read_input_tokens",
      "inference_geo",
      "input_tokens",
      "output_tokens",
      "output_tokens_details",
      "server_tool_use",
      "service_tier",
      "speed",
    ]);
    expect(message.usage.output_tokens).toBe(Math.ceil(textOf(message).length / 4));
  });

  test("says in every header that it is simulated, on errors too", async () => {
    await using pair = await startPair();
    const { response } = await pair.client.messages.create(ask("Hello")).withResponse();
    const refused = await fetch(`${pair.simulator.url}/v1/messages`, { method: "POST", body: "{}" });
    expect(refused.status).toBe(401);
    for (const { headers } of [response, refused]) {
      expect(headers.get("x-contingent-simulator")).toBe("true");
      expect(headers.get("x-contingent-simulator-notice")).toMatch(/simulated/i);
      expect(headers.get("request-id")).toMatch(/^req_sim_/);
    }
    expect(response.headers.get("anthropic-ratelimit-requests-remaining")).toMatch(/^\d+$/);
  });

  test("is the same streamed and whole", async () => {
    await using pair = await startPair();
    const params = ask("Tell me about harbours, in so many words that it takes several pieces. ".repeat(20));
    const whole = await pair.client.messages.create(params);
    const streamed = await pair.client.messages.stream(params).finalMessage();
    expect(textOf(streamed)).toBe(textOf(whole));
    expect(streamed.usage).toEqual(whole.usage);
    expect(streamed.stop_reason).toBe(whole.stop_reason);
  });

  test("is streamed as start, pieces, delta with the bill, stop", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: [{ step: "answer", text: "word ".repeat(100) }] });
    const types: string[] = [];
    for await (const event of await pair.client.messages.create({ ...ask("Hi"), stream: true })) types.push(event.type);
    expect(types[0]).toBe("message_start");
    expect(types.filter((type) => type === "content_block_delta").length).toBeGreaterThan(3);
    expect(types.slice(-3)).toEqual(["content_block_stop", "message_delta", "message_stop"]);
  });

  test("conforms to the schema that was asked for, with words and numbers of the prompt", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: ["right"] });
    const params = ask("We wait for 7 parcels, please check the delivery.", {
      output_config: { format: { type: "json_schema", schema: SCHEMA } },
    });
    const answer: unknown = JSON.parse(textOf(await pair.client.messages.create(params)));
    expect(answer).toEqual({ topic: "delivery", count: 7, urgent: true });
  });

  test("depends on the seed, the model and the prompt, and not on what was asked before", async () => {
    const prompts = Array.from({ length: 12 }, (_, i) => ask(`Request number ${i}: ${"more words ".repeat(i * 300)}`));
    const answersOf = async (seed: string, order: readonly number[]): Promise<string[]> => {
      await using pair = await startPair({ seed });
      const answers: string[] = [];
      for (const i of order) {
        for (const model of [HAIKU, SONNET]) {
          const message = await pair.client.messages.create({ ...(prompts[i] ?? ask("")), model });
          answers[i * 2 + Number(model === SONNET)] = textOf(message);
        }
      }
      return answers;
    };
    const order = prompts.map((_, i) => i);
    const first = await answersOf("one", order);
    expect(await answersOf("one", order.toReversed())).toEqual(first);
    expect(await answersOf("two", order)).not.toEqual(first);
  });

  test("stops at max_tokens, is billed for what there is, and says so", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: [{ step: "answer", text: "x".repeat(400) }] });
    const message = await pair.client.messages.create(ask("Hi", { max_tokens: 20 }));
    expect(message.stop_reason).toBe("max_tokens");
    expect(textOf(message)).toBe("x".repeat(80));
    expect(message.usage.output_tokens).toBe(20);
  });
});

describe("tokens", () => {
  test("are counted as they are billed", async () => {
    await using pair = await startPair();
    const { model, messages } = ask("How many tokens are this?");
    const output_config = { format: { type: "json_schema" as const, schema: SCHEMA } };
    const counted = await pair.client.messages.countTokens({ model, messages, system: "Be brief.", output_config });
    const billed = await pair.client.messages.create({
      ...ask(""),
      model,
      messages,
      system: "Be brief.",
      output_config,
    });
    expect(counted.input_tokens).toBe(billed.usage.input_tokens);
  });

  test("grow with the prompt by about one per four characters", async () => {
    await using pair = await startPair();
    const { model } = ask("");
    const count = async (content: string): Promise<number> =>
      (await pair.client.messages.countTokens({ model, messages: [{ role: "user", content }] })).input_tokens;
    expect((await count("y".repeat(4_000))) - (await count("y".repeat(2_000)))).toBe(500);
  });
});

describe("models", () => {
  test("are listed, and found by their exact id", async () => {
    await using pair = await startPair();
    const ids: string[] = [];
    for await (const model of pair.client.models.list()) ids.push(model.id);
    expect(ids).toEqual(
      expect.arrayContaining([HAIKU, SONNET, OPUS, "claude-haiku-4-5", "claude-sonnet-5", "claude-opus-5"]),
    );
    expect(await pair.client.models.retrieve(OPUS)).toMatchObject({ id: OPUS, lifecycle: "active", line: "opus" });
    await expect(pair.client.models.retrieve("claude-opus")).rejects.toMatchObject({ status: 404 });
  });

  test("of a stronger line are right more often, and findings help", async () => {
    await using pair = await startPair();
    const rightOf = async (model: string, feedback: string): Promise<number> => {
      for (let i = 0; i < 80; i++) {
        const content = `Summarise report ${i}. ${"Figures and remarks. ".repeat(200)}${feedback}`;
        await pair.client.messages.create(ask(content, { model }));
      }
      const right = pair.simulator.requests().filter((request) => request.mistakes?.length === 0).length;
      pair.simulator.clearLog();
      return right;
    };
    const findings =
      "\n\nA previous answer to this request was rejected. Correct these findings and answer again in full:\n- /a [missing_field]: This is missing.";
    const [haiku, sonnet, opus] = [await rightOf(HAIKU, ""), await rightOf(SONNET, ""), await rightOf(OPUS, "")];
    expect(haiku).toBeLessThan(sonnet);
    expect(sonnet).toBeLessThan(opus);
    expect(await rightOf(HAIKU, findings)).toBeGreaterThan(haiku);
  });
});
