/** Hazard: texts that are kept for longer than was agreed, or something that breaks once they are gone. */
import { receiptSchema } from "@contingent/contracts/http/receipts";
import type { JobId } from "@contingent/core/ids";
import { dropDuePayloads } from "@contingent/db/payloads/drop";
import { PLAIN } from "@contingent/db/payloads/payloads";
import { checkBooks } from "@contingent/ledger/check-books";
import { partsOf } from "@contingent/testkit/jobs";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApi } from "../harness.ts";
import { closedJob, REVIEWED, REVIEWED_TYPE, someTexts, type Texts, textsIn } from "./texts.ts";

const DAY_MS = 24 * 3_600_000;

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await api.operator.publish(REVIEWED, REVIEWED_TYPE);
});
afterAll(() => api[Symbol.asyncDispose]());

const keepFor = (days: number | null, customer = api.customerId) =>
  api.operator.send({ method: "PUT", path: `/v1/customers/${customer}/retention`, body: { payload_days: days } });
const later = (days: number) =>
  api.operator.send({
    method: "POST",
    path: `/v1/customers/${api.customerId}/test-clock`,
    body: { advance_ms: days * DAY_MS },
  });
const drop = () => dropDuePayloads(api.pool, PLAIN, 100);
const resend = (texts: Texts, key: string, headers = {}) =>
  api.customer.send({
    method: "POST",
    path: "/v1/jobs",
    body: {
      outcome_type: REVIEWED,
      input: { document: texts.input },
      outcome_key: key,
      metadata: { note: texts.metadata },
    },
    headers,
  });

describe("texts are dropped", () => {
  let id: JobId;
  const texts = someTexts();

  test("not before they have been kept for as long as was agreed, by the customer's clock", async () => {
    id = await closedJob(api, texts, "kept");
    expect(await drop()).toBe(0);
    expect((await keepFor(30)).body).toMatchObject({ payload_retention_days: 30 });
    await later(29);
    expect(await drop()).toBe(0);
    expect(await textsIn(api.pool, texts)).toHaveLength(4);
    await later(2);
    expect(await drop()).toBe(1);
    expect(await drop()).toBe(0);
    expect(await textsIn(api.pool, texts)).toEqual([]);
  });

  test("the job says so, and what it was and cost stays", async () => {
    const { body } = await api.customer.send({ path: `/v1/jobs/${id}?expand%5B%5D=attempts,verdict,charge` });
    expect(body).toMatchObject({
      payload_dropped_at: expect.any(String) as string,
      output: null,
      metadata: {},
      findings: [],
      score: 0.95,
      billable: true,
      charge: { amount: "0.04" },
    });
  });

  test("its receipt attests what it would have attested before", async () => {
    const other = someTexts();
    const before = await closedJob(api, other, "attested");
    const shown = await api.customer.send({ path: `/v1/jobs/${before}/receipt` });
    await api.pool.query(
      "ALTER TABLE receipt DISABLE TRIGGER append_only; DELETE FROM receipt; ALTER TABLE receipt ENABLE TRIGGER append_only",
    );
    await later(31);
    expect(await drop()).toBe(1);
    const after = await api.customer.send({ path: `/v1/jobs/${before}/receipt` });
    expect(receiptSchema.parse(after.body).payload).toEqual(receiptSchema.parse(shown.body).payload);
  });

  test("its verdict cannot be reached again, and a dispute says so and is decided by the operator", async () => {
    const again = await api.customer.send({ method: "POST", path: `/v1/jobs/${id}/reverify` });
    expect(again.body).toMatchObject({
      stands: null,
      because: "evidence_dropped",
      recomputed: null,
      evidence_hash: { recomputed: null, matches: null },
    });
  });

  test("who asks for the same outcome gets the same job, by whatever was kept; for another one a conflict", async () => {
    const same = await resend(texts, "kept");
    expect(same).toMatchObject({ status: 200, body: { id } });
    const repeated = await resend(texts, "kept", { "idempotency-key": '"kept"' });
    expect(repeated.body).toMatchObject({ id, payload_dropped_at: expect.any(String) as string });
    expectError(await resend({ ...texts, input: "another" }, "kept"), "outcome_key_conflict");
  });

  test("and nothing else of what was judged, asked or answered can be changed by the same way", async () => {
    const statements = [
      "UPDATE verdict SET score = 1",
      "UPDATE verdict SET findings = '[]'",
      "UPDATE verdict SET output = '{}'",
      "UPDATE attempt SET output = 'another'",
      "UPDATE attempt SET output = NULL",
      "UPDATE inquiry SET findings = '[]'",
      "UPDATE inquiry SET detail = '{}'",
    ];
    await closedJob(api, someTexts(), "unchanged");
    for (const text of statements) {
      await expect(api.pool.query({ text }), text).rejects.toMatchObject({ code: "23001" });
    }
  });
});

test("what somebody has still to look at waits: an open dispute", async () => {
  const texts = someTexts();
  const id = await closedJob(api, texts, "disputed");
  const opened = await api.customer.send({ method: "POST", path: `/v1/jobs/${id}/dispute`, body: { reason: "Look." } });
  const { id: dispute } = opened.body as { readonly id: string };
  await later(31);
  await drop();
  expect(await textsIn(api.pool, texts)).toContain(texts.input);
  await api.customer.send({ method: "POST", path: `/v1/disputes/${dispute}/withdraw` });
  expect(await drop()).toBe(1);
});

test("a dispute that is being opened while its job's texts are about to go keeps them", async () => {
  const texts = someTexts();
  const id = await closedJob(api, texts, "disputed-late");
  await keepFor(0);
  const client = await api.pool.connect();
  try {
    // A dispute locks the job, then its customer's account.
    await client.query("BEGIN");
    await client.query({
      text: "SELECT FROM customer_account WHERE customer_id = $1 FOR NO KEY UPDATE",
      values: [api.customerId],
    });
    const opening = api.customer.send({ method: "POST", path: `/v1/jobs/${id}/dispute`, body: { reason: "Look." } });
    await until(() => whoWait(1), { timeoutMs: 20_000, what: "the dispute to hold the job" });
    const dropping = drop();
    await until(() => whoWait(2), { timeoutMs: 20_000, what: "the job to have been found" });
    await client.query("COMMIT");
    expect((await opening).status).toBe(201);
    await dropping;
    expect(await textsIn(api.pool, texts)).toContain(texts.input);
  } finally {
    client.release();
    await keepFor(30);
  }
});

async function whoWait(count: number): Promise<boolean> {
  const { rows } = await api.pool.query<{ n: number }>({
    text: `SELECT count(*)::int AS n FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  });
  return rows[0]?.n === count;
}

test("an outcome type's own retention holds for its jobs, and the shorter one counts", async () => {
  await api.operator.publish(REVIEWED, { ...REVIEWED_TYPE, payload_retention_days: 7 });
  const [first, second] = [someTexts(), someTexts()];
  await closedJob(api, first, "own-first");
  await later(6);
  expect(await drop()).toBe(0);
  await later(2);
  expect(await drop()).toBe(1);
  expect(await textsIn(api.pool, first)).toEqual([]);
  await closedJob(api, second, "own-second");
  await keepFor(3);
  await later(4);
  expect(await drop()).toBe(1);
});

test("another customer's texts are kept, and so are those of jobs that are open", async () => {
  await keepFor(0);
  const open = await resend(someTexts(), "open");
  expect(open.status).toBe(202);
  await later(400);
  await drop();
  expect(
    JSON.stringify((await api.customer.send({ path: `/v1/jobs/${(open.body as { id: string }).id}` })).body),
  ).toContain("canary");
});

test("the books verify without the texts", async () => {
  const checked = await checkBooks(api.pool, partsOf(api.pool).versions);
  expect(checked.filter(({ violations }) => violations.length > 0)).toEqual([]);
});

test("a retention that is none is refused, and so is a customer who is none", async () => {
  for (const days of [-1, 1.5, "30", 40_000]) {
    const sent = await api.operator.send({
      method: "PUT",
      path: `/v1/customers/${api.customerId}/retention`,
      body: { payload_days: days },
    });
    expectError(sent, "invalid_field", "/payload_days");
  }
  expectError(await keepFor(1, "cus_none"), "customer_not_found");
});
