/** Hazard: a statement made for one customer that forgets to say so, and finds or changes what is another's. */
import { WINDOW } from "@contingent/core/job/job.fixture";
import type { CustomerId, JobId } from "@contingent/core/ids";
import { listCustomerEvents } from "@contingent/db/customer-events";
import { ensureCustomer, listCustomers } from "@contingent/db/customers";
import { finishAnswer } from "@contingent/db/idempotency";
import { newId } from "@contingent/db/ids";
import { jobViewsOfCustomers, listJobViews } from "@contingent/db/job-views";
import { createKey } from "@contingent/db/keys";
import { PLAIN } from "@contingent/db/payloads/payloads";
import { type OpenPool, openPool, type Pool, SERVICE_ROLE } from "@contingent/db/pool";
import { issueReceipt } from "@contingent/db/receipts";
import { TENANT_ROLE, type Tenants, tenantsOf } from "@contingent/db/tenants";
import { listCreditNotes, listDisputes } from "@contingent/ledger/disputes/views";
import { listStatements } from "@contingent/ledger/statement/read";
import { answer, claim, CUSTOMER, driveTo, judge, partsOf, publishedTerms, take } from "@contingent/testkit/jobs";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { outcomeOf } from "../ledger/by-hand.ts";
import { everyFate } from "../ledger/every-fate.ts";
import { databaseOfThisFile } from "./open.ts";

const DENIED = "42501";
const STRANGER: CustomerId = "cus_stranger";
/** Nothing in them is any customer's: what the operator sells, pays, and keeps of its own books. */
const OPERATORS_TABLES = [
  "audit_drawing",
  "book_check",
  "breaker",
  "breaker_tally",
  "holder",
  "judge",
  "judge_suspension",
  "ledger_block",
  "outcome_type_version",
  "permitted_flow",
  "price_book_import",
  "price_book_rate",
  "quality_alert",
  "receipt_key",
  "reconciled_period",
  "reconciliation",
  "reconciliation_line",
  "schema_migration",
  "statement_number",
];

const db = databaseOfThisFile();
let pool: OpenPool;
let tenants: Tenants;
let rejected: JobId;
beforeAll(async () => {
  pool = openPool(db.url, { applicationName: "tenants-test", role: TENANT_ROLE, connectionsMax: 1 });
  tenants = tenantsOf(pool);
  await everyFate(db.pool);
  await issueReceipt(db.pool, { jobId: await driveTo(db.pool, "closed"), key: { kid: "k" }, jws: "j" });
  await createKey(db.pool, { kind: "customer", customerId: CUSTOMER, label: "test" });
  rejected = await aRejection();
  await ensureCustomer(db.pool, { id: STRANGER, name: "A stranger" });
}, 60_000);
afterAll(() => pool.end());

/** A customer waits for an outcome, by an Idempotency-Key, and sends it back. */
async function aRejection(): Promise<JobId> {
  const version = await publishedTerms(db.pool, { acceptance: WINDOW });
  const id = newId("job");
  const idempotent = { key: "k", fingerprint: "f", answer: null };
  const job = { id, customerId: CUSTOMER, version, outcomeKey: null, input: {}, metadata: {}, traceparent: "00-x" };
  await partsOf(db.pool).accept({ ...job, idempotent });
  await finishAnswer(db.pool, { customerId: CUSTOMER, key: "k" }, { status: 200, body: {} }, PLAIN);
  await take(db.pool, id, claim(), answer(), judge("pass"));
  await db.pool.query(
    `INSERT INTO customer_event (id, customer_id, type, subject, data, at) VALUES ('evt_x', '${CUSTOMER}', 'x', 'x', '{}', now())`,
  );
  await db.pool.query(`INSERT INTO acceptance_decision (job_id, revision, decision, reason, decided_by, verdict_id)
    SELECT job_id, 4, 'reject', 'No.', 'customer', id FROM verdict WHERE job_id = '${id}'`);
  return id;
}

async function countOf(from: Pool, table: string): Promise<number> {
  const { rows } = await from.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`);
  return rows[0]?.count ?? 0;
}

/** Tables of which a customer's requests may read what is the customer's. */
async function readableTables(): Promise<readonly string[]> {
  const { rows } = await db.pool.query<{ name: string }>(
    `SELECT c.relname AS name FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = 'own'
      WHERE p.polcmd IN ('*', 'r') AND has_table_privilege($1, c.oid, 'SELECT') ORDER BY 1`,
    [TENANT_ROLE],
  );
  return rows.map(({ name }) => name);
}

test("every table is under row-level security, for its owner too, or has nothing of any customer's", async () => {
  const { rows } = await db.pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class
      WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace AND NOT (relrowsecurity AND relforcerowsecurity)
      ORDER BY 1`,
  );
  const unprotected = rows.map(({ name }) => name);
  const hint =
    "a table with anything of a customer's needs protect(…), see 0022_tenants.sql; others belong into the list";
  expect(unprotected, hint).toEqual(OPERATORS_TABLES);
});

test("each row is one customer's, and nobody else finds it, however little a statement says of whom it is for", async () => {
  const customers = await listCustomers(db.pool, { after: "", limit: 100 });
  expect(customers.length).toBeGreaterThan(3);
  for (const table of await readableTables()) {
    const all = await countOf(db.pool, table);
    expect(all, table).toBeGreaterThan(0);
    let seen = 0;
    for (const { id } of customers) seen += await countOf(tenants.of([id]), table);
    expect(seen, table).toBe(all);
    const ofStranger = table === "customer" || table === "customer_account" ? 1 : 0;
    expect(await countOf(tenants.of([STRANGER]), table), table).toBe(ofStranger);
    expect(await countOf(tenants, table), `${table}, with nobody named`).toBe(0);
  }
});

test("lists that are asked for without naming a customer hold what is the customer's alone", async () => {
  const page = { before: null, limit: 100 };
  const lists = async (customer: CustomerId) => {
    const own = tenants.of([customer]);
    const { customerId: _, ...anybody } = { customerId: undefined };
    return {
      jobs: await listJobViews(own, anybody, { ...page, attempts: true }, PLAIN),
      disputes: await listDisputes(own, anybody, page),
      creditNotes: await listCreditNotes(own, anybody, page),
      events: await listCustomerEvents(own, anybody, page),
      statements: await listStatements(own, { customerId: undefined, state: undefined }, { after: null, limit: 100 }),
    };
  };
  const strangers = await lists(STRANGER);
  expect(Object.values(strangers).flat()).toEqual([]);
  const { jobs, disputes, creditNotes } = await lists(CUSTOMER);
  for (const list of [jobs, disputes, creditNotes]) {
    expect(new Set(list.map(({ customerId }) => customerId))).toEqual(new Set([CUSTOMER]));
  }
});

test("what a transaction was for is forgotten with it: the connection's next one sees nothing", async () => {
  expect(await countOf(tenants.of([CUSTOMER]), "job")).toBeGreaterThan(0);
  // There is one connection, so it is the same.
  expect(await countOf(pool, "job")).toBe(0);
  await expect(tenants.of([CUSTOMER]).query("SELECT 1 / 0")).rejects.toThrow("division by zero");
  expect(await countOf(pool, "job")).toBe(0);
});

test("a batch of several customers' requests sees what is theirs together", async () => {
  const both = await countOf(tenants.of([CUSTOMER, STRANGER]), "customer");
  expect(both).toBe(2);
});

test("of a job that a neighbour in the batch asks for, too, another customer learns nothing", async () => {
  const viewsOf = jobViewsOfCustomers(tenants, PLAIN);
  const query = vi.spyOn(pg.Client.prototype, "query");
  const [own, others, missing] = await Promise.all([
    viewsOf(CUSTOMER)(rejected),
    viewsOf(STRANGER)(rejected),
    viewsOf(STRANGER)("job_none"),
  ]);
  // BEGIN, the statement and COMMIT: it was one batch.
  expect(query).toHaveBeenCalledTimes(3);
  query.mockRestore();
  expect(own).toMatchObject({ id: rejected, customerId: CUSTOMER });
  expect([others, missing]).toEqual([null, null]);
});

test("no name of a customer can name another one besides", () => {
  expect(() => tenants.of([`${STRANGER},${CUSTOMER}`])).toThrow("is no id of a customer");
});

describe("nobody changes what is another's", () => {
  test.each([
    "UPDATE job SET state = 'queued'",
    "UPDATE customer_account SET held_nanos = 0 WHERE customer_id = 'cus_fixture'",
    "UPDATE credit_grant SET available_nanos = amount_nanos",
    "UPDATE idempotency SET body = '{}'",
    "UPDATE dispute SET state = 'withdrawn'",
    "UPDATE attempt SET output = 'x'",
    "UPDATE inquiry SET detail = '{}'",
  ])("%s", async (text) => {
    const { rowCount } = await tenants.of([STRANGER]).query(text);
    expect(rowCount).toBe(0);
  });

  test.each([
    ["job", "SELECT * FROM job"],
    ["job_input (job_id, customer_id, input, metadata)", "SELECT '$JOB', 'cus_fixture', '{}'::json, '{}'::jsonb"],
    ["job_event (job_id, revision, type, data)", "SELECT '$JOB', 99, 'x', '{}'"],
    ["idempotency", "SELECT 'cus_fixture', 'mine', 'f', '$JOB', false, 200, '{}'"],
    ["hold (job_id, customer_id, amount_nanos, currency)", "SELECT '$JOB', 'cus_fixture', 1, 'USD'"],
    [
      "customer_event (id, customer_id, type, subject, data, at)",
      "SELECT 'evt_x', 'cus_fixture', 'x', 'x', '{}', now()",
    ],
    ["receipt (job_id, kid, jws)", "SELECT '$JOB', 'k', 'x'"],
    [
      "acceptance_decision (job_id, revision, decision, decided_by, verdict_id)",
      "SELECT '$JOB', 1, 'accept', 'customer', 'v'",
    ],
  ])("INSERT INTO %s", async (into, select) => {
    const job = select.includes("FROM job")
      ? `SELECT (jsonb_populate_record(NULL::job, '${JSON.stringify(await rowOf("job", rejected))}')).*`
      : select.replace("$JOB", rejected);
    expect(await outcomeOf(tenants.of([STRANGER]), `INSERT INTO ${into} ${job}`)).toBe(DENIED);
  });

  test("a first event of another's job is refused by its key", async () => {
    const first = `INSERT INTO job_event (job_id, revision, type, data) VALUES ('${rejected}', 1, 'x', '{}')`;
    expect(await outcomeOf(tenants.of([STRANGER]), first)).toBe("job_event_pkey");
  });

  test("an input says whose it is, and that is true", async () => {
    const input = `INSERT INTO job_input (job_id, customer_id, input, metadata) VALUES ('${rejected}', '${STRANGER}', '{}', '{}')`;
    expect(await outcomeOf(db.pool, `DELETE FROM job_input WHERE job_id = '${rejected}'`, input)).toBe(
      "job_input_of_job",
    );
  });
});

async function rowOf(table: string, id: string): Promise<unknown> {
  const { rows } = await db.pool.query<{ row: unknown }>(`SELECT to_jsonb(t) AS row FROM ${table} t WHERE id = $1`, [
    id,
  ]);
  return rows[0]?.row;
}

describe("a customer's request cannot, for the customer itself,", () => {
  test.each([
    "UPDATE customer_account SET limit_nanos = NULL",
    "UPDATE customer_account SET clock_offset = '1 year'",
    "UPDATE job SET cost_cap_nanos = 1000000000",
    "UPDATE job SET customer_id = 'cus_stranger'",
    "UPDATE hold SET state = 'voided'",
    "INSERT INTO charge DEFAULT VALUES",
    "INSERT INTO verdict DEFAULT VALUES",
    "INSERT INTO attempt DEFAULT VALUES",
    "INSERT INTO credit_grant DEFAULT VALUES",
    "INSERT INTO customer DEFAULT VALUES",
    "INSERT INTO posting DEFAULT VALUES",
    "DELETE FROM job",
    "SELECT * FROM margin_rollup",
    "SELECT * FROM judge",
    "SELECT job_id FROM audit",
    "SELECT * FROM outcome_label",
    "UPDATE dispute SET state = 'credited', resolution = 'x', resolved_at = now()",
  ])("%s", async (statement) => {
    expect(await outcomeOf(tenants.of([CUSTOMER]), statement)).toBe(DENIED);
  });
});

describe("through the function that books, a customer's request", () => {
  const hold = (customer: string, kind = "hold"): string => {
    const postings = [
      ["memo:contra", "", "5"],
      ["customer:authorized", customer, "-5"],
    ];
    const entry = {
      id: newId("txn"),
      kind,
      key: `x:${kind}`,
      job_id: rejected,
      customer_id: customer,
      currency: "USD",
      postings,
    };
    return `SELECT book('${JSON.stringify([entry])}')`;
  };

  test("books nothing for others", async () => {
    expect(await outcomeOf(tenants.of([STRANGER]), hold(CUSTOMER))).toBe(DENIED);
    expect(await outcomeOf(tenants, hold(CUSTOMER))).toBe(DENIED);
    const cost = hold(CUSTOMER, "cost").replace(`"customer_id":"${CUSTOMER}"`, '"customer_id":null');
    expect(await outcomeOf(tenants.of([STRANGER]), cost)).toBe(DENIED);
  });

  test.each(["top_up", "grant", "capture", "void", "credit", "earn", "payment", "adjustment"])(
    "books no %s",
    async (kind) => {
      expect(await outcomeOf(tenants.of([CUSTOMER]), hold(CUSTOMER, kind))).toBe(DENIED);
    },
  );

  test("which a service books for everybody", async () => {
    await using stack = new AsyncDisposableStack();
    const service = openPool(db.url, { applicationName: "tenants-test", role: SERVICE_ROLE });
    stack.defer(() => service.end());
    // The job has its hold, so another one is refused; not for want of a right.
    expect(await outcomeOf(service, hold(CUSTOMER))).toBe("ledger_transaction_once");
  });
});
