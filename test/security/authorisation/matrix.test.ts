/**
 * Who may do what: every route of the document, by everybody who could call. Hazards: a route that somebody forgot to guard;
 * a refusal that tells whether a thing is there; a refusal that has done something all the same.
 */
import type { Operation } from "@contingent/contracts/http/operation";
import { OPERATIONS } from "@contingent/contracts/http/operations";
import type { KeyKind } from "@contingent/core/keys/scopes";
import type { ApiAnswer, ApiClient, ApiRequest } from "@contingent/embedded/api-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AttackedApi, startAttackedApi, type Tenant } from "../support/api.ts";
import { StoredThings } from "../support/digest.ts";
import { type ApiDocument, readDocument, scopeOf } from "../support/document.ts";
import { signed } from "../support/signature.ts";
import { MadeThings } from "../support/things.ts";
import { publishTypes } from "../support/types.ts";
import { type Callers, makeCallers } from "./callers.ts";
import { type Asked, ROWS } from "./rows.ts";

let api: AttackedApi;
let document: ApiDocument;
let owner: Tenant;
let other: Tenant;
let things: MadeThings;
let callers: Callers;
let stored: StoredThings;
beforeAll(async () => {
  api = await startAttackedApi();
  document = await readDocument(api.url);
  [owner, other] = [await api.newTenant(), await api.newTenant()];
  await publishTypes(api);
  things = new MadeThings(api, owner);
  callers = await makeCallers(api, owner);
  stored = await StoredThings.in(api.pool);
});
afterAll(() => api[Symbol.asyncDispose]());

function requestOf({ method, path }: Operation, asked: Asked): ApiRequest {
  const { id = "", name = "", version = "", query = "", body, headers = {} } = asked;
  const filled = path.replace("{id}", id).replace("{name}", name).replace("{version}", version);
  const signature = asked.isSigned === true ? signed(id, JSON.stringify(body)) : {};
  const request = { method: method.toUpperCase(), path: `${filled}${query}`, headers: { ...headers, ...signature } };
  return body === undefined ? request : { ...request, body };
}

/** What only reads leaves its thing as it was. */
async function ask(operation: Operation): Promise<ApiRequest> {
  const asked = operation.method === "get" ? askedInVain(operation) : ROWS[operation.id]?.ask(things);
  return requestOf(operation, (await asked) ?? {});
}

const untouched = new Map<string, Promise<Asked>>();

/** What is refused does nothing to its thing, which is good for the next refusal. */
async function askedInVain({ id }: Operation): Promise<Asked> {
  const asked = untouched.get(id) ?? Promise.resolve(ROWS[id]?.ask(things) ?? {});
  untouched.set(id, asked);
  return await asked;
}

function codeOf({ body }: ApiAnswer): unknown {
  return (body as { readonly error?: { readonly code: unknown } } | null)?.error?.code ?? null;
}

async function outcome(client: ApiClient, request: ApiRequest): Promise<readonly unknown[]> {
  const answer = await client.send(request);
  return [answer.status, codeOf(answer)];
}

test("every route of the document has its row, and every row its route", () => {
  const documented = document.routes.map(({ operationId }) => operationId).toSorted();
  expect(Object.keys(ROWS).toSorted()).toEqual(documented);
  const scopes = Object.fromEntries(document.routes.map((route) => [route.operationId, scopeOf(route)]));
  expect(scopes).toEqual(Object.fromEntries(OPERATIONS.map(({ id, scope }) => [id, scope])));
});

const ALL = OPERATIONS.map((operation) => [operation.id, operation] as const);

describe.each(ALL)("%s", (id, operation) => {
  const { access, scope } = operation;
  const row = ROWS[id];
  const kinds: readonly KeyKind[] = access === "any" ? ["customer", "operator"] : access === "public" ? [] : [access];

  /** Whose keys are good, but of the wrong kind. */
  const strangers = (): readonly ApiClient[] =>
    [access === "operator" ? owner.client : null, access === "customer" ? api.operator : null].filter(
      (client) => client !== null,
    );

  if (scope === null) {
    test("is for everybody, with any key or none", async () => {
      const request = await ask(operation);
      for (const client of [api.nobody, owner.client, api.operator, ...callers.refused.map(([, bad]) => bad)]) {
        expect((await client.send(request)).status).toBe(row?.anybody);
      }
    });
    return;
  }

  test("is refused without a good key, and for want of its scope or kind; and nothing is done", async () => {
    const request = requestOf(operation, await askedInVain(operation));
    await stored.changes();
    expect(await outcome(api.nobody, request)).toEqual([401, "missing_api_key"]);
    // It goes where GET goes.
    for (const method of operation.method === "get" ? ["HEAD"] : [])
      expect((await api.nobody.send({ ...request, method })).status).toBe(401);
    for (const [what, client] of callers.refused) {
      expect(await outcome(client, request), what).toEqual([401, "invalid_api_key"]);
    }
    for (const kind of kinds) {
      const answer = await callers.lacking(kind, scope).send(request);
      expect([answer.status, codeOf(answer)], kind).toEqual([403, "insufficient_scope"]);
      expect(JSON.stringify(answer.body)).toContain(scope);
      expect(answer.headers.get("www-authenticate")).toContain(`scope="${scope}"`);
    }
    for (const client of strangers()) expect(await outcome(client, request)).toEqual([403, "wrong_scope"]);
    expect(await stored.changes()).toEqual([]);
  });

  test("is open to whoever has its scope and nothing else", async () => {
    const expected = { customer: row?.own, operator: row?.operator };
    for (const kind of kinds) {
      const client = callers.only(kind, scope);
      // Keys give no more than they have.
      const gives = /^(?:create(?:Customer)?Key|rotateKey)$/.test(id) ? 403 : expected[kind];
      expect((await client.send(await ask(operation))).status, kind).toBe(gives);
      const everything = kind === "operator" ? api.operator : owner.client;
      expect((await everything.send(await ask(operation))).status, kind).toBe(expected[kind]);
    }
  });

  if (access !== "operator" && operation.path.includes("{id}")) {
    test("of another customer's thing is what it is of none at all: same status, same words; and nothing is done", async () => {
      const asked = await askedInVain(operation);
      const nothing = { ...asked, id: asked.id?.replace(/_.*/, "_01kb0c3v5q8w2e4r6t7y9u1i3o") ?? "" };
      await stored.changes();
      const answers = [];
      for (const about of [asked, nothing]) {
        const answer = await other.client.send(requestOf(operation, about));
        expect(answer.status).toBe(404);
        answers.push({ status: answer.status, body: withoutNames(answer, about.id), headers: shapeOf(answer) });
      }
      expect(answers[0]).toEqual(answers[1]);
      expect(await stored.changes()).toEqual([]);
    });
  }

  if (access !== "operator" && operation.method === "get" && !operation.path.includes("{")) {
    test("shows another customer nothing", async () => {
      const text = JSON.stringify((await other.client.send(await ask(operation))).body);
      expect(text).not.toContain(owner.id);
      for (const id_ of await idsOf(owner)) expect(text).not.toContain(id_);
    });
  }
});

test.each(OPERATIONS.filter(({ access, query }) => access === "any" && "customer_id" in (query?.shape ?? {})))(
  "$id: a customer cannot ask for another one's",
  async (operation) => {
    const request = requestOf(operation, { query: `?customer_id=${owner.id}` });
    expect(await outcome(other.client, request)).toEqual([403, "wrong_scope"]);
    expect((await owner.client.send(request)).status).toBe(200);
  },
);

/** The error without what differs from request to request. */
function withoutNames({ body }: ApiAnswer, id = ""): string {
  return JSON.stringify(body)
    .replaceAll(id, "<id>")
    .replaceAll(/req_[0-9a-z]{26}/g, "<request>");
}

function shapeOf({ headers }: ApiAnswer): readonly string[] {
  return [...headers.keys()].filter((name) => name !== "date").toSorted();
}

/** Everything of a tenant's that has an id. */
async function idsOf({ id }: Tenant): Promise<readonly string[]> {
  const { rows } = await api.pool.query<{ id: string }>({
    text: `SELECT id FROM job WHERE customer_id = $1 UNION ALL SELECT id FROM api_key WHERE customer_id = $1
           UNION ALL SELECT d.id FROM dispute d JOIN job j ON j.id = d.job_id WHERE j.customer_id = $1`,
    values: [id],
  });
  expect(rows.length).toBeGreaterThan(5);
  return rows.map((row) => row.id);
}
