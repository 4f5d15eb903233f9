import { type ReconciliationBody, reconciliationSchema } from "@contingent/contracts/http/reconciliations";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { happens, take } from "@contingent/testkit/jobs";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, claim, JOB, startApiWithType, SUCCEED } from "../harness.ts";

let api: Api;

async function start(): Promise<void> {
  api = await startApiWithType();
}

async function stop(): Promise<void> {
  await api[Symbol.asyncDispose]();
}

const DAY_MS = 24 * 60 * 60_000;
/** What the test's jobs call, at 400 nanos an answer. */
const HAIKU = "claude-haiku-5-5";

function day(fromToday: number): string {
  return new Date(Date.now() + fromToday * DAY_MS).toISOString().slice(0, 10);
}

/** Of yesterday and today. */
function invoice(changes: object = {}): object {
  return { provider: "anthropic", from: day(-1), until: day(1), lines: [line(HAIKU, "0.0000006")], ...changes };
}

function line(model: string, amount: unknown, on = day(0)): object {
  return { model, day: on, amount };
}

function send(body: unknown): Promise<ApiAnswer> {
  return api.operator.send({ method: "POST", path: "/v1/reconciliations", body });
}

async function reconciled(body: object, status = 201): Promise<ReconciliationBody> {
  const answer = await send(body);
  expect(answer.status).toBe(status);
  return reconciliationSchema.parse(answer.body);
}

async function run(...steps: Parameters<typeof take>[2][]): Promise<void> {
  const { id } = await api.customer.submit(JOB);
  await take(api.pool, id, ...steps);
}

/** How many rows of the books and of reconciliations there are. */
async function rows(): Promise<unknown> {
  const tables = ["ledger_transaction", "posting", "reconciliation", "reconciliation_line", "reconciled_period"];
  const counts = tables.map((table) => `(SELECT count(*) FROM ${table}) AS ${table}`);
  return (await api.pool.query(`SELECT ${counts.join(", ")}`)).rows;
}

function usd(amount: string): object {
  return { amount, currency: "USD" };
}

describe("201", () => {
  beforeEach(start);
  afterEach(stop);

  test("the report says what was invoiced and what is booked, and the drift is in the books", async () => {
    await run(...SUCCEED);
    const answer = await send(invoice({ lines: [line(HAIKU, "0.0000006"), line("claude-unheard-of", "0.01")] }));
    expect(answer.status).toBe(201);
    const body = reconciliationSchema.parse(answer.body);
    expect(body).toMatchObject({
      provider: "anthropic",
      number: 1,
      invoiced: usd("0.0100006"),
      booked: usd("0.0000004"),
      drift: usd("0.0100002"),
      posted: usd("0.0100002"),
      estimated: usd("0.00"),
      invoiced_only: ["claude-unheard-of"],
      booked_only: [],
    });
    expect(body.lines).toMatchObject([
      { model: HAIKU, invoiced: usd("0.0000006"), booked: usd("0.0000004"), difference: usd("0.0000002") },
      { model: "claude-unheard-of", invoiced: usd("0.01"), booked: null, difference: usd("0.01") },
    ]);
    expect(answer.headers.get("location")).toBe(`/v1/reconciliations/${body.id}`);
    const { rows: postings } = await api.pool.query(
      `SELECT account_class, account_of, amount_nanos FROM posting WHERE kind = 'reconciliation' ORDER BY account_class`,
    );
    expect(postings).toEqual([
      { account_class: "cogs:drift", account_of: "anthropic", amount_nanos: 10_000_200n },
      { account_class: "payable", account_of: "anthropic", amount_nanos: -10_000_200n },
    ]);
  });

  test("lost answers are told apart, and what was called and not invoiced is named", async () => {
    await run(claim(), happens("woke"));
    const body = await reconciled(invoice({ lines: [] }));
    expect(body.estimated).toEqual(body.booked);
    expect(Number(body.booked.amount)).toBeGreaterThan(0);
    expect([body.booked_only, body.invoiced_only]).toEqual([[HAIKU], []]);
  });

  test("a second upload for the period books what the drift has changed by", async () => {
    await run(...SUCCEED);
    await reconciled(invoice());
    const second = await reconciled(invoice({ lines: [line(HAIKU, "0.0000005")] }));
    expect(second).toMatchObject({ number: 2, drift: usd("0.0000001"), posted: usd("-0.0000001") });
  });
});

describe("200", () => {
  beforeEach(start);
  afterEach(stop);

  test("the same upload again changes nothing", async () => {
    await run(...SUCCEED);
    const first = await reconciled(invoice());
    const before = await rows();
    expect(await reconciled(invoice(), 200)).toEqual(first);
    expect(await rows()).toEqual(before);
  });

  test("a reconciliation can be read again, and all of them in pages", async () => {
    const first = await reconciled(invoice({ from: day(-9), until: day(-8), lines: [] }));
    const second = await reconciled(invoice());
    expect((await api.operator.send({ path: `/v1/reconciliations/${second.id}` })).body).toEqual(second);
    const page = await api.operator.send({ path: "/v1/reconciliations?limit=1&provider=anthropic" });
    expect(page.body).toMatchObject({ data: [{ id: second.id, posted: usd("0.0000006") }], next_cursor: second.id });
    const next = await api.operator.send({ path: `/v1/reconciliations?cursor=${second.id}` });
    expect(next.body).toMatchObject({ data: [{ id: first.id }], has_more: false, next_cursor: null });
  });
});

describe("4xx: nothing is compared and nothing posted", () => {
  beforeAll(start);
  afterAll(stop);

  test.each<[string, () => object, string]>([
    ["an unknown provider", () => ({ provider: "nobody" }), "/provider"],
    ["a period that ends before it begins", () => ({ from: day(0), until: day(-1), lines: [] }), "/until"],
    ["a period of no day", () => ({ from: day(0), until: day(0), lines: [] }), "/until"],
    ["a period of more than 92 days", () => ({ from: day(-92), until: day(1) }), "/until"],
    ["a period that lies in the future", () => ({ until: day(3) }), "/until"],
    ["a day that there is not", () => ({ from: "2026-02-30" }), "/from"],
    ["a time instead of a day", () => ({ from: "2026-02-01T00:00:00Z" }), "/from"],
    ["a line of another day", () => ({ lines: [line(HAIKU, "1", day(-2))] }), "/lines/0/day"],
    ["a line of the day after the last one", () => ({ lines: [line(HAIKU, "1", day(1))] }), "/lines/0/day"],
    ["a model and day twice", () => ({ lines: [line(HAIKU, "1"), line(HAIKU, "1")] }), "/lines/1"],
    ["a negative amount", () => ({ lines: [line(HAIKU, "-1")] }), "/lines/0/amount"],
    ["an amount that is a number", () => ({ lines: [line(HAIKU, 1)] }), "/lines/0/amount"],
    ["an amount that nobody invoices", () => ({ lines: [line(HAIKU, "100000001")] }), "/lines/0/amount"],
    ["no model", () => ({ lines: [line("", "1")] }), "/lines/0/model"],
  ])("400 for %s", async (_, changes, param) => {
    const before = await rows();
    expectError(await send(invoice(changes())), "invalid_field", param);
    expect(await rows()).toEqual(before);
  });

  test("400 without lines, and with fields that are not known", async () => {
    const { lines: _, ...without } = invoice() as { lines: unknown };
    expectError(await send(without), "missing_field", "/lines");
    expectError(await send(invoice({ total: "1" })), "unknown_field", "/total");
    expectError(await api.operator.send({ path: "/v1/reconciliations?cursor=first" }), "invalid_field", "cursor");
  });

  test("409 for days that were reconciled in another period, which is named", async () => {
    await reconciled(invoice());
    const before = await rows();
    const { message } = expectError(await send(invoice({ from: day(-2) })), "reconciliation_overlap", "/from");
    expect(message).toContain(`${day(-1)} until ${day(1)}`);
    expect(await rows()).toEqual(before);
  });

  test("404 for one that there is not", async () => {
    expectError(await api.operator.send({ path: "/v1/reconciliations/rcn_none" }), "reconciliation_not_found", "id");
  });
});
