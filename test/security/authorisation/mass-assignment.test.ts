/** Hazard: a field that is let in because nobody forbade it, and sets what is not the caller's to set. */
import { JSON_TYPE, type Operation } from "@contingent/contracts/http/operation";
import { OPERATIONS } from "@contingent/contracts/http/operations";
import type { ApiRequest } from "@contingent/embedded/api-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { z } from "zod";
import { type AttackedApi, startAttackedApi, type Tenant } from "../support/api.ts";
import { StoredThings } from "../support/digest.ts";
import { MadeThings } from "../support/things.ts";
import { publishTypes } from "../support/types.ts";
import { ROWS } from "./rows.ts";

let api: AttackedApi;
let victim: Tenant;
let things: MadeThings;
let stored: StoredThings;
beforeAll(async () => {
  api = await startAttackedApi();
  victim = await api.newTenant();
  things = new MadeThings(api, await api.newTenant());
  await publishTypes(api);
  stored = await StoredThings.in(api.pool);
});
afterAll(() => api[Symbol.asyncDispose]());

/** What rows of the database and answers of the API are made of, and what frameworks are known to fall for. */
const SMUGGLED: Readonly<Record<string, unknown>> = {
  id: "job_01kb0c3v5q8w2e4r6t7y9u1i3o",
  object: "job",
  customer: "cus_victim",
  customer_id: "cus_victim",
  kind: "operator",
  scope: "operator",
  key: "ctg_live_x",
  state: "closed",
  resolution: "success",
  revision: 1,
  charge: null,
  cost: "0",
  cost_cap_nanos: 0,
  offset_ms: 1,
  created_at: "2020-01-01T00:00:00Z",
  revoked_at: null,
  constructor: {},
};

/** Its unknown names are let be, for the services that reply grow; and whoever replies must have signed. */
const OPEN = ["replyToInquiry"];

const WITH_BODY = OPERATIONS.filter(({ id, body }) => body?.type === JSON_TYPE && !OPEN.includes(id));

test.each(WITH_BODY.map((operation) => [operation.id, operation] as const))(
  "%s takes no field that it does not name, and does nothing then",
  async (id, operation) => {
    const asked = (await ROWS[id]?.ask(things)) ?? {};
    const client = operation.access === "operator" ? api.operator : things.tenant.client;
    const known = namesIn(operation);
    await stored.changes();
    const smuggled = Object.fromEntries(Object.entries(SMUGGLED).filter(([name]) => !known.has(name)));
    const { status, body } = await client.send(requestWith(operation, asked, smuggled));
    expect(status).toBe(400);
    for (const name of Object.keys(smuggled)) expect(JSON.stringify(body)).toContain(`"/${name}"`);
    // In an object's literal it would set the prototype, and be gone; as text it is a field like any other.
    const polluted = requestWith(operation, asked, {});
    const text = JSON.stringify(polluted.body).replace("{", '{"__proto__":{"kind":"operator"},');
    expect((await client.send({ ...polluted, body: text })).status).toBe(400);
    expect(await stored.changes()).toEqual([]);
  },
);

function requestWith(
  { method, path }: Operation,
  asked: { readonly id?: string; readonly name?: string; readonly body?: unknown },
  fields: object,
): ApiRequest {
  const filled = path.replace("{id}", asked.id ?? "").replace("{name}", asked.name ?? "");
  return { method: method.toUpperCase(), path: filled, body: { ...(asked.body as object), ...fields } };
}

/** The names that the body may have, in each of its forms. */
function namesIn({ body }: Operation): ReadonlySet<string> {
  const text = JSON.stringify(z.toJSONSchema(body?.schema ?? z.never(), { io: "input", unrepresentable: "any" }));
  const names = new Set<string>();
  JSON.parse(text, (key, value: unknown) => {
    if (key === "properties" && typeof value === "object" && value !== null) {
      for (const name of Object.keys(value)) names.add(name);
    }
    return value;
  });
  return names;
}

test("a customer comes from the key: naming another one in each place that there is changes nothing of theirs", async () => {
  const { client } = things.tenant;
  const job = await things.make("openJob");
  const before = await client.call({ path: `/v1/jobs/${job}` });
  for (const request of [
    { path: `/v1/jobs/${job}?customer_id=${victim.id}` },
    { path: `/v1/jobs/${job}`, headers: { "x-customer-id": victim.id, "x-forwarded-user": victim.id } },
    { method: "POST", path: `/v1/jobs?customer_id=${victim.id}`, body: { outcome_type: "attacked", input: {} } },
  ]) {
    const { status } = await client.send(request);
    expect(status).toBe(request.headers === undefined ? 400 : 200);
  }
  expect(await client.call({ path: `/v1/jobs/${job}` })).toEqual(before);
  expect(JSON.stringify(await victim.client.call({ path: "/v1/jobs" }))).not.toContain(job);
});
