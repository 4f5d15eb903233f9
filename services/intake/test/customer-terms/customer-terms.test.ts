import { publishedTermsSchema } from "@contingent/contracts/http/customer-terms";
import { isId, type JobId } from "@contingent/core/ids";
import { checkBooks } from "@contingent/ledger/check-books";
import { partsOf, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type MadeCustomer, madeCustomer, usd } from "../customers/made.ts";
import { type Api, DEFINITION, JOB, startApiWithType, SUCCEED, TYPE } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
  await api.operator.publish("partly", {
    ...DEFINITION,
    partial_at: 0.5,
    price: { shape: "linear", amount: "0.04", floor: "0.01" },
  });
});
afterAll(() => api[Symbol.asyncDispose]());

const at = (amount: string) => ({ prices: { [TYPE]: { shape: "binary", amount } } });

async function jobOf({ client }: MadeCustomer): Promise<JobId> {
  const { id } = await client.submit(JOB);
  if (!isId("job", id)) throw new Error(id);
  return id;
}

describe("terms", () => {
  test("decide the hold and the price of the jobs that are accepted while they are in force, and of no other", async () => {
    const customer = await madeCustomer(api);
    const atList = await jobOf(customer);
    expect((await customer.put("terms", at("0.03"))).status).toBe(201);
    const cheaper = await jobOf(customer);
    expect((await customer.put("terms", at("0.07"))).status).toBe(201);
    const dearer = await jobOf(customer);
    // The list price changes too, for those without terms of their own.
    await api.operator.publish(TYPE, { ...DEFINITION, price: { shape: "binary", amount: "0.05" } });
    expect(await customer.read()).toMatchObject({ held: usd("0.14") });
    const charged = await Promise.all(
      [atList, cheaper, dearer].map(async (id) => {
        await take(api.pool, id, ...SUCCEED);
        return (await customer.client.job(id)).price?.amount;
      }),
    );
    expect(charged).toEqual(["0.04", "0.03", "0.07"]);
    const { rows } = await api.pool.query<{ version: number | null }>(
      "SELECT j.customer_terms_id, t.version FROM job j LEFT JOIN customer_terms t ON t.id = j.customer_terms_id WHERE j.customer_id = $1 ORDER BY j.id",
      [customer.id],
    );
    expect(rows.map((row) => row.version)).toEqual([null, 1, 2]);
    const broken = await checkBooks(api.pool, partsOf(api.pool).versions);
    expect(broken.filter(({ violations }) => violations.length > 0)).toEqual([]);
    await api.operator.publish(TYPE, DEFINITION);
  });

  test("that begin later are in force from then on, by the customer's clock", async () => {
    const customer = await madeCustomer(api);
    const startMs = Date.now() + 3_600_000;
    const later = { ...at("0.09"), effective_from: new Date(startMs).toISOString() };
    const put = await customer.put("terms", later);
    expect(publishedTermsSchema.parse(put.body)).toMatchObject({ version: 1, in_force: false });
    await jobOf(customer);
    expect(await customer.read()).toMatchObject({ held: usd("0.04"), terms: null });
    await customer.post("test-clock", { now: new Date(startMs).toISOString() });
    await jobOf(customer);
    expect(await customer.read()).toMatchObject({ held: usd("0.13"), terms: publishedTermsSchema.parse(put.body).id });
    // A repeat is the same version, though its beginning has passed.
    expect((await customer.put("terms", later)).status).toBe(200);
  });

  test("are versions without gaps, each told once; the same terms make none, in whatever order they stand", async () => {
    const customer = await madeCustomer(api);
    const answers = await Promise.all(
      Array.from({ length: 9 }, (_, n) => customer.put("terms", at(`0.0${(n % 3) + 1}`))),
    );
    const numbers = new Set(answers.map(({ body }) => publishedTermsSchema.parse(body).version));
    expect(Math.max(...numbers)).toBe(numbers.size);
    const terms = { discount_share: 0.1, ...at("0.02") };
    expect((await customer.put("terms", terms)).status).toBe(201);
    expect((await customer.put("terms", Object.fromEntries(Object.entries(terms).toReversed()))).status).toBe(200);
    const list = await api.operator.send({ path: `/v1/customers/${customer.id}/terms?limit=1` });
    const latest = { version: numbers.size + 1, in_force: true, definition: terms };
    expect(list.body).toMatchObject({ data: [latest], has_more: true });
    const path = `/v1/customers/${customer.id}/terms?cursor=${numbers.size + 1}`;
    const older = (await api.operator.call({ path })) as { data: { in_force: boolean }[] };
    expect(older.data.map(({ in_force }) => in_force)).toEqual(Array<boolean>(numbers.size).fill(false));
  });

  test("for whole periods are kept as they were sent", async () => {
    const { put } = await madeCustomer(api);
    const terms = {
      outcome_types: {
        [TYPE]: { allowance: 10, bands: { mode: "graduated", bands: [{ from_outcome: 100, fraction: 0.9 }] } },
      },
      discount_fixed: "1.50",
      commitment_minimum: "20",
    };
    expect((await put("terms", terms)).body).toMatchObject({ definition: terms, in_force: true });
  });
});

describe("no terms are published", () => {
  async function refused(body: unknown): Promise<ReturnType<typeof expectError>> {
    const customer = await madeCustomer(api);
    const error = expectError(await customer.put("terms", body), "invalid_customer_terms");
    expect(await customer.read()).toMatchObject({ terms: null });
    return error;
  }

  test.each([
    ["a price of nothing", TYPE, { shape: "binary", amount: "0" }, `/prices/${TYPE}/amount`],
    [
      "bands that come to nothing",
      TYPE,
      { shape: "tiered", amount: "1", bands: [{ from_score: 0, fraction: 0 }] },
      `/prices/${TYPE}/bands`,
    ],
    [
      "a price that success does not reach",
      TYPE,
      { shape: "tiered", amount: "1", bands: [{ from_score: 0.95, fraction: 1 }] },
      `/prices/${TYPE}/bands`,
    ],
    [
      "a number that the output has not",
      TYPE,
      { shape: "value", rate: 0.1, path: "/recovered", max: "1" },
      `/prices/${TYPE}/path`,
    ],
    ["a partial outcome for nothing", "partly", { shape: "binary", amount: "1" }, "/prices/partly"],
    ["an outcome type that there is not", "misspelt", { shape: "binary", amount: "1" }, "/prices/misspelt"],
  ])("with %s", async (_, name, price, param) => {
    const { problems } = await refused({ prices: { [name]: price } });
    expect(problems?.map((problem) => problem.param)).toEqual([param]);
  });

  test("with an allowance for an outcome type that there is not; every mistake is named", async () => {
    const { problems } = await refused({ ...at("-1"), outcome_types: { misspelt: { allowance: 1 } } });
    expect(problems?.map((problem) => problem.param)).toEqual([`/prices/${TYPE}/amount`, "/outcome_types/misspelt"]);
  });

  test.each([
    ["a discount above the whole", { discount_share: 1.1 }, "/discount_share"],
    ["a beginning that is no time", { effective_from: "soon" }, "/effective_from"],
    ["a beginning that has passed", { effective_from: "2020-01-01T00:00:00Z" }, "/effective_from"],
    [
      "a name that no outcome type can have",
      { prices: { "No Name": { shape: "binary", amount: "1" } } },
      "/prices/No Name",
    ],
  ])("with %s", async (_, body, param) => {
    const customer = await madeCustomer(api);
    expectError(await customer.put("terms", body), "invalid_field", param);
    expect(await customer.read()).toMatchObject({ terms: null });
  });

  test("for a customer that there is not, and lists no versions of theirs", async () => {
    const path = "/v1/customers/cus_nobody/terms";
    expectError(await api.operator.send({ method: "PUT", path, body: at("1") }), "customer_not_found", "id");
    expectError(await api.operator.send({ path }), "customer_not_found", "id");
    expectError(await api.operator.send({ path: `/v1/customers/${api.customerId}/terms?cursor=x` }), "invalid_field");
  });
});
