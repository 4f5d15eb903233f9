import http from "node:http";
import { type BulkLine, bulkLineSchema } from "@contingent/contracts/http/jobs";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, JOB, startApiWithType } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

interface Upload {
  readonly request: http.ClientRequest;
  readonly response: Promise<http.IncomingMessage>;
}

function upload(url = api.url): Upload {
  const request = http.request(`${url}/v1/jobs/bulk`, {
    method: "POST",
    headers: { authorization: `Bearer ${api.customer.key}`, "content-type": "application/x-ndjson" },
  });
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  request.on("response", resolve);
  request.on("error", reject);
  return { request, response: promise };
}

async function* answersOf(response: http.IncomingMessage): AsyncGenerator<BulkLine> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8") as AsyncIterable<string>) {
    text += chunk;
    const lines = text.split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) yield bulkLineSchema.strict().parse(JSON.parse(line));
  }
  expect(text).toBe("");
}

async function bulk(lines: readonly string[]): Promise<readonly BulkLine[]> {
  const { request, response } = upload();
  request.end(lines.join("\n"));
  const received = await response;
  expect(received.statusCode).toBe(200);
  expect(received.headers["content-type"]).toBe("application/x-ndjson");
  return Array.fromAsync(answersOf(received));
}

const line = (document: string, more: object = {}): string => JSON.stringify({ ...JOB, input: { document }, ...more });

test("every line is answered in order, and every job is there", async () => {
  const answers = await bulk(Array.from({ length: 500 }, (_, i) => line(`Invoice ${i}`)));
  expect(answers.map((answer) => answer.line)).toEqual(Array.from({ length: 500 }, (_, i) => i + 1));
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([202]));
  const { rows } = await api.pool.query<{ count: bigint }>({
    text: `SELECT count(*) FROM unnest($1::text[], $2::int[]) AS w (id, n)
             JOIN job_input i ON i.job_id = w.id AND i.input ->> 'document' = 'Invoice ' || w.n
             JOIN hold h ON h.job_id = w.id AND h.state = 'open'`,
    values: [answers.map((answer) => answer.job?.id), answers.map((_, n) => n)],
  });
  expect(rows[0]?.count).toBe(500n);
});

test("a bad line gets an error with its number, and stops nothing", async () => {
  const answers = await bulk([
    line("good"),
    "not json",
    "",
    line("bad", { colour: "red" }),
    JSON.stringify({ outcome_type: "nothing", input: {} }),
    JSON.stringify({ ...JOB, input: {} }),
    `{"outcome_type":"data-extraction","input":{"document":"${"x".repeat(300_000)}"}}`,
    "[".repeat(10_000),
    line("good too"),
  ]);
  expect(answers.map(({ line: number, status, error }) => [number, status, error?.code, error?.param])).toEqual([
    [1, 202, undefined, undefined],
    [2, 400, "malformed_json", null],
    [4, 400, "unknown_field", "/colour"],
    [5, 404, "outcome_type_not_found", "/outcome_type"],
    [6, 400, "invalid_input", "/input"],
    [7, 413, "body_too_large", null],
    [8, 400, "malformed_json", null],
    [9, 202, undefined, undefined],
  ]);
});

test("a line whose outcome was asked for before gets that job", async () => {
  const [first] = await bulk([line("a", { outcome_key: "bulk-1" })]);
  const again = await bulk([line("a", { outcome_key: "bulk-1" }), line("b", { outcome_key: "bulk-1" })]);
  expect(again[0]).toMatchObject({ status: 200, existing: true, job: { id: first?.job?.id } });
  expect(again[1]).toMatchObject({ status: 409, error: { code: "outcome_key_conflict" } });
});

test("the same outcome twice in one upload is one job", async () => {
  const answers = await bulk(Array.from({ length: 40 }, () => line("a", { outcome_key: "bulk-2" })));
  expect(new Set(answers.map(({ job }) => job?.id)).size).toBe(1);
  expect(answers.filter(({ status }) => status === 202)).toHaveLength(1);
});

test("each job has a trace of its own", async () => {
  const answers = await bulk([line("a"), line("b"), line("c")]);
  expect(new Set(answers.map(({ job }) => job?.trace_id)).size).toBe(3);
});

describe("the stream", () => {
  test("answers lines while others have not been sent yet", async () => {
    const { request, response } = upload();
    request.write(`${line("first")}\n`);
    const answers = answersOf(await response);
    expect((await answers.next()).value).toMatchObject({ line: 1, status: 202 });
    request.write(line("second").slice(0, 10));
    request.write(`${line("second").slice(10)}\n`);
    expect((await answers.next()).value).toMatchObject({ line: 2, status: 202 });
    request.end();
    expect((await answers.next()).done).toBe(true);
  });

  test("reads no faster than its answers are read", async () => {
    const warnings: Error[] = [];
    process.on("warning", (warning) => warnings.push(warning));
    const { request, response } = upload();
    const received = await new Promise<http.IncomingMessage>((resolve) => {
      void response.then(resolve);
      request.flushHeaders();
    });
    received.pause();
    // Answers carry the metadata back, so that unread ones fill every buffer on the way soon.
    const metadata = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`key-${i}`, "x".repeat(500)]));
    let sent = 0;
    let blocked = false;
    const pump = async (): Promise<void> => {
      while (sent < 5_000 && !blocked) {
        sent += 1;
        if (request.write(`${line(`paused ${sent}`, { metadata })}\n`)) continue;
        const drained = new Promise<true>((resolve) => request.once("drain", () => resolve(true)));
        const gaveUp = new Promise<false>((resolve) => setTimeout(resolve, 3_000, false));
        blocked = !(await Promise.race([drained, gaveUp]));
      }
    };
    await pump();
    expect(blocked).toBe(true);
    expect(sent).toBeLessThan(2_000);
    received.resume();
    request.end();
    const answers = await Array.fromAsync(answersOf(received));
    expect(answers).toHaveLength(sent);
    expect(answers.every(({ status }) => status === 202)).toBe(true);
    expect(warnings).toEqual([]);
  });

  test("a caller who goes away leaves nothing running", async () => {
    const { request, response } = upload();
    request.write(`${line("gone", { outcome_key: "gone" })}\n`);
    const received = await response;
    received.on("error", () => undefined);
    await answersOf(received).next();
    request.on("error", () => undefined);
    request.destroy();
    const repeated = await bulk([line("gone", { outcome_key: "gone" })]);
    expect(repeated[0]).toMatchObject({ status: 200, existing: true });
  });

  test("a drain answers what was read and ends the stream", async () => {
    const draining = await api.anotherProcess();
    const { request, response } = upload(draining.url);
    request.on("error", () => undefined);
    request.write(`${line("drained")}\n{"half a line`);
    const answers = answersOf(await response);
    expect((await answers.next()).value).toMatchObject({ line: 1, status: 202 });
    draining.stop();
    await until(async () => (await answers.next()).done === true, { timeoutMs: 5_000 });
  });
});
