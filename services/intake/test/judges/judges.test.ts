/** Hazard: a judge that passes everything goes on billing; a judge that was put right never judges again. */
import type { JudgeBody } from "@contingent/contracts/http/judges";
import type { JobId } from "@contingent/core/ids";
import { newId } from "@contingent/db/ids";
import { isSuspended } from "@contingent/db/judges";
import { answer, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, claim, DEFINITION, JOB, startApi } from "../harness.ts";
import { broken, reviewInFull } from "../reviews/reviewed.ts";

const VALIDATOR = "llm_judge@1";

const JUDGED = {
  all: [
    { use: "fields_complete", options: { entities: "", required: ["total"] } },
    {
      use: "llm_judge",
      options: { rubric: "It is right.", models: ["claude-opus-5-5"], output_tokens_max: 200, cost_max: "0.01" },
    },
  ],
};

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

/** A job of the type whose answer is about to be judged. */
async function judgedJobOf(outcomeType: string): Promise<JobId> {
  await api.operator.publish(outcomeType, DEFINITION);
  const { id } = await api.customer.submit({ ...JOB, outcome_type: outcomeType });
  await take(api.pool, id, claim(), answer());
  return id;
}

/** The judge replies, about a known-bad answer too. */
async function canary(jobId: JobId, model: string, passed: boolean): Promise<void> {
  const id = newId("inq");
  await api.pool.query(
    `INSERT INTO inquiry (id, job_id, attempt_id, kind, leaf, validator, asked, provider, name, reserve_nanos, cost_state, due_at)
     SELECT $1, a.job_id, a.id, 'leaf', $1, $3, 'model', 'anthropic', $4, 1, 'held', clock_timestamp()
       FROM attempt a WHERE a.job_id = $2`,
    [id, jobId, VALIDATOR, model],
  );
  await api.pool.query(
    `UPDATE inquiry SET outcome = 'replied', cost_state = 'known', cost_nanos = 1, score = 1, findings = '[]', detail = $2,
            ended_at = clock_timestamp() WHERE id = $1`,
    [id, JSON.stringify({ canary: { kind: "off_by_one", passed, limit: 0.2 } })],
  );
}

async function canaries(jobId: JobId, model: string, ...passed: readonly boolean[]): Promise<void> {
  for (const each of passed) await canary(jobId, model, each);
}

async function judgesOf(outcomeType: string): Promise<readonly JudgeBody[]> {
  const { status, body } = await api.operator.send({ path: `/v1/judges?outcome_type=${outcomeType}` });
  expect(status).toBe(200);
  return (body as { data: readonly JudgeBody[] }).data;
}

const suspended = (outcomeType: string, model: string): Promise<boolean> =>
  isSuspended(api.pool, { outcomeType, model, validator: VALIDATOR });

describe("a judge", () => {
  test("is listed with what it let through, and goes on judging within its limit", async () => {
    const job = await judgedJobOf("honest");
    await canaries(job, "claude-opus-5-5", false, false, true, false, false);
    expect(await suspended("honest", "claude-opus-5-5")).toBe(false);
    expect(await judgesOf("honest")).toMatchObject([
      {
        outcome_type: "honest",
        model: "claude-opus-5-5",
        validator: VALIDATOR,
        state: "judging",
        canaries: { asked: 5, passed: 1, rate: 0.2, low: 0.005051, high: 0.716418, limit: 0.2 },
        suspended_at: null,
        reinstated_at: null,
      },
    ]);
  });

  test("that lets everything through is suspended after five, for this outcome type and model alone", async () => {
    const job = await judgedJobOf("gullible");
    await canaries(job, "claude-sonnet-5-5", true, true, true, true);
    expect(await suspended("gullible", "claude-sonnet-5-5")).toBe(false);
    await canary(job, "claude-sonnet-5-5", true);
    expect(await suspended("gullible", "claude-sonnet-5-5")).toBe(true);
    expect(await suspended("gullible", "claude-opus-5-5")).toBe(false);
    expect(await suspended("honest", "claude-sonnet-5-5")).toBe(false);
    expect(await judgesOf("gullible")).toMatchObject([
      {
        state: "suspended",
        suspended_at: expect.stringMatching(/^20/) as string,
        suspended_because: "It let 5 of 5 known-bad answers through; the outcome type allows 20 %.",
      },
    ]);
  });

  test("that many look at at once is suspended once", async () => {
    const job = await judgedJobOf("raced");
    await canaries(job, "claude-sonnet-5-5", true, true, true, true, true);
    const seen = await Promise.all(Array.from({ length: 8 }, () => suspended("raced", "claude-sonnet-5-5")));
    expect(seen).toEqual(seen.map(() => true));
    const { rows } = await api.pool.query(
      "SELECT 1 FROM judge_suspension s JOIN judge g ON g.id = s.judge_id WHERE g.outcome_type = 'raced'",
    );
    expect(rows).toHaveLength(1);
  });

  test("that is suspended cannot be published in a new version of the type", async () => {
    const validator = JUDGED;
    await canaries(await judgedJobOf("linted"), "claude-opus-5-5", true, true, true, true, true);
    expect(await suspended("linted", "claude-opus-5-5")).toBe(true);
    const put = (name: string) =>
      api.operator.send({ method: "PUT", path: `/v1/outcome-types/${name}`, body: { ...DEFINITION, validator } });
    const refused = await put("linted");
    expectError(refused, "invalid_outcome_type");
    expect(refused.body).toMatchObject({ error: { param: "/validator/all/1/options/models/0" } });
    // The same model judges other types, and was asked there too.
    await canary(await judgedJobOf("not-linted"), "claude-opus-5-5", true);
    expect((await put("not-linted")).status).toBe(201);
  });
});

test("whoever decides in a suspended judge's place is told so", async () => {
  const job = await judgedJobOf("replaced");
  await api.operator.publish("replaced", { ...DEFINITION, validator: JUDGED });
  const { id } = await broken(api, "replaced");
  expect((await reviewInFull(api, id)).error).toBe("llm_judge@1 at /all/1: it could not be asked");
  await canaries(job, "claude-opus-5-5", true, true, true, true, true);
  expect(await suspended("replaced", "claude-opus-5-5")).toBe(true);
  expect((await reviewInFull(api, id)).error).toMatch(/^llm_judge@1 at \/all\/1: suspended .* claude-opus-5-5 /);
});

describe("POST /v1/judges/{id}/reinstate", () => {
  const reinstate = (id: string, body: unknown) =>
    api.operator.send({ method: "POST", path: `/v1/judges/${id}/reinstate`, body });

  test("200: it judges again, as often as it is said, and its record begins anew", async () => {
    const job = await judgedJobOf("reinstated");
    await canaries(job, "claude-sonnet-5-5", true, true, true, true, true);
    expect(await suspended("reinstated", "claude-sonnet-5-5")).toBe(true);
    const [judge] = await judgesOf("reinstated");
    const reason = "The rubric's second criterion was too vague.";
    const again = await reinstate(judge?.id ?? "", { reason });
    expect(again).toMatchObject({
      status: 200,
      body: { state: "judging", suspended_at: null, reinstated_because: reason, canaries: { asked: 0, rate: null } },
    });
    expect(await reinstate(judge?.id ?? "", { reason })).toMatchObject({ status: 200, body: again.body });
    expect(await suspended("reinstated", "claude-sonnet-5-5")).toBe(false);
    await canaries(job, "claude-sonnet-5-5", true, true, true, true, true);
    expect(await suspended("reinstated", "claude-sonnet-5-5")).toBe(true);
  });

  test("409 judge_not_suspended: there is nothing to reinstate", async () => {
    await canary(await judgedJobOf("standing"), "claude-opus-5-5", false);
    const [judge] = await judgesOf("standing");
    expectError(await reinstate(judge?.id ?? "", { reason: "Why not." }), "judge_not_suspended");
  });

  test("404 judge_not_found, and 400 for a reason that is none", async () => {
    expectError(await reinstate("jdg_00000000", { reason: "Why not." }), "judge_not_found");
    expectError(await reinstate("jdg_00000000", { reason: "  " }), "invalid_field");
    expectError(await reinstate("jdg_00000000", {}), "missing_field");
  });

  test("customers neither see judges nor reinstate them", async () => {
    expectError(await api.customer.send({ path: "/v1/judges" }), "wrong_scope");
  });
});

test("judges are listed page by page", async () => {
  const all = await api.operator.send({ path: "/v1/judges" });
  const first = await api.operator.send({ path: "/v1/judges?limit=1" });
  const { next_cursor: cursor } = first.body as { next_cursor: string };
  const second = await api.operator.send({ path: `/v1/judges?limit=1&cursor=${cursor}` });
  const idsOf = (page: { readonly body: unknown }) =>
    (page.body as { data: { id: string }[] }).data.map(({ id }) => id);
  expect([...idsOf(first), ...idsOf(second)]).toEqual(idsOf(all).slice(0, 2));
});
