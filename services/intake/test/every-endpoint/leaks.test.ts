/** What only the operator may know must not be in anything that a customer gets to see. */
import { OPERATIONS } from "@contingent/contracts/http/operations";
import { receiptSchema } from "@contingent/contracts/http/receipts";
import { statementPageSchema } from "@contingent/contracts/http/statements";
import { formatMoney, nanos } from "@contingent/core/money";
import { answer, callFails, happens, judge, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, claim, DEFINITION, JOB, startApiWithType, TYPE } from "../harness.ts";
import { madeCustomer } from "../customers/made.ts";
import { watch } from "../sse.ts";

/** Amounts that occur nowhere else. */
const COSTS = [123_457n, 234_561n, 345_679n];
const SECRET = "secret-of-the-operator";

let api: Api;
let id: `job_${string}`;
beforeAll(async () => {
  api = await startApiWithType();
  await api.operator.publish(TYPE, { ...DEFINITION, prompt: { system: SECRET, user: "{{input.document}}" } });
  ({ id } = await api.customer.submit({ ...JOB, outcome_key: "leak" }));
  const [first = 0n, second = 0n, third = 0n] = COSTS;
  await take(
    api.pool,
    id,
    claim(),
    callFails("timeout", true),
    claim(),
    answer(first),
    judge("fail"),
    claim(),
    answer(second),
    judge("pass"),
    happens("settled"),
  );
  const open = await api.customer.submit(JOB);
  await take(api.pool, open.id, claim(), answer(third));
});
afterAll(() => api[Symbol.asyncDispose]());

const ALL = "expand%5B%5D=attempts,verdict,charge";

/** Every endpoint that a customer's key opens, asked for everything. */
const READS: Readonly<Record<string, () => Promise<string>>> = {
  getJob: () => textOf({ path: `/v1/jobs/${id}?${ALL}` }),
  listJobs: () => textOf({ path: `/v1/jobs?${ALL}` }),
  createJob: () => textOf({ method: "POST", path: "/v1/jobs", body: { ...JOB, outcome_key: "leak" } }),
  cancelJob: async () => {
    const { id: canceled } = await api.customer.submit(JOB);
    await take(api.pool, canceled, claim());
    return (
      (await textOf({ method: "POST", path: `/v1/jobs/${canceled}/cancel` })) +
      (await textOf({ path: `/v1/jobs/${canceled}?${ALL}` }))
    );
  },
  // Decoded: in base64 any word may turn up by chance.
  getReceipt: async () => {
    const { jws, ...rest } = receiptSchema.parse(JSON.parse(await textOf({ path: `/v1/jobs/${id}/receipt` })));
    const parts = jws.split(".").slice(0, 2);
    return [JSON.stringify(rest), ...parts.map((part) => Buffer.from(part, "base64url").toString())].join("\n");
  },
  reverifyJob: () => textOf({ method: "POST", path: `/v1/jobs/${id}/reverify` }),
  openDispute: async () => {
    const body = { reason: "It is wrong." };
    // Said again it is answered with 200, like everything else here.
    await api.customer.send({ method: "POST", path: `/v1/jobs/${id}/dispute`, body });
    return await textOf({ method: "POST", path: `/v1/jobs/${id}/dispute`, body });
  },
  listDisputes: () => textOf({ path: "/v1/disputes" }),
  getDispute: async () => textOf({ path: `/v1/disputes/${await aDispute()}` }),
  withdrawDispute: async () => textOf({ method: "POST", path: `/v1/disputes/${await aDispute()}/withdraw` }),
  listCreditNotes: async () => {
    const body = { job: id, amount: "0.001", reason: "As a courtesy.", ref: SECRET };
    await api.operator.send({ method: "POST", path: "/v1/credit-notes", body });
    return await textOf({ path: "/v1/credit-notes" });
  },
  acceptJob: async () => {
    const acceptance = { mode: "window", duration_ms: 60_000, on_silence: "release" };
    await api.operator.publish("leak-reviewed", { ...DEFINITION, acceptance, rework: true });
    const { id: delivered } = await api.customer.submit({ ...JOB, outcome_type: "leak-reviewed" });
    await take(api.pool, delivered, claim(), answer(COSTS[0]), judge("pass"));
    const body = { decision: "reject", reason: "It is wrong." };
    return (
      (await textOf({ method: "POST", path: `/v1/jobs/${delivered}/acceptance`, body })) +
      (await textOf({ path: `/v1/jobs/${delivered}?${ALL}` }))
    );
  },
  bulkCreateJobs: () =>
    textOf({
      method: "POST",
      path: "/v1/jobs/bulk",
      body: `${JSON.stringify({ ...JOB, outcome_key: "leak" })}\n`,
      headers: { "content-type": "application/x-ndjson" },
    }),
  listStatements: async () => `${await textOf({ path: "/v1/statements" })} ${id}`,
  getStatement: async () => `${await textOf({ path: await openStatement() })} ${id}`,
  listStatementLines: async () => textOf({ path: `${await openStatement()}/lines` }),
  getStatementCsv: async () => textOf({ path: `${await openStatement()}/csv` }),
  // What the page looks like is no secret; its rules speak of margins.
  getStatementPage: async () =>
    (await textOf({ path: `${await openStatement()}/html` })).replace(/<style>[^]*<\/style>/, ""),
  watchJob: async () => JSON.stringify(await (await watch(api.customer, id)).all()),
  getBalance: () => textOf({ path: "/v1/balance" }),
  getCustomer: () => textOf({ path: `/v1/customers/${api.customerId}` }),
  listGrants: async () => {
    const { post, client, id: customer } = await madeCustomer(api, { billing: "prepaid" });
    await post("top-ups", { ref: "leak", amount: "1" });
    await client.submit(JOB);
    return JSON.stringify(await client.call({ path: `/v1/customers/${customer}/grants` }));
  },
  listEvents: async () => {
    const limited = { limit: { amount: "0.04", period: "day" } };
    const { client } = await madeCustomer(api, limited);
    await client.submit(JOB);
    return JSON.stringify(await client.call({ path: "/v1/events" }));
  },
  createKey: async () =>
    JSON.stringify(await api.customer.call({ method: "POST", path: "/v1/keys", body: { label: id } })),
  listKeys: () => textOf({ path: "/v1/keys" }),
  getKey: async () => textOf({ path: `/v1/keys/${await aKey()}` }),
  rotateKey: async () =>
    JSON.stringify(await api.customer.call({ method: "POST", path: `/v1/keys/${await aKey()}/rotate`, body: {} })),
  revokeKey: async () => textOf({ method: "POST", path: `/v1/keys/${await aKey()}/revoke` }),
};

async function aKey(): Promise<string> {
  const body = { label: "a key of cus_" };
  const made = await api.customer.call({ method: "POST", path: "/v1/keys", body });
  return (made as { readonly id: string }).id;
}

async function openStatement(): Promise<string> {
  const { data } = statementPageSchema.parse(await api.customer.call({ path: "/v1/statements?state=open" }));
  return `/v1/statements/${data[0]?.id}`;
}

async function aDispute(): Promise<string> {
  const { body } = await api.customer.send({ path: "/v1/disputes?limit=1" });
  return (body as { readonly data: readonly { readonly id: string }[] }).data[0]?.id ?? "dsp_none";
}

async function textOf(request: Parameters<typeof api.customer.send>[0]): Promise<string> {
  const { status, body } = await api.customer.send(request);
  expect(status).toBe(200);
  return typeof body === "string" ? body : JSON.stringify(body);
}

test("every endpoint for customers is looked at", () => {
  const open = OPERATIONS.filter(({ access }) => access === "customer" || access === "any").map(
    (operation) => operation.id,
  );
  expect(new Set(Object.keys(READS))).toEqual(new Set(open));
});

describe.each(Object.keys(READS))("%s", (name) => {
  test("says nothing of cost, margin, reserve, cap or prompt, in words or in figures", async () => {
    const text = (await READS[name]?.()) ?? "";
    expect(text).toMatch(/job_|cus_/);
    expect(text).not.toMatch(/cost|margin|reserve|nanos|(?<!thres)hold|cascade|prompt/i);
    expect(text).not.toContain(SECRET);
    // A trace's id is of random digits, among which any figure may turn up by chance.
    const figures = text.replaceAll(/"trace_id":"[0-9a-f]+"/g, "");
    for (const amount of await secretAmounts()) expect(figures).not.toContain(amount);
  });
});

test("the operator's answer has what the customer's has not: the test would notice", async () => {
  const { body } = await api.operator.send({ path: `/v1/jobs/${id}?${ALL}` });
  const text = JSON.stringify(body);
  expect(text).toMatch(/"cost":/);
  expect(text).toContain(formatMoney(nanos(COSTS[0] ?? 0n)));
});

/** Everything that an attempt or a job has cost or might have, and every sum and margin, as figures and as amounts. */
async function secretAmounts(): Promise<readonly string[]> {
  const { rows } = await api.pool.query<{ amount: bigint }>(`
    SELECT cost_nanos AS amount FROM attempt UNION SELECT reserve_nanos FROM attempt
    UNION SELECT cost_known_nanos FROM job UNION SELECT cost_presumed_nanos FROM job UNION SELECT cost_held_nanos FROM job
    UNION SELECT cost_known_nanos + cost_presumed_nanos FROM job
    UNION SELECT price_nanos - cost_known_nanos - cost_presumed_nanos FROM job WHERE price_nanos > 0
    UNION SELECT cost_cap_nanos FROM job`);
  const amounts = rows.map(({ amount }) => amount).filter((amount) => amount !== null && amount !== 0n);
  expect(amounts.length).toBeGreaterThanOrEqual(8);
  return amounts.flatMap((amount) => [`${amount}`, formatMoney(nanos(amount)), formatMoney(nanos(-amount))]);
}
