/** Hazard: a copy of the database, or a look into it, that shows what customers wrote and models answered. */
import { randomBytes } from "node:crypto";
import { reverificationSchema } from "@contingent/contracts/http/receipts";
import type { Json } from "@contingent/core/json";
import { markDropped } from "@contingent/db/payloads/marker";
import { openPayloads, PLAIN } from "@contingent/db/payloads/payloads";
import { missingMasters, rewrapKeys } from "@contingent/db/payloads/keyring";
import { dropDuePayloads } from "@contingent/db/payloads/drop";
import { jobViews } from "@contingent/db/job-views";
import { happens, partsOf, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, JOB, startApi, DEFINITION, TYPE } from "../harness.ts";
import { closedJob, everything, REVIEWED, REVIEWED_TYPE, someTexts, textsIn } from "./texts.ts";

const FIRST = { kid: "first", key: randomBytes(32) };
const SECOND = { kid: "second", key: randomBytes(32) };

let api: Api;
beforeAll(async () => {
  api = await startApi([FIRST]);
  partsOf(api.pool, openPayloads(api.pool, [FIRST]));
  await api.operator.publish(REVIEWED, REVIEWED_TYPE);
  await api.operator.publish(TYPE, DEFINITION);
});
afterAll(() => api[Symbol.asyncDispose]());

const texts = someTexts();

describe("with keys configured", () => {
  test("no text is in the database, and the API gives each to whom it belongs", async () => {
    const id = await closedJob(api, texts, "sealed");
    const dispute = await api.customer.send({
      method: "POST",
      path: `/v1/jobs/${id}/dispute`,
      body: { reason: "Look." },
    });
    expect(dispute.status).toBe(201);
    expect(JSON.stringify(dispute.body)).toContain(texts.finding);
    expect(await textsIn(api.pool, texts)).toEqual([]);
    // Its id is, so that they could have been found.
    expect(await everything(api.pool)).toContain(id);

    const { body } = await api.customer.send({ path: `/v1/jobs/${id}?expand%5B%5D=attempts,verdict` });
    expect(body).toMatchObject({
      output: { total: "12.00", note: texts.answer },
      metadata: { note: texts.metadata },
      findings: [{ message: texts.finding }],
      attempt_list: [{ verdict: { findings: [{ message: texts.finding }] } }],
    });
    const listed = await api.operator.send({ path: "/v1/jobs?outcome_key=sealed" });
    expect(JSON.stringify(listed.body)).toContain(texts.answer);
    const again = await api.customer.send({ method: "POST", path: `/v1/jobs/${id}/reverify` });
    expect(again.body).toMatchObject({ because: "same_result", stands: true });
  });

  test("requests are told apart as ever, though the database cannot compare them", async () => {
    const body = { ...JOB, outcome_key: "compared", metadata: { note: "a" }, input: { document: "D", note: "N" } };
    const post = (changes: object, headers = {}) =>
      api.customer.send({ method: "POST", path: "/v1/jobs", body: { ...body, ...changes }, headers });
    const first = await post({}, { "idempotency-key": '"compared"' });
    expect(first.status).toBe(202);
    const replayed = await post({}, { "idempotency-key": '"compared"' });
    expect(replayed.headers.get("idempotent-replayed")).toBe("true");
    expect(replayed.body).toEqual(first.body);
    expect((await post({ input: { note: "N", document: "D" } })).status).toBe(200);
    expectError(await post({ input: { document: "E" } }), "outcome_key_conflict");
  });

  test("a text that was moved to another row is not read there", async () => {
    const [a, b] = [await api.customer.submit(JOB), await api.customer.submit(JOB)];
    const move = "UPDATE job_input SET input = (SELECT input FROM job_input WHERE job_id = $1) WHERE job_id = $2";
    await api.pool.query({ text: move, values: [a.id, b.id] });
    await expect(partsOf(api.pool).loader.forAttempt(b.id)).rejects.toThrow(/authenticate/);
  });

  test("a process without the keys reads nothing, and says why", async () => {
    const { id } = await api.customer.submit({ ...JOB, metadata: { note: "a" } });
    await expect(jobViews(api.pool, PLAIN)(id)).rejects.toThrow("PAYLOAD_KEYS is not set");
    await expect(jobViews(api.pool, openPayloads(api.pool, [SECOND]))(id)).rejects.toThrow('master key "first"');
    // So it does not start: readPayloadKeys asks for this.
    expect(await missingMasters(api.pool, [])).toEqual(["first"]);
    expect(await missingMasters(api.pool, [SECOND])).toEqual(["first"]);
    expect(await missingMasters(api.pool, [SECOND, FIRST])).toEqual([]);
  });
});

test("another master key takes over: old texts stay readable, the first key may go", async () => {
  const id = await closedJob(api, someTexts(), "rotated");
  const masters = [SECOND, FIRST] as const;
  expect(await rewrapKeys(api.pool, masters, 100)).toBe(1);
  expect(await rewrapKeys(api.pool, masters, 100)).toBe(0);
  const view = await jobViews(api.pool, openPayloads(api.pool, [SECOND]))(id);
  expect(view?.metadata).not.toEqual({});
  expect(await rewrapKeys(api.pool, [FIRST, SECOND], 100)).toBe(1);
});

test("a text that nobody can open any more is dropped when its time has come, and so are all others", async () => {
  const [id, other] = [await closedJob(api, someTexts(), "damaged"), await closedJob(api, someTexts(), "whole")];
  const damage = "UPDATE job_input SET input = (SELECT input FROM job_input WHERE job_id = $2) WHERE job_id = $1";
  await api.pool.query({ text: damage, values: [id, other] });
  const keepFor = (days: number | null) =>
    api.operator.send({
      method: "PUT",
      path: `/v1/customers/${api.customerId}/retention`,
      body: { payload_days: days },
    });
  await keepFor(0);
  expect(await dropDuePayloads(api.pool, openPayloads(api.pool, [FIRST]), 100)).toBeGreaterThanOrEqual(2);
  await keepFor(null);
  const text = "SELECT input FROM job_input WHERE job_id = ANY ($1) ORDER BY job_id";
  const { rows } = await api.pool.query<{ input: Json }>({ text, values: [[id, other]] });
  const gone = { dropped: expect.any(String) as string };
  expect(rows.map(({ input }) => input)).toEqual([markDropped(null), { $payload: gone }]);
});

describe("a customer's texts are erased", () => {
  const erase = () => api.operator.send({ method: "POST", path: `/v1/customers/${api.customerId}/erase-payloads` });

  test("only once no job needs them any more", async () => {
    const { id } = await api.customer.submit(JOB);
    expectError(await erase(), "jobs_open", "id");
    const { body } = await api.operator.send({ path: "/v1/jobs?limit=100" });
    const { data } = body as { readonly data: readonly { readonly id: string; readonly state: string }[] };
    expect(data.map((job) => job.id)).toContain(id);
    for (const job of data.filter(({ state }) => state !== "closed")) {
      await api.customer.send({ method: "POST", path: `/v1/jobs/${job.id}/cancel` });
      await settleAll();
    }
  });

  test("at once, with one key; what is made of them says so", async () => {
    const unasked = await closedJob(api, someTexts(), "erased");
    const asked = await closedJob(api, someTexts(), "asked");
    const receipt = await api.customer.send({ path: `/v1/jobs/${asked}/receipt` });
    const answer = await erase();
    expect(answer).toMatchObject({ status: 200, body: { object: "erasure", customer: api.customerId, keys: 1 } });

    const fresh = openPayloads(api.pool, [FIRST]);
    expect(await jobViews(api.pool, fresh)(unasked)).toMatchObject({ metadata: {}, output: null });
    while ((await dropDuePayloads(api.pool, fresh, 100)) > 0);
    expect(await api.customer.send({ path: `/v1/jobs/${asked}/receipt` })).toMatchObject({ body: receipt.body });
    expectError(await api.customer.send({ path: `/v1/jobs/${unasked}/receipt` }), "payload_erased", "id");
    const again = await api.customer.send({ method: "POST", path: `/v1/jobs/${unasked}/reverify` });
    expect(reverificationSchema.parse(again.body)).toMatchObject({ stands: null, because: "evidence_dropped" });
    const disputes = await api.customer.send({ path: "/v1/disputes" });
    expect(disputes.status).toBe(200);
  });

  test("and the next job has another key", async () => {
    const payloads = openPayloads(api.pool, [FIRST]);
    const { json } = await payloads.sealer(api.customerId);
    expect(await payloads.look("input job_next", json("input job_next", "next"))).toEqual({
      kind: "kept",
      value: "next",
    });
    expect((await erase()).body).toMatchObject({ keys: 1 });
    expectError(
      await api.operator.send({ method: "POST", path: "/v1/customers/cus_none/erase-payloads" }),
      "customer_not_found",
    );
  });
});

/** What the ledger service would do. */
async function settleAll(): Promise<void> {
  const { rows } = await api.pool.query<{ id: `job_${string}` }>({
    text: "SELECT id FROM job WHERE state = 'settling'",
  });
  for (const { id } of rows) await take(api.pool, id, happens("settled"));
}
