import { once } from "node:events";
import { describe, expect, test } from "vitest";
import type { AskableService, Means, Question, ServiceAnswer } from "../inquiry.ts";
import { http } from "./http.ts";

const question: Question = {
  inquiryId: "inq_1",
  jobId: "job_1",
  outcomeType: { name: "invoice", version: 3, description: "An invoice", deliversFrom: 1 },
  producer: { provider: "anthropic", model: "claude-haiku-5-5", tier: "fast" },
  seed: "s",
  input: { text: "Invoice" },
  output: { iban: "DE89" },
  outputSchema: {},
};
const sync = { url: "https://checks.example.com/verify", secret: "checks", mode: "sync", timeout_ms: 1_000 } as const;
const callback = { ...sync, mode: "callback", reply_within_ms: 60_000 } as const;

const MEANS: Means = {
  signal: new AbortController().signal,
  model: () => null,
  service: () => null,
  tierOf: () => null,
  isSuspended: async () => false,
  wait: async () => undefined,
};

type Sent = Parameters<AskableService["post"]>[0];

/** Asks a service that answers so. */
async function ask(answer: ServiceAnswer, options: Partial<typeof sync | typeof callback> = {}) {
  const sent: Sent[] = [];
  const means: Means = {
    ...MEANS,
    service: (secret) =>
      secret === "checks"
        ? {
            async post(request) {
              sent.push(request);
              return answer;
            },
          }
        : null,
  };
  const all = { ...sync, on_silence: "error", ...options } as const;
  const plan = (): unknown => http.plan(question, all, means);
  return { reply: await http.ask(question, all, means), sent, plan };
}

function saying(body: string, status = 200): ServiceAnswer {
  return { kind: "answered", status, body };
}

describe("http", () => {
  test("the service is sent the answer with what was asked for, under the inquiry's id", async () => {
    const { reply, sent } = await ask(saying('{"decision":"pass"}'));
    expect(reply).toMatchObject({ kind: "answered", result: { score: 1, findings: [] }, cost: 0n });
    expect(sent).toMatchObject([{ url: sync.url, id: "inq_1" }]);
    expect(JSON.parse(sent[0]?.body ?? "")).toEqual({
      type: "inquiry",
      inquiry_id: "inq_1",
      job_id: "job_1",
      outcome_type: { name: "invoice", version: 3 },
      mode: "sync",
      input: { text: "Invoice" },
      output: { iban: "DE89" },
    });
  });

  test("what the service says of the answer cannot break out of a line of the next prompt", async () => {
    const findings = [{ path: "/a\n- b", code: "bad", message: "x\u2028y\u0000z".repeat(200) }];
    const { reply } = await ask(saying(JSON.stringify({ score: 0.5, findings })));
    if (reply.kind !== "answered") throw new Error(reply.kind);
    const [found] = reply.result.findings;
    expect(found?.path).toBe("/a - b");
    expect(found?.message).toMatch(/^x y z.{0,300}…$/);
  });

  test.each([
    ["an error", saying("{}", 500), "the service answered 500"],
    ["a redirect", saying("", 302), "the service answered 302"],
    ["a promise to reply later, which was not asked for", saying("", 202), "the service answered 202"],
    ["no JSON", saying("<html>pass</html>"), "the service's answer is no reply"],
    ["nothing", saying(""), "the service's answer is no reply"],
    ["no decision", saying('{"result":"pass"}'), "the service's answer is no reply"],
    ["a decision of another kind", saying('{"decision":"maybe"}'), "the service's answer is no reply"],
    ["a score beyond 1", saying('{"score":1.5}'), "the service's answer is no reply"],
    ["a contradiction", saying('{"decision":"pass","score":0}'), "the service's answer is no reply"],
    ["the other contradiction", saying('{"decision":"fail","score":1}'), "the service's answer is no reply"],
    ["a code that is none", saying('{"score":0,"findings":[{"code":"A b","message":"x"}]}'), "is no reply"],
    ["a list", saying('["pass"]'), "the service's answer is no reply"],
    ["names that objects inherit", saying('{"__proto__":{"decision":"pass"}}'), "the service's answer is no reply"],
    ["depth", saying(`{"findings":${"[".repeat(30_000)}`), "the service's answer is no reply"],
    ["no connection", { kind: "failed", message: "the connection was refused" } as const, "the connection was refused"],
  ])("%s is no word on the answer", async (_, answer, error) => {
    const { reply } = await ask(answer);
    expect(reply).toMatchObject({ kind: "broke", cost: 0n });
    expect(reply.kind === "broke" ? reply.error : "").toContain(error);
  });

  test("a service that replies later says 202, or replies at once all the same", async () => {
    expect((await ask(saying("", 202), callback)).reply).toEqual({ kind: "pending" });
    expect((await ask(saying('{"score":1}'), callback)).reply).toMatchObject({ kind: "answered" });
    expect((await ask(saying("", 204), callback)).reply).toMatchObject({ kind: "broke" });
  });

  test("without its secret the service is never asked", async () => {
    const { reply, sent, plan } = await ask(saying('{"decision":"pass"}'), { secret: "gone" as "checks" });
    expect(reply).toMatchObject({ kind: "broke", error: 'there is no secret "gone" to sign with' });
    expect(plan).toThrow("gone");
    expect(sent).toEqual([]);
  });

  test("when its time is over, silence means what the options say", async () => {
    const given = { ...sync, timeout_ms: 100, on_silence: "error" } as const;
    const means = {
      ...MEANS,
      service: () => ({
        post: async ({ signal }: Sent): Promise<ServiceAnswer> => {
          await once(signal, "abort");
          return { kind: "failed", message: "there was no answer in time" };
        },
      }),
    };
    expect(await http.ask(question, given, means)).toEqual({ kind: "pending" });
    expect(http.silence(given)).toBe(null);
    expect(http.silence({ ...given, on_silence: "fail" })).toMatchObject({ score: 0 });
    expect(http.durationMs(given)).toBe(100);
    expect(http.durationMs({ ...callback, on_silence: "error" })).toBe(60_000);
  });

  test.each([
    ["a secret instead of its name", { secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" }, "never the secret itself"],
    ["another scheme", { url: "ftp://checks.example.com/" }, "must be a URL"],
    ["a callback without a time", { mode: "callback" }, 'is for mode "callback"'],
    ["a time for no callback", { reply_within_ms: 5_000 }, 'is for mode "callback"'],
    ["silence that bills", { on_silence: "pass" }, "Invalid option"],
  ])("%s is refused", (_, changes, message) => {
    const parsed = http.options.safeParse({ url: sync.url, secret: sync.secret, ...changes });
    expect(parsed.error?.issues.map((issue) => issue.message).join()).toContain(message);
  });
});
