import { APIConnectionTimeoutError, APIUserAbortError } from "@anthropic-ai/sdk";
import { describe, expect, test } from "vitest";
import { ask, failureOf, OPUS, SONNET, startPair, textOf } from "./server.fixture.ts";

describe("a script", () => {
  test("gives one step to each request that it matches, and leaves the others alone", async () => {
    await using pair = await startPair();
    pair.simulator.script({ match: "job-17", steps: ["overloaded", { step: "answer", text: "second" }] });
    await expect(pair.client.messages.create(ask("about job-18"))).resolves.toMatchObject({ type: "message" });
    await expect(pair.client.messages.create(ask("about job-17"))).rejects.toMatchObject({ status: 529 });
    expect(textOf(await pair.client.messages.create(ask("about job-17")))).toBe("second");
    await expect(pair.client.messages.create(ask("about job-17"))).resolves.toMatchObject({ type: "message" });
    expect(pair.simulator.requests().map(({ step }) => step)).toEqual(["model", "overloaded", "answer", "model"]);
  });

  test("matches the system prompt as well", async () => {
    await using pair = await startPair();
    pair.simulator.script({ match: "accountant", steps: [{ step: "answer", text: "yes" }] });
    expect(textOf(await pair.client.messages.create(ask("Hi", { system: "You are an accountant." })))).toBe("yes");
  });

  test("repeats its last step when it is told to", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: [{ step: "answer", text: "first" }, "overloaded"], afterwards: "last" });
    expect(textOf(await pair.client.messages.create(ask("Hi")))).toBe("first");
    for (let i = 0; i < 3; i++) {
      await expect(pair.client.messages.create(ask("Hi"))).rejects.toMatchObject({ status: 529 });
    }
  });

  test("makes an answer right, or wrong in the way it names", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: ["right", "wrong", { step: "wrong", spoil: "empty" }] });
    for (let i = 0; i < 3; i++) await pair.client.messages.create(ask("Hi"));
    expect(pair.simulator.requests().map(({ mistakes }) => mistakes)).toEqual([[], ["empty"], ["empty"]]);
  });

  test("refuses with HTTP 200, a reason to stop, and a bill", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: [{ step: "refuse", category: "cyber" }, "refuse"] });
    const whole = await pair.client.messages.create(ask("Hi"));
    const streamed = await pair.client.messages.stream(ask("Hi")).finalMessage();
    for (const message of [whole, streamed]) {
      expect(message.stop_reason).toBe("refusal");
      expect(message.content).toEqual([]);
      expect(message.usage.input_tokens).toBeGreaterThan(0);
    }
    expect(whole.stop_details).toMatchObject({ type: "refusal", category: "cyber" });
    expect(pair.simulator.billed()).toHaveLength(2);
  });

  test("cuts an answer short where max_tokens would not", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: ["truncate"] });
    expect(await pair.client.messages.create(ask("A question of some length"))).toMatchObject({
      stop_reason: "max_tokens",
    });
  });

  test("answers with text that is not JSON", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: ["garbage"] });
    const text = textOf(await pair.client.messages.create(ask("Hi")));
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  });

  test("changes the bill field by field", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: [{ step: "right", usage: { cache_read_input_tokens: 9_000, input_tokens: 3 } }] });
    const { usage } = await pair.client.messages.stream(ask("Hi")).finalMessage();
    expect(usage).toMatchObject({ cache_read_input_tokens: 9_000, input_tokens: 3 });
    expect(pair.simulator.billed()[0]?.usage).toMatchObject({ cache_read_input_tokens: 9_000 });
  });

  test("that is none is refused with the place of the mistake", async () => {
    await using pair = await startPair();
    const send = (body: object): Promise<Response> =>
      fetch(`${pair.simulator.url}/__simulator/scripts`, { method: "POST", body: JSON.stringify(body) });
    expect((await send({ steps: [] })).status).toBe(400);
    expect((await send({ match: "x", steps: ["explode"] })).status).toBe(400);
    expect((await send({ match: "x", steps: ["right"] })).status).toBe(201);
  });
});

describe("a connection", () => {
  test("hangs until the client gives up, and the prompt is billed", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: ["hang"] });
    const error = await failureOf(pair.client.messages.create(ask("Hi"), { timeout: 50 }));
    expect(error).toBeInstanceOf(APIConnectionTimeoutError);
    await pair.simulator.until((s) => s.billed().length === 1);
    expect(pair.simulator.requests()[0]).toMatchObject({ state: "aborted", aborted: true });
    expect(pair.simulator.billed()[0]).toMatchObject({ delivered: false, aborted: true });
  });

  test.each(["head", "start", "half"] as const)("is cut at the %s of a stream", async (at) => {
    await using pair = await startPair();
    pair.simulator.script({ steps: [{ step: "cut", at }] });
    const error = await failureOf(pair.client.messages.stream(ask("A question. ".repeat(40))).finalMessage());
    expect(error).toBeInstanceOf(Error);
    expect(pair.simulator.requests()[0]?.state).toBe("cut");
    expect(pair.simulator.billed()[0]).toMatchObject({ delivered: false });
  });

  test("is cut in the middle of an answer that is not streamed", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: ["cut"] });
    await expect(pair.client.messages.create(ask("Hi"))).rejects.toBeInstanceOf(Error);
    expect(pair.simulator.billed()[0]).toMatchObject({ delivered: false });
  });

  test("that the client aborts in mid-stream is billed for what was sent by then", async () => {
    await using pair = await startPair({ latencyMs: 400 });
    pair.simulator.script({ steps: [{ step: "answer", text: "word ".repeat(400) }] });
    const stream = pair.client.messages.stream(ask("Hi", { model: SONNET }));
    stream.once("text", () => stream.abort());
    expect(await failureOf(stream.finalMessage())).toBeInstanceOf(APIUserAbortError);
    await pair.simulator.until((s) => s.billed().length === 1);
    const [bill] = pair.simulator.billed();
    expect(bill).toMatchObject({ aborted: true, delivered: false });
    expect(Number(bill?.usage["output_tokens"])).toBeLessThan(500);
  });

  test("that the client leaves while the model works is billed to the end", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: [{ step: "slow", ms: 60_000, do: { step: "answer", text: "abcd".repeat(25) } }] });
    expect(await failureOf(pair.client.messages.create(ask("Hi"), { timeout: 50 }))).toBeInstanceOf(
      APIConnectionTimeoutError,
    );
    await pair.simulator.until((s) => s.billed().length === 1);
    expect(pair.simulator.billed()[0]).toMatchObject({ aborted: true, usage: { output_tokens: 25 } });
  });
});

describe("a held request", () => {
  test("waits until its name is released, and others go on", async () => {
    await using pair = await startPair();
    pair.simulator.script({
      match: "first",
      steps: [{ step: "hold", name: "a", do: { step: "answer", text: "late" } }],
    });
    pair.simulator.script({ match: "second", steps: ["hold"] });
    const first = pair.client.messages.create(ask("first"));
    const second = pair.client.messages.create(ask("second"));
    await pair.simulator.until((s) => s.held() === 2);
    expect(pair.simulator.held("a")).toBe(1);
    expect(pair.simulator.requests().map(({ state }) => state)).toEqual(["held", "held"]);
    expect(pair.simulator.release("a")).toBe(1);
    expect(textOf(await first)).toBe("late");
    expect(pair.simulator.held()).toBe(1);
    expect(pair.simulator.release()).toBe(1);
    await second;
  });

  test("is let go when its client leaves", async () => {
    await using pair = await startPair();
    pair.simulator.script({ steps: ["hold"] });
    await failureOf(pair.client.messages.create(ask("Hi"), { timeout: 50 }));
    await pair.simulator.until((s) => s.requests()[0]?.state === "aborted");
    expect(pair.simulator.held()).toBe(0);
  });
});

describe("over HTTP", () => {
  test("another process scripts, releases and reads the logs", async () => {
    await using pair = await startPair();
    const call = async (method: string, path: string, body?: object): Promise<unknown> => {
      const init = body === undefined ? { method } : { method, body: JSON.stringify(body) };
      return (await fetch(`${pair.simulator.url}/__simulator${path}`, init)).json();
    };
    expect(await call("POST", "/scripts", { steps: [{ step: "hold", name: "x" }] })).toEqual({ id: "script_1" });
    const answer = pair.client.messages.create(ask("Hello over there", { model: OPUS }));
    await pair.simulator.until((s) => s.held("x") === 1);
    expect(await call("GET", "/requests")).toMatchObject({
      total: 1,
      data: [{ model: OPUS, state: "held", stream: false, max_tokens: 1_000, prompt_excerpt: "Hello over there" }],
    });
    expect(await call("POST", "/release", { name: "x" })).toEqual({ released: 1 });
    const { usage } = await answer;
    expect(await call("GET", "/billed")).toMatchObject({
      total: 1,
      data: [{ model: OPUS, delivered: true, aborted: false, usage: { output_tokens: usage.output_tokens } }],
    });
    expect(await call("GET", "/scripts")).toMatchObject({ data: [{ id: "script_1", taken: 1 }] });
    expect(await call("DELETE", "/scripts/script_1")).toEqual({ deleted: true });
    expect(await call("GET", "/scripts")).toEqual({ data: [] });
  });
});
