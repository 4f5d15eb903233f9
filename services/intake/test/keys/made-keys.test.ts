/** Hazards: a key that is shown twice, that may do more than whoever made it, or that outlives them. */
import { keySchema } from "@contingent/contracts/http/keys";
import { pageOf } from "@contingent/contracts/http/values";
import { LIVE_KEYS_MAX } from "@contingent/core/keys/keys";
import { createKey } from "@contingent/db/keys";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { madeCustomer } from "../customers/made.ts";
import { expectError } from "../checked-client.ts";
import { type Api, startApi } from "../harness.ts";
import { askFor, madeKey, works } from "./made.ts";

const HOUR_MS = 3_600_000;

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

function inMs(ms: number): string {
  return new Date(Date.now() + ms).toISOString();
}

test("a key is shown once: its secret is in no other answer, in no log and not in the database", async () => {
  const made = await madeKey(api.customer, { label: "nightly batch", scopes: ["jobs:read", "keys:read"] });
  expect(made.key).toContain(made.id.slice("key_".length));
  const { client } = made;
  const shown = await client.call({ path: `/v1/keys/${made.id}` });
  expect(shown).toMatchObject({ kind: "customer", label: "nightly batch", state: "active", expires_at: null });
  const { rows } = await api.pool.query({ text: "SELECT row_to_json(k)::text AS stored FROM api_key k" });
  const everywhere = JSON.stringify([shown, await client.call({ path: "/v1/keys?limit=100" }), rows, api.log]);
  expect(everywhere).toContain(made.id);
  for (const secret of [made.key, api.customer.key]) expect(everywhere).not.toContain(secret.split("_")[3]);
});

test("it says who made it, and when it was used, to the minute", async () => {
  const { id, client } = await madeKey(api.customer);
  const own = await api.customer.call({ path: `/v1/keys/key_${api.customer.key.split("_")[2]}` });
  const { id: maker } = keySchema.parse(own);
  expect(await api.customer.call({ path: `/v1/keys/${id}` })).toMatchObject({ created_by: maker, last_used_at: null });
  expect(await works(client)).toBe(true);
  await until(async () => keySchema.parse(await api.customer.call({ path: `/v1/keys/${id}` })).last_used_at !== null, {
    timeoutMs: 5_000,
    what: "the use of the key to be noted",
  });
  const found = await api.operator.call({ path: `/v1/keys?created_by=${maker}&kind=customer` });
  expect(
    pageOf(keySchema, "Keys")
      .parse(found)
      .data.map((key) => key.id),
  ).toContain(id);
});

describe("a key gives no more than it has", () => {
  test.each([
    ["another scope", ["jobs:read", "jobs:write"], "jobs:write"],
    ["everything", ["*"], "*"],
    ["everything, without saying so", undefined, "*"],
  ])("not %s", async (_, scopes, lacked) => {
    const { client } = await madeKey(api.customer, { scopes: ["keys:write", "jobs:read"] });
    const { message } = expectError(await askFor(client, { scopes }), "insufficient_scope", "/scopes");
    expect(message).toContain(lacked);
    expect((await askFor(client, { scopes: ["jobs:read"] })).status).toBe(201);
  });

  test("not by replacing one that may do more either", async () => {
    const strong = await madeKey(api.customer);
    const { client } = await madeKey(api.customer, { scopes: ["keys:write"] });
    const answer = await client.send({ method: "POST", path: `/v1/keys/${strong.id}/rotate`, body: {} });
    expectError(answer, "insufficient_scope", "/scopes");
  });

  test("not a longer life", async () => {
    const end = inMs(HOUR_MS);
    const { client } = await madeKey(api.customer, { expires_at: end });
    for (const expires_at of [null, inMs(2 * HOUR_MS)]) {
      expectError(await askFor(client, { expires_at }), "invalid_field", "/expires_at");
    }
    const { expires_at: inherited } = await madeKey(client);
    expect(Date.parse(inherited ?? "")).toBe(Date.parse(end));
  });

  test("a customer's never what is for operators", async () => {
    expectError(await askFor(api.customer, { scopes: ["jobs:read", "types:write"] }), "invalid_field", "/scopes/1");
    const { post } = await madeCustomer(api);
    expectError(await post("keys", { label: "x", scopes: ["books:read"] }), "invalid_field", "/scopes/0");
  });

  test("an operator's gives a customer what it has itself", async () => {
    const { id } = await madeCustomer(api);
    const { client } = await madeKey(api.operator, { scopes: ["keys:write", "jobs:read"] });
    const ask = (scopes: readonly string[]) =>
      client.send({ method: "POST", path: `/v1/customers/${id}/keys`, body: { label: "x", scopes } });
    expectError(await ask(["billing:read"]), "insufficient_scope", "/scopes");
    expect((await ask(["jobs:read"])).body).toMatchObject({ kind: "customer", customer_id: id });
  });
});

describe("what cannot be a key", () => {
  test.each([
    ["no label", { label: "" }, "invalid_field", "/label"],
    ["no scope", { scopes: [] }, "invalid_field", "/scopes"],
    ["an unknown scope", { scopes: ["jobs"] }, "invalid_field", "/scopes/0"],
    ["a scope twice", { scopes: ["jobs:read", "jobs:read"] }, "invalid_field", "/scopes"],
    ["everything and something", { scopes: ["*", "jobs:read"] }, "invalid_field", "/scopes"],
    ["an end in the past", { expires_at: "2020-01-01T00:00:00Z" }, "invalid_field", "/expires_at"],
    ["another customer's", { customer_id: "cus_other" }, "unknown_field", "/customer_id"],
    ["an operator's", { kind: "operator" }, "unknown_field", "/kind"],
  ] as const)("%s", async (_, asked, code, param) => {
    expectError(await askFor(api.customer, asked), code, param);
  });
});

test("a key that ends is refused from then on", async () => {
  const { client } = await madeKey(api.customer, { expires_at: inMs(500) });
  expect(await works(client)).toBe(true);
  await until(async () => !(await works(client)), { timeoutMs: 6_000, what: "the key to end" });
});

test("another customer's keys, and the operator's, are keys that there are not", async () => {
  const { id } = await madeKey(api.otherCustomer);
  const { id: operators } = await madeKey(api.operator);
  for (const path of [`/v1/keys/${id}`, `/v1/keys/${operators}`]) {
    expectError(await api.customer.send({ path }), "key_not_found", "id");
    for (const change of ["rotate", "revoke"]) {
      const request = { method: "POST", path: `${path}/${change}`, ...(change === "rotate" ? { body: {} } : {}) };
      expectError(await api.customer.send(request), "key_not_found", "id");
    }
  }
  const listed = JSON.stringify(await api.customer.call({ path: "/v1/keys?limit=100" }));
  expect(listed).not.toContain(id);
  expect(listed).not.toContain(operators);
  expect(await works(api.otherCustomer)).toBe(true);
});

test(`an owner has ${LIVE_KEYS_MAX} keys that work at most`, async () => {
  const { client, id: customerId } = await madeCustomer(api);
  const rest = Array.from({ length: LIVE_KEYS_MAX - 1 }, () =>
    createKey(api.pool, { kind: "customer", customerId, label: "one of many" }),
  );
  const [one] = await Promise.all(rest);
  expectError(await askFor(client, {}), "too_many_keys");
  await client.call({ method: "POST", path: `/v1/keys/${one?.id}/revoke` });
  expect((await askFor(client, {})).status).toBe(201);
});
