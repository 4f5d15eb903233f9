/** Answers that a person decides on before they are billed. */
import type { ReviewBody } from "@contingent/contracts/http/reviews";
import type { Json } from "@contingent/core/json";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { answer, type Case, type CaseOptions, submit } from "../support/cases.ts";
import { expectCharged, expectCostAsBilled, expectUnbilled, storyOf } from "../support/expectations.ts";
import { RIGHT, step, type TypeChanges, WRONG } from "../support/sums.ts";
import type { GetSystem } from "../support/use-system.ts";

/** Longer than any test. */
const LONG_MS = 50_000;
const SOON_MS = 1_000;

/** Only the form is checked before a person looks at the numbers. */
function reviewed(
  changes: { readonly sla_ms?: number; readonly on_silence?: "pass" | "fail" | "error" } = {},
): TypeChanges {
  const options = { instructions: "Are the sums right?", sla_ms: LONG_MS, on_silence: "fail", ...changes };
  return {
    cascade: [step("fast", { attempts_max: 2 })],
    validator: {
      all: [
        { use: "json_schema", options: {} },
        { use: "human", options },
      ],
    },
  };
}

export function reviewTests(system: GetSystem): void {
  /** The review that the job waits for. */
  async function reviewOf(it: Case): Promise<ReviewBody> {
    return await until(
      async () => {
        const { body } = await system().operator.send({ path: `/v1/reviews?outcome_type=${it.type}` });
        return (body as { readonly data: readonly ReviewBody[] }).data.find(({ job }) => job === it.id) ?? false;
      },
      { timeoutMs: 15_000, intervalMs: 20, what: `${it.id} to be reviewed` },
    );
  }

  async function waiting(options: CaseOptions): Promise<{ readonly it: Case; readonly review: ReviewBody }> {
    const it = await submit(system(), options);
    return { it, review: await reviewOf(it) };
  }

  async function decide(review: ReviewBody, body: Json): Promise<number> {
    const request = { method: "POST", path: `/v1/reviews/${review.id}/decision`, body };
    return (await system().operator.send(request)).status;
  }

  test.concurrent("what a person approves is charged once, as soon as it is approved", async () => {
    const { it, review } = await waiting({ terms: reviewed() });
    expect(await it.now()).toMatchObject({ state: "validating", billable: false, output: null });
    const approval = { decision: "pass", reason: "They are." };
    expect(await Promise.all([decide(review, approval), decide(review, approval)])).toEqual([200, 200]);
    const job = await it.closed();
    expect(job).toMatchObject({ resolution: "success", reason: "verified", output: RIGHT, attempts: 1 });
    await expectCharged(system(), it, job);
    expectCostAsBilled(it, job);
    expect(await storyOf(it)).toEqual([
      "job.accepted",
      "attempt.started",
      "attempt.answered",
      "inquiry.opened",
      "inquiry.answered",
      "job.resolved",
      "job.closed",
    ]);
    const { body } = await system().operator.send({ method: "POST", path: `/v1/jobs/${it.id}/reverify` });
    expect(body).toMatchObject({ stands: true });
    expect(await decide(review, { decision: "fail", reason: "On second thoughts." })).toBe(409);
  });

  test.concurrent("what a person rejects is tried again, with what they have found in the prompt", async () => {
    const { it, review } = await waiting({ terms: reviewed(), steps: [answer(WRONG)] });
    const findings = [{ path: "/net", message: "2 and 3 are 5." }];
    expect(await decide(review, { decision: "fail", reason: "Wrong sums.", findings })).toBe(200);
    const second = await reviewOf(it);
    expect(second.id).not.toBe(review.id);
    expect(await decide(second, { decision: "pass", reason: "Now they are." })).toBe(200);
    const job = await it.closed();
    expect(job).toMatchObject({ resolution: "success", output: RIGHT, attempts: 2 });
    await expectCharged(system(), it, job);
    expect(it.requests().map((request) => request.findings)).toEqual([0, 1]);
  });

  test.concurrent("silence means what the type says: approved in one, rejected in another", async () => {
    const [approved, rejected] = await Promise.all([
      submit(system(), { terms: reviewed({ sla_ms: SOON_MS, on_silence: "pass" }) }),
      submit(system(), { terms: { ...reviewed({ sla_ms: SOON_MS }), cascade: [step("fast", { attempts_max: 1 })] } }),
    ]);
    const charged = await approved.closed();
    expect(charged).toMatchObject({ resolution: "success", reason: "verified" });
    await expectCharged(system(), approved, charged);
    await expectUnbilled(system(), rejected, await rejected.closed(), "exhausted");
  });

  test.concurrent("a job that is canceled while somebody looks at it is free, and can be decided no more", async () => {
    const { it, review } = await waiting({ terms: reviewed() });
    expect((await it.cancel()).status).toBe(200);
    const job = await it.closed();
    await expectUnbilled(system(), it, job, "canceled");
    expectCostAsBilled(it, job);
    expect(await decide(review, { decision: "pass", reason: "They are." })).toBe(409);
    expect((await it.now()).billable).toBe(false);
  });
}
