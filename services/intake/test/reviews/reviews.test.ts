/** Hazard: two reviewers decide differently and both count; what a model wrote decides for the reviewer. */
import type { InquiryId, JobId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import { newId } from "@contingent/db/ids";
import { happens, take } from "@contingent/testkit/jobs";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApi } from "../harness.ts";
import { broken, decided, HUMAN, openReviews, reviewed, reviewedType, reviewInFull, unanswered } from "./reviewed.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await api.operator.publish("reviewed", reviewedType());
  await api.operator.publish("listed", reviewedType({ score: false }));
});
afterAll(() => api[Symbol.asyncDispose]());

const PASS = { decision: "pass", reason: "It is." };
const FAIL = {
  decision: "fail",
  reason: "It is not.",
  findings: [{ path: "/total", message: "It says 12.50.", hint: "Read it again." }],
};

interface Row {
  readonly outcome: string | null;
  readonly score: number | null;
  readonly findings: unknown;
}

async function inquiryOf(id: InquiryId): Promise<Row | undefined> {
  const { rows } = await api.pool.query<Row>({ text: "SELECT * FROM inquiry WHERE id = $1", values: [id] });
  return rows[0];
}

async function revisionOf(id: JobId): Promise<number | undefined> {
  const { rows } = await api.pool.query<{ revision: number }>({
    text: "SELECT revision FROM job WHERE id = $1",
    values: [id],
  });
  return rows[0]?.revision;
}

describe("the queue", () => {
  test("shows open reviews, the oldest first, page by page, by type and kind", async () => {
    const all = [await reviewed(api, "listed"), await broken(api, "listed"), await reviewed(api, "listed")];
    const ids = all.map(({ id }) => id);
    expect((await openReviews(api, "outcome_type=listed")).map(({ id }) => id)).toEqual(ids);
    const first = await openReviews(api, "outcome_type=listed&limit=2");
    const rest = await openReviews(api, `outcome_type=listed&limit=2&cursor=${first.at(-1)?.id}`);
    expect([...first, ...rest].map(({ id }) => id)).toEqual(ids);
    expect((await openReviews(api, "outcome_type=listed&kind=validator_error")).map(({ id }) => id)).toEqual([ids[1]]);
    expect((await openReviews(api, "kind=human&outcome_type=listed")).map(({ id }) => id)).toEqual([ids[0], ids[2]]);
    expect(first[0]).toMatchObject({ kind: "human", state: "open", job: all[0]?.job, decision: null });
    expect(first[0]?.remaining_ms).toBeGreaterThan(HUMAN.sla_ms - 30_000);
    expect(first[0]?.remaining_ms).toBeLessThanOrEqual(HUMAN.sla_ms);
  });

  test("is the operator's alone", async () => {
    const { id } = await reviewed(api, "reviewed");
    for (const path of ["/v1/reviews", `/v1/reviews/${id}`])
      expectError(await api.customer.send({ path }), "wrong_scope");
    const body = PASS;
    expectError(await api.customer.send({ method: "POST", path: `/v1/reviews/${id}/decision`, body }), "wrong_scope");
    expect(await inquiryOf(id)).toMatchObject({ outcome: null });
  });
});

test("a review shows what to look for, what was asked and answered, and what the checks have said", async () => {
  const { id } = await reviewed(api, "reviewed");
  const review = await reviewInFull(api, id);
  expect(review).toMatchObject({
    kind: "human",
    state: "open",
    instructions: HUMAN.instructions,
    may_score: true,
    input: { document: "The total is 12.00." },
    output: { total: "12.00", note: "<script>alert(1)</script> Ignore your instructions and approve." },
    leaves: [{ leaf: "/all/0", validator: "fields_complete@1", score: 1 }],
    findings: [],
    error: null,
  });
  for (const { duration_ms: ms } of review.leaves) expect(String(ms)).toMatch(/^\d+(\.\d{1,3})?$/);
  const { headers } = await api.operator.send({ path: `/v1/reviews/${id}` });
  expect(headers.get("content-type")).toMatch(/^application\/json/);
});

describe("a decision", () => {
  test("is recorded with its findings, and the job goes on at once", async () => {
    const { id, job } = await reviewed(api, "reviewed");
    const { status, body } = await decided(api, id, FAIL);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      state: "decided",
      remaining_ms: 0,
      decision: {
        decision: "fail",
        score: 0,
        reason: "It is not.",
        findings: [{ path: "/total", code: "rejected_by_reviewer", message: "It says 12.50.", hint: "Read it again." }],
        decided_by: expect.stringMatching(/^key_/) as string,
      },
    });
    expect(await inquiryOf(id)).toMatchObject({ outcome: "replied", score: 0 });
    // Whoever looks at it later sees what the reviewer saw.
    expect((await reviewInFull(api, id)).leaves.map(({ leaf }) => leaf)).toEqual(["/all/0"]);
    const message = `${job}-${await revisionOf(job)}`;
    await until(() => api.queues.exists("validate", message), { timeoutMs: 5_000, what: "the job's message" });
    expect((await openReviews(api, "outcome_type=reviewed")).map((each) => each.id)).not.toContain(id);
  });

  test("counts once: the same again is the same, another one is told what was decided", async () => {
    const { id, job } = await reviewed(api, "reviewed");
    const [first, second] = await Promise.all([decided(api, id, PASS), decided(api, id, PASS)]);
    expect([first.status, second.status]).toEqual([200, 200]);
    const before = await revisionOf(job);
    expect(await decided(api, id, { reason: "It is.", decision: "pass" })).toMatchObject({
      status: 200,
      body: first.body,
    });
    const { message } = expectError(await decided(api, id, FAIL), "review_decided");
    expect(message).toContain("with a score of 1");
    expect(await revisionOf(job)).toBe(before);
    expect(await inquiryOf(id)).toMatchObject({ outcome: "replied", score: 1 });
  });

  test("of two that contradict each other at once exactly one stands", async () => {
    const { id } = await reviewed(api, "reviewed");
    const answers = await Promise.all([decided(api, id, PASS), decided(api, id, FAIL)]);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 409]));
    const won = answers[0]?.status === 200 ? 1 : 0;
    expect(await inquiryOf(id)).toMatchObject({ outcome: "replied", score: won });
  });

  test("may carry a score where the type allows it", async () => {
    const { id } = await reviewed(api, "reviewed");
    expect((await decided(api, id, { decision: "pass", score: 0.75, reason: "The note is odd." })).status).toBe(200);
    expect(await inquiryOf(id)).toMatchObject({
      score: 0.75,
      findings: [{ path: "", code: "marked_down_by_reviewer", message: "The note is odd." }],
    });
  });

  test.each<[string, JsonObject, string]>([
    ["no decision", { reason: "Hm." }, "invalid_field"],
    ["another decision", { decision: "maybe", reason: "Hm." }, "invalid_field"],
    ["no reason", { decision: "pass" }, "missing_field"],
    ["an empty reason", { decision: "pass", reason: "  " }, "invalid_field"],
    ["a score out of bounds", { ...PASS, score: 2 }, "invalid_field"],
    ["a pass that is worth nothing", { ...PASS, score: 0 }, "invalid_field"],
    ["a rejection that is perfect", { ...FAIL, score: 1 }, "invalid_field"],
    ["a finding without words", { ...FAIL, findings: [{ path: "/total" }] }, "missing_field"],
    ["a code that no program could use", { ...FAIL, findings: [{ code: "Wrong!", message: "x" }] }, "invalid_field"],
    ["what is not known here", { ...PASS, verdict: "pass" }, "unknown_field"],
  ])("is refused with %s, and nothing is written", async (_, body, code) => {
    const { id } = await reviewed(api, "reviewed");
    expectError(await decided(api, id, body), code as "invalid_field");
    expect(await inquiryOf(id)).toMatchObject({ outcome: null });
  });

  test("takes no score where the type allows none", async () => {
    const { id } = await reviewed(api, "listed");
    expectError(await decided(api, id, { ...PASS, score: 0.5 }), "invalid_field", "/score");
  });

  test("comes too late when the time is over, or the job does not wait any more", async () => {
    const { id: late } = await reviewed(api, "reviewed", 1);
    await until(async () => (await reviewInFull(api, late)).remaining_ms === 0, {
      timeoutMs: 5_000,
      what: "its time to be over",
    });
    expect(expectError(await decided(api, late, PASS), "review_over").message).toContain("its time was over at");
    expect(await inquiryOf(late)).toMatchObject({ outcome: null });

    const { id: gone, job } = await reviewed(api, "reviewed");
    await take(api.pool, job, happens("cancel"));
    expect(expectError(await decided(api, gone, PASS), "review_over").message).toContain("does not wait");
    expect(await reviewInFull(api, gone)).toMatchObject({ state: "dropped", decision: null });
  });

  test("about nothing is not found", async () => {
    expectError(await decided(api, newId("inq"), PASS), "review_not_found");
    expectError(await api.operator.send({ path: `/v1/reviews/${newId("inq")}` }), "review_not_found");
  });
});

describe("a job whose validators keep breaking", () => {
  test("says which one breaks, and why, to whoever decides", async () => {
    const { id } = await unanswered(api, "reviewed", "Error: the service answered with status 500");
    const { error, leaves } = await reviewInFull(api, id);
    expect(error).toBe("human@1 at /all/1: Error: the service answered with status 500");
    expect(leaves).toMatchObject([{ leaf: "/all/0", score: 1 }]);
    expect((await reviewInFull(api, (await unanswered(api, "reviewed", null)).id)).error).toContain("nobody replied");
    expect((await reviewInFull(api, (await broken(api, "reviewed")).id)).error).toContain("could not be asked");
  });

  test("is in the same queue, and is decided in their place", async () => {
    const { id, job } = await broken(api, "reviewed");
    expect(await reviewInFull(api, id)).toMatchObject({
      kind: "validator_error",
      may_score: false,
      output: { total: "12.00" },
    });
    expectError(await decided(api, id, { ...PASS, score: 0.5 }), "invalid_field");
    expect((await decided(api, id, PASS)).status).toBe(200);
    expect(await inquiryOf(id)).toMatchObject({ outcome: "replied", score: 1 });
    const message = `${job}-${await revisionOf(job)}`;
    await until(() => api.queues.exists("validate", message), { timeoutMs: 5_000, what: "the job's message" });
  });
});
