/** Hazard: a handler that forgets whose rows it may read, or that reaches a database in which it would find everybody's. */
import { OPERATIONS } from "@contingent/contracts/http/operations";
import type { CustomerId, JobId } from "@contingent/core/ids";
import { createKey } from "@contingent/db/keys";
import { type OpenPool, openPool, SERVICE_ROLE } from "@contingent/db/pool";
import { TENANT_ROLE, tenantsOf } from "@contingent/db/tenants";
import { take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Api, JOB, startApiWithType, SUCCEED } from "../harness.ts";
import { customersRequests } from "./customers-requests.ts";

interface Statement {
  /** What its connection calls itself. */
  readonly by: string | undefined;
  readonly name: string | undefined;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** What a customer's request asks with a service's rights: whose the key is, and what is sold. It belongs to nobody. */
const NOBODYS_OWN = /\bFROM (api_key|outcome_type_version|price_book_rate)\b|^\s*UPDATE api_key SET last_used_at/;

let api: Api;
let id: JobId;
let tenantPool: OpenPool;
/** What all connections of this process inherit. */
let clients: Pick<OpenPool, "query">;
/** What was said to the database while it was a customer who asked. */
const statements: Statement[] = [];
/** What the customer has asked for. */
const requests: Parameters<Api["customer"]["send"]>[0][] = [];
beforeAll(async () => {
  api = await startApiWithType();
  tenantPool = openPool(api.databaseUrl, { applicationName: "own-rows-test", role: TENANT_ROLE });
  const client = await tenantPool.connect();
  clients = Object.getPrototypeOf(client) as typeof clients;
  client.release();
  ({ id } = await api.customer.submit({ ...JOB, outcome_key: "leak" }));
  await take(api.pool, id, ...SUCCEED);
  // A key that the process does not know yet: whose it is has to be asked.
  const key = await createKey(api.pool, { kind: "customer", customerId: api.customerId, label: "new", mode: "test" });
  await recorded({ path: `/v1/jobs/${id}` }, api.customer.as(key.text));
  // One after the other, so that what is recorded is one customer's.
  for (const ask of Object.values(customersRequests({ api, id, cost: 1n, secret: "secret", ask: recorded })))
    await ask();
}, 60_000);
afterAll(async () => {
  await tenantPool.end();
  await api[Symbol.asyncDispose]();
});

async function recorded(request: Parameters<typeof api.customer.send>[0], asker = api.customer): Promise<string> {
  requests.push(request);
  const query = vi.spyOn(clients, "query");
  const { status, body } = await asker.send(request);
  for (const [n, [said]] of (query.mock.calls as unknown as [unknown][]).entries()) {
    const by = applicationOf(query.mock.contexts[n]);
    if (by?.startsWith("intake-test-") === true) statements.push({ by, ...statementOf(said) });
  }
  query.mockRestore();
  expect(status).toBe(200);
  return typeof body === "string" ? body : JSON.stringify(body);
}

function applicationOf(client: unknown): string | undefined {
  return (client as { readonly connectionParameters: { readonly application_name?: string } }).connectionParameters
    .application_name;
}

function statementOf(said: unknown): Omit<Statement, "by"> {
  if (typeof said === "string") return { name: undefined, text: said, values: [] };
  const { name, text, values } = said as { readonly name?: string; readonly text: string; readonly values?: unknown[] };
  return { name, text, values: values ?? [] };
}

test("a customer's request says nothing with a service's rights but whose its key is, and what is sold", () => {
  const asService = statements.filter(({ by }) => by === "intake-test-process");
  expect(asService.length).toBeGreaterThan(0);
  expect(asService.map(({ text }) => text).filter((text) => !NOBODYS_OWN.test(text))).toEqual([]);
});

test("everything else it says within a transaction that names the customer", () => {
  const asCustomer = statements.filter(({ by }) => by === "intake-test-customers");
  const begun = asCustomer.filter(({ text }) => text.startsWith("BEGIN"));
  expect(begun.length).toBeGreaterThan(40);
  for (const { text } of begun) expect(text).toContain(`set_config('contingent.customers', '${api.customerId}', true)`);
});

test("every statement of it, said for another customer, finds nothing of this one's and changes nothing", async () => {
  const said = new Map(
    statements
      .filter(({ by, text }) => by === "intake-test-customers" && /^\s*(SELECT|WITH|INSERT|UPDATE)\b/.test(text))
      .map((statement) => [statement.text, statement]),
  );
  expect(said.size).toBeGreaterThan(30);
  let found = 0;
  for (const statement of said.values()) {
    const [own, others] = [await outcomeFor(api.customerId, statement), await outcomeFor(await another(), statement)];
    if (own.includes(api.customerId) || own.includes(id)) found += 1;
    expect(others, statement.text).not.toContain(api.customerId);
    expect(others, statement.text).not.toContain(id);
    const isWrite = !statement.text.trimStart().startsWith("SELECT");
    expect(isWrite && others !== "[]" && others !== "refused", statement.text).toBe(false);
  }
  // Said for the customer it finds a lot: the test would notice.
  expect(found).toBeGreaterThan(10);
});

/** A thing's id in a path. */
const A_THING = /\/(?:job|dsp|stm|cus|key)_/;

test("and by itself the API shows nobody what is another's, where the database would: with a service's rights on all rows", async () => {
  await using stack = new AsyncDisposableStack();
  const unguarded = openPool(api.databaseUrl, { applicationName: "own-rows-unguarded", role: SERVICE_ROLE });
  stack.defer(() => unguarded.end());
  const process = stack.use(await api.anotherProcess({ tenantPool: unguarded }));
  const [owner, other] = [api.customer.at(process.url), api.otherCustomer.at(process.url)];
  const reads = OPERATIONS.filter(
    ({ access, method }) => method === "get" && access !== "public" && access !== "operator",
  );
  const lists = reads.filter(({ path }) => !path.includes("{")).map(({ path }) => ({ path }));
  const all: typeof requests = [...requests, ...lists, { path: `/v1/customers/${api.customerId}/grants` }];
  expect(all.filter(({ path }) => A_THING.test(path)).length).toBeGreaterThan(15);
  const mine = new RegExp(`${api.customerId}|${id}`);
  let shown = 0;
  for (const request of all) {
    const { status, body } = await other.send(request);
    const isHidden = A_THING.test(request.path) ? status === 404 : !mine.test(JSON.stringify(body));
    expect(isHidden, request.path).toBe(true);
    const own = request.method === undefined ? await owner.send(request) : null;
    if (mine.test(JSON.stringify(own?.body ?? null))) shown += 1;
  }
  for (const { path } of lists.filter(({ path }) => listsByCustomer(path))) {
    const { status } = await other.send({ path: `${path}?customer_id=${api.customerId}` });
    expect([path, status]).toEqual([path, 403]);
  }
  // To whom it belongs it is shown: the test would notice.
  expect(shown).toBeGreaterThan(15);
});

function listsByCustomer(path: string): boolean {
  const list = OPERATIONS.find((operation) => operation.method === "get" && operation.path === path);
  return list?.query !== undefined && "customer_id" in list.query.shape;
}

async function another(): Promise<CustomerId> {
  const { rows } = await api.pool.query<{ id: CustomerId }>({
    text: "SELECT id FROM customer WHERE id <> $1 ORDER BY id LIMIT 1",
    values: [api.customerId],
  });
  return rows[0]?.id ?? "cus_none";
}

/** The rows that a statement returns when it is for this customer, and then taken back; or that it is refused. */
async function outcomeFor(customer: CustomerId, { text, values }: Statement): Promise<string> {
  const own = tenantsOf(tenantPool).of([customer]);
  const client = await own.connect();
  try {
    await client.query(own.begin ?? "BEGIN");
    const { rows } = await client.query<Record<string, unknown>>({ text, values: [...values] });
    return JSON.stringify(rows, (_, value: unknown) => (typeof value === "bigint" ? value.toString() : value));
  } catch {
    return "refused";
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}
