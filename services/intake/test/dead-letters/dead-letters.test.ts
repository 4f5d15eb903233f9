/** Hazard: a job that the system could not finish is forgotten, or done and charged twice. */
import { redrivenManySchema } from "@contingent/contracts/http/dead-letters";
import { DEAD_LETTER_CAUSES } from "@contingent/core/job/dead-letter";
import type { JobId } from "@contingent/core/ids";
import { recordFault } from "@contingent/db/dead-letters";
import { answer, happens, judge, loadedJob, take, type TestStep } from "@contingent/testkit/jobs";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, claim, startApi, SUCCEED } from "../harness.ts";
import { dead, heldOf, INPUT, letters, METADATA, ONE_TIER, submitted } from "./dead.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
  for (const name of ["mourned", "listed", "many"]) await api.operator.publish(name, ONE_TIER);
});
afterAll(() => api[Symbol.asyncDispose]());

function post(path: string, body?: unknown) {
  return api.operator.send({
    method: "POST",
    path: `/v1/dead-letters/${path}`,
    ...(body === undefined ? {} : { body }),
  });
}

describe("what the system could not finish", () => {
  test.each(DEAD_LETTER_CAUSES)("leaves a dead letter: %s", async (cause) => {
    const job = await dead(api, "mourned", cause);
    const { status, body } = await api.operator.send({ path: `/v1/dead-letters/${job}` });
    expect(status).toBe(200);
    expect(body).toMatchObject({ object: "dead_letter", job, cause, state: "open", customer: api.customerId });
    expect(await api.customer.job(job)).toMatchObject({ state: "closed", resolution: "failure", billable: false });
    expect(JSON.stringify(body)).not.toContain(INPUT.document);
  });

  const OTHERS: readonly (readonly [string, readonly TestStep[]])[] = [
    ["a model that was not good enough", [claim(), answer(), judge("fail"), claim(), answer(), judge("fail")]],
    ["a refusal", [claim(), answer(100n, "refused")]],
    ["a customer who canceled", [happens("cancel")]],
    ["success", [claim(), answer(), judge("pass")]],
  ];
  test.each(OTHERS)("but %s leaves none", async (_, steps) => {
    const job = await submitted(api, "mourned");
    let { state } = await take(api.pool, job, ...steps);
    // Whatever is left of its attempts fails as well.
    while (state === "queued") ({ state } = await take(api.pool, job, claim(), answer(), judge("fail")));
    await take(api.pool, job, happens("settled"));
    expectError(await api.operator.send({ path: `/v1/dead-letters/${job}` }), "dead_letter_not_found", "id");
  });
});

test("shows each attempt and the last errors, the newest first", async () => {
  const job = await submitted(api, "mourned");
  await take(api.pool, job, claim(), answer());
  const { current } = (await loadedJob(api.pool, job)).job.progress;
  if (current === null) throw new Error("it is not attempted");
  const about = { jobId: job, attemptId: current.attemptId, cause: "validator_error" } as const;
  await recordFault(api.pool, { ...about, revision: 3, error: "ValidatorError: first" });
  await recordFault(api.pool, { ...about, revision: 4, cause: "validator_lost", error: "it died" });
  await recordFault(api.pool, { ...about, revision: 4, error: "told twice" });
  await take(api.pool, job, happens("woke"), happens("settled"));
  const { body } = await api.operator.send({ path: `/v1/dead-letters/${job}` });
  expect(body).toMatchObject({
    attempts: 1,
    attempt_list: [{ id: current.attemptId, number: 1, tier: "fast", outcome: "answered", error: null }],
    faults: [
      { cause: "validator_lost", attempt: current.attemptId, error: "it died" },
      { cause: "validator_error", error: "ValidatorError: first" },
    ],
  });
});

test("are listed the oldest first, page by page, by state, cause, type, customer and time", async () => {
  const from = new Date().toISOString();
  const all = [
    await dead(api, "listed", "not_attempted"),
    await dead(api, "listed", "worker_lost"),
    await dead(api, "listed", "not_attempted"),
  ];
  const ids = async (query: string): Promise<readonly string[]> =>
    (await letters(api, `outcome_type=listed&${query}`)).map(({ job }) => job);
  expect(await ids("")).toEqual(all);
  expect(await ids("limit=2")).toEqual(all.slice(0, 2));
  expect(await ids(`limit=2&cursor=${all[1]}`)).toEqual(all.slice(2));
  expect(await ids("cause=worker_lost")).toEqual([all[1]]);
  expect(await ids(`customer=${api.customerId}&died_from=${from}`)).toEqual(all);
  expect(await ids(`died_until=${from}`)).toEqual([]);
  expect((await post(`${all[0]}/dismiss`, { reason: "Nobody waits for it." })).status).toBe(200);
  expect(await ids("state=open")).toEqual(all.slice(1));
  expect(await ids("state=dismissed")).toEqual([all[0]]);
  expectError(await api.operator.send({ path: "/v1/dead-letters?cursor=nothing" }), "invalid_field", "cursor");
});

describe("redriving", () => {
  test("makes one job like the first, at its price, and both name each other", async () => {
    const job = await dead(api, "mourned", "validator_error", "the-key");
    const before = await heldOf(api, api.customerId);
    const answers = await Promise.all([1, 2, 3].map(() => post(`${job}/redrive`)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const [again] = new Set(answers.map(({ body }) => (body as { redriven_as: JobId }).redriven_as));
    if (again === undefined) throw new Error("it was not redriven");
    expect(answers.map(({ body }) => body)).toEqual(
      answers.map(() => expect.objectContaining({ state: "redriven", redriven_as: again }) as unknown),
    );
    expect((await heldOf(api, api.customerId)) - before).toBe(40_000_000n);
    expect(await api.customer.job(job)).toMatchObject({ outcome_key: "the-key", redriven_as: again, state: "closed" });
    const redriven = await api.customer.job(again);
    expect(redriven).toMatchObject({ redrive_of: job, outcome_key: null, state: "queued", metadata: METADATA });
    const { rows } = await api.pool.query({
      text: "SELECT input::text FROM job_input WHERE job_id = $1",
      values: [again],
    });
    expect(rows).toEqual([{ input: JSON.stringify(INPUT) }]);
    await until(() => api.queues.exists("attempt.fast", `${again}-1`), { timeoutMs: 5_000, what: "its message" });
    await take(api.pool, again, ...SUCCEED);
    expect(await api.customer.job(again)).toMatchObject({
      resolution: "success",
      billable: true,
      price: { amount: "0.04" },
    });
  });

  test("does not happen where the customer has no money for it: the dead letter stays open", async () => {
    const { id, api: poor } = await prepaid("0.04");
    const { id: job } = await poor.submit({ outcome_type: "mourned", input: INPUT });
    await take(api.pool, job, happens("woke"), happens("settled"));
    await poor.submit({ outcome_type: "mourned", input: INPUT });
    expectError(await post(`${job}/redrive`), "insufficient_funds");
    expect((await letters(api, `customer=${id}&state=open`)).map((letter) => letter.job)).toEqual([job]);
    const many = redrivenManySchema.parse((await post("redrive", { customer: id })).body);
    expect(many).toMatchObject({ redriven: [], refused: [{ job, code: "insufficient_funds" }], next_cursor: null });
  });

  test("of many does each once, a page at a time, and goes on behind those that it did", async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => dead(api, "many", "not_attempted")));
    const first = redrivenManySchema.parse((await post("redrive", { outcome_type: "many", limit: 3 })).body);
    expect(first.redriven).toHaveLength(3);
    const rest = redrivenManySchema.parse(
      (await post("redrive", { outcome_type: "many", cursor: first.next_cursor, cause: "not_attempted" })).body,
    );
    expect([...first.redriven, ...rest.redriven].map(({ job }) => job).toSorted()).toEqual(all.toSorted());
    expect(rest.next_cursor).toBeNull();
    const again = redrivenManySchema.parse((await post("redrive", { outcome_type: "many" })).body);
    expect(again).toEqual({ object: "redrive", redriven: [], refused: [], next_cursor: null });
  });

  test("and dying once more is told from the first time", async () => {
    const job = await dead(api, "mourned", "not_attempted");
    const { body } = await post(`${job}/redrive`);
    const { redriven_as: again } = body as { redriven_as: JobId };
    await take(api.pool, again, happens("woke"), happens("settled"));
    const { body: second } = await api.operator.send({ path: `/v1/dead-letters/${again}` });
    expect(second).toMatchObject({ redrive_of: job, state: "open", cause: "not_attempted" });
  });
});

test("a dead letter ends once: what was decided first stands", async () => {
  const dismissed = await dead(api, "mourned", "not_judged");
  const reason = { reason: "The customer has asked for it anew." };
  expect((await post(`${dismissed}/dismiss`, reason)).body).toMatchObject({ state: "dismissed" });
  expect((await post(`${dismissed}/dismiss`, reason)).status).toBe(200);
  expectError(await post(`${dismissed}/dismiss`, { reason: "Another." }), "dead_letter_ended", "id");
  expectError(await post(`${dismissed}/redrive`), "dead_letter_ended", "id");
  const redriven = await dead(api, "mourned", "not_judged");
  expect((await post(`${redriven}/redrive`)).status).toBe(201);
  expectError(await post(`${redriven}/dismiss`, reason), "dead_letter_ended", "id");
  await expect(
    api.pool.query({
      text: "UPDATE dead_letter SET ended_at = NULL, dismissed_reason = NULL WHERE job_id = $1",
      values: [dismissed],
    }),
  ).rejects.toThrow("has ended already");
});

test("they are the operator's alone", async () => {
  const job = await dead(api, "mourned", "not_judged");
  for (const path of ["/v1/dead-letters", `/v1/dead-letters/${job}`])
    expectError(await api.customer.send({ path }), "wrong_scope");
  expectError(await api.customer.send({ method: "POST", path: `/v1/dead-letters/${job}/redrive` }), "wrong_scope");
});

async function prepaid(amount: string) {
  const { body } = await api.operator.send({
    method: "POST",
    path: "/v1/customers",
    body: { name: "Prepaid", billing: "prepaid" },
  });
  const { id } = body as { id: `cus_${string}` };
  const topUp = { amount, ref: "first" };
  await api.operator.send({ method: "POST", path: `/v1/customers/${id}/top-ups`, body: topUp });
  const key = await api.operator.send({ method: "POST", path: `/v1/customers/${id}/keys`, body: { label: "test" } });
  return { id, api: api.customer.as((key.body as { key: string }).key) };
}
