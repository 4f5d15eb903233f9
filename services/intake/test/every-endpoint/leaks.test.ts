/** What only the operator may know must not be in anything that a customer gets to see. */
import { OPERATIONS } from "@contingent/contracts/http/operations";
import { formatMoney, nanos } from "@contingent/core/money";
import { answer, callFails, happens, judge, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, claim, DEFINITION, JOB, startApiWithType, TYPE } from "../harness.ts";
import { ALL, customersRequests } from "./customers-requests.ts";

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

const requests = (): ReturnType<typeof customersRequests> =>
  customersRequests({ api, id, cost: COSTS[0] ?? 0n, secret: SECRET, ask: textOf });
/** Before there is an API their names are known already. */
const NAMES = OPERATIONS.flatMap(({ access, id: name }) => (access === "customer" || access === "any" ? [name] : []));

async function textOf(request: Parameters<typeof api.customer.send>[0]): Promise<string> {
  const { status, body } = await api.customer.send(request);
  expect(status).toBe(200);
  return typeof body === "string" ? body : JSON.stringify(body);
}

test("every endpoint for customers is looked at", () => {
  expect(new Set(Object.keys(requests()))).toEqual(new Set<string>(NAMES));
});

describe.each(NAMES)("%s", (name) => {
  test("says nothing of cost, margin, reserve, cap or prompt, in words or in figures", async () => {
    const text = (await requests()[name]?.()) ?? "";
    expect(text).toMatch(/job_|cus_/);
    expect(text).not.toMatch(/cost|margin|reserve|nanos|(?<!thres)hold|cascade|prompt/i);
    expect(text).not.toContain(SECRET);
    // A trace's id is of random digits, among which any figure may turn up by chance; so it may in a time ("…:10.052Z").
    const figures = text.replaceAll(/"trace_id":"[0-9a-f]+"|"\d{4}-\d\d-\d\dT[^"]+"/g, "");
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
