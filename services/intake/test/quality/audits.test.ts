import { auditWithEvidenceSchema } from "@contingent/contracts/http/quality";
import { drawAll } from "@contingent/testkit/audits";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApi } from "../harness.ts";
import { judgedJob } from "../reverify-job/judged-job.ts";
import { AUDITED, charged, decided, decision, openAudits } from "./audited.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await api.operator.publish("credited", AUDITED);
  await api.operator.publish("kept", { ...AUDITED, audit: { rate: 1 } });
});
afterAll(() => api[Symbol.asyncDispose]());

async function audited(outcomeType: string): Promise<{ readonly id: string; readonly job: string }> {
  const job = await charged(api, outcomeType);
  await drawAll(api.pool);
  const audit = (await openAudits(api, outcomeType)).find((each) => each.job === job);
  if (audit === undefined) throw new Error(`${job} is not audited`);
  return { id: audit.id, job };
}

async function listed(path: string): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let next: string | null = ""; next !== null;) {
    const { body } = await api.operator.send({ path: `${path}${next === "" ? "" : `&cursor=${next}`}` });
    const page = body as { readonly data: readonly { readonly id: string }[]; readonly next_cursor: string | null };
    ids.push(...page.data.map(({ id }) => id));
    next = page.next_cursor;
  }
  return ids;
}

test("open audits are listed in the order to do them in, done ones the latest first, page by page", async () => {
  const audits = [await audited("kept"), await audited("kept"), await audited("kept")].map(({ id }) => id);
  expect(await listed("/v1/audits?outcome_type=kept&limit=2")).toEqual(audits);
  for (const id of audits) await decided(api, id, "correct");
  expect(await listed("/v1/audits?outcome_type=kept&limit=2")).toEqual([]);
  expect(await listed("/v1/audits?outcome_type=kept&state=done&limit=2")).toEqual(audits.toReversed());
  expect(await listed("/v1/audits?outcome_type=credited&state=done&limit=2")).toEqual([]);
});

test("an audit shows what was asked, what was answered and what the verdict was", async () => {
  const text = '{"total":"1.00"}';
  const job = await judgedJob(api, { outcomeType: "kept", input: { document: "Invoice 7" }, text });
  await drawAll(api.pool);
  const audit = (await openAudits(api, "kept")).find((each) => each.job === job);
  const { body } = await api.operator.send({ path: `/v1/audits/${audit?.id}` });
  expect(auditWithEvidenceSchema.parse(body)).toMatchObject({
    state: "open",
    job,
    customer: api.customerId,
    method: "human",
    result: null,
    credit: null,
    evidence: { input: { document: "Invoice 7" }, output: text, verdict: { decision: "pass", score: 1, findings: [] } },
  });
  const { sampled_at: sampled, due_at: due } = auditWithEvidenceSchema.parse(body);
  expect(Date.parse(due) - Date.parse(sampled)).toBeCloseTo(7 * 86_400_000, -3);
});

describe("a result", () => {
  test("200: the same one again is the same answer; another one is refused with 409, and changes nothing", async () => {
    const { id } = await audited("kept");
    const first = await decision(api, id, { result: "correct", reason: "It is right." });
    expect(first).toMatchObject({ status: 200, body: { state: "done", result: "correct", reason: "It is right." } });
    expect(await decision(api, id, { result: "correct", reason: "It is right." })).toMatchObject({ body: first.body });
    expectError(await decision(api, id, { result: "incorrect", reason: "It is right." }), "audit_decided", "id");
    expectError(await decision(api, id, { result: "correct", reason: "It is." }), "audit_decided", "id");
    expect(await api.operator.send({ path: `/v1/audits/${id}` })).toMatchObject({ body: first.body });
  });

  test("gives back at once what should not have been billed, and the customer reads why", async () => {
    const { id, job } = await audited("credited");
    const { credit } = await decided(api, id, "incorrect");
    expect(credit).toMatchObject({ state: "given" });
    const { body } = await api.customer.send({ path: `/v1/credit-notes?job=${job}` });
    expect(body).toMatchObject({
      data: [
        {
          id: credit?.credit_note,
          amount: { amount: "0.04" },
          reason: "A random audit found that this outcome should not have been billed.",
        },
      ],
    });
    // Said again it is given no second time.
    expect((await decided(api, id, "incorrect")).credit).toEqual(credit);
    expect(await api.customer.job(job)).toMatchObject({ credited: { amount: "0.04" } });
  });

  test("gives nothing back where the outcome type does not say so", async () => {
    const { id, job } = await audited("kept");
    expect((await decided(api, id, "incorrect")).credit).toBeNull();
    expect(await api.customer.job(job)).toMatchObject({ credited: { amount: "0.00" } });
  });

  test.each([
    ["no result", { reason: "I looked." }, "invalid_field", "/result"],
    ["another word", { result: "wrong", reason: "I looked." }, "invalid_field", "/result"],
    ["no reason", { result: "correct" }, "missing_field", "/reason"],
    ["an empty reason", { result: "correct", reason: "  " }, "invalid_field", "/reason"],
    ["something else", { result: "correct", reason: "I looked.", amount: "1" }, "unknown_field", "/amount"],
  ] as const)("is refused with %s", async (_, body, code, param) => {
    const { id } = await audited("credited");
    expectError(await decision(api, id, body), code, param);
    expect(await openAudits(api, "credited")).toEqual(expect.arrayContaining([expect.objectContaining({ id })]));
  });

  test("404 for an audit that there is not", async () => {
    expectError(await decision(api, "aud_none", { result: "correct", reason: "I looked." }), "audit_not_found", "id");
    expectError(await api.operator.send({ path: "/v1/audits/aud_none" }), "audit_not_found", "id");
  });
});
