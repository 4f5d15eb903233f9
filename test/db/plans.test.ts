/** Hazard: a statement on a job's path that reads a whole table, and so gets slower with every job that there ever was. */
import { openAccept } from "@contingent/db/accept";
import { acceptanceDecisions } from "@contingent/db/acceptance-decisions";
import { CUSTOMERS_MOVE, openCommit } from "@contingent/db/commit";
import { findCustomer } from "@contingent/db/customers";
import { finishAnswer, keepAlive } from "@contingent/db/idempotency";
import { jobEventsAfter, jobPositions } from "@contingent/db/job-views-events";
import { jobLoader } from "@contingent/db/load";
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { openPool, type Pool } from "@contingent/db/pool";
import { TENANT_ROLE, tenantsOf } from "@contingent/db/tenants";
import { findDispute } from "@contingent/ledger/disputes/views";
import { openFindAccepted } from "@contingent/db/accept-find";
import { attemptsBegunSince } from "@contingent/db/attempt-pace";
import { takeDueJobs } from "@contingent/db/due";
import { forgetRequests } from "@contingent/db/idempotency";
import { storedEvidence } from "@contingent/db/evidence";
import { createKey, keyFinder } from "@contingent/db/keys";
import { issuedReceipt, issueReceipt, receiptFacts } from "@contingent/db/receipts";
import { newId } from "@contingent/db/ids";
import { jobViews, listJobViews } from "@contingent/db/job-views";
import type { JobId } from "@contingent/core/ids";
import { issueCreditNote } from "@contingent/ledger/disputes/credit-note";
import { openDispute } from "@contingent/ledger/disputes/open-dispute";
import { resolveDispute } from "@contingent/ledger/disputes/resolve-dispute";
import { earnDue } from "@contingent/ledger/earn";
import { bookLateCost } from "@contingent/ledger/late-cost";
import { nanos } from "@contingent/core/money";
import { erasePayloads } from "@contingent/db/payloads/erase";
import { PLAIN } from "@contingent/db/payloads/payloads";
import {
  acceptedJob,
  answer,
  claim,
  CUSTOMER,
  driveTo,
  happens,
  inquires,
  isUnanswered,
  judge,
  OUTCOME_TYPE,
  partsOf,
  publishedTerms,
  replies,
  take,
  transitionOf,
  WITHOUT_LIMITS,
} from "@contingent/testkit/jobs";
import pg from "pg";
import { expect, onTestFinished, test, vi } from "vitest";
import { rowsTouched } from "../ledger/rows-touched.ts";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();

interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/** Every statement that reads or writes rows while the work is done, once each. @param by only those of connections so called */
async function statementsOf(work: () => Promise<void>, by?: string): Promise<readonly Statement[]> {
  const query = vi.spyOn(pg.Client.prototype, "query");
  await work();
  const seen = new Map<string, Statement>();
  for (const [n, [first]] of (query.mock.calls as unknown as [unknown][]).entries()) {
    if (by !== undefined && applicationOf(query.mock.contexts[n]) !== by) continue;
    if (typeof first !== "object" || first === null || !("text" in first) || typeof first.text !== "string") continue;
    const values = "values" in first && Array.isArray(first.values) ? (first.values as unknown[]) : [];
    if (/^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b/.test(first.text)) seen.set(first.text, { text: first.text, values });
  }
  query.mockRestore();
  return [...seen.values()];
}

function applicationOf(client: unknown): string | undefined {
  return (client as { readonly connectionParameters: { readonly application_name?: string } }).connectionParameters
    .application_name;
}

/** A job's whole life, with everything that the services do on its way. */
async function aJobsLife(): Promise<void> {
  const { accept, loader, versions } = partsOf(db.pool);
  const id = newId("job");
  const job = { customerId: CUSTOMER, outcomeKey: "o", input: {}, metadata: {}, traceparent: "00-x" };
  const answered = { status: 202, body: {} };
  const idempotent = { key: "k", fingerprint: "f", answer: answered };
  await accept({ ...job, id, version: await publishedTerms(db.pool), idempotent });
  const asked = { customerId: CUSTOMER, outcomeType: OUTCOME_TYPE, outcomeKey: "o", idempotencyKey: "k", input: {} };
  await openFindAccepted(db.pool, PLAIN)(asked);
  await attemptsBegunSince(db.pool, Date.now());
  await forgetRequests(db.pool, 1, 10);
  const { id: key } = await createKey(db.pool, { label: "l", kind: "customer", customerId: CUSTOMER });
  await keyFinder(db.pool)(key);

  await loader.forAttempt(id);
  await take(db.pool, id, claim(), happens("woke"));
  const text = "SELECT id FROM attempt WHERE job_id = $1";
  const lost = await db.pool.query<{ id: `att_${string}` }>({ text, values: [id] });
  const told = { provider: "anthropic", model: "small", usage: null, inputTokens: 1, outputTokens: 1 };
  const late = {
    jobId: id,
    attemptId: lost.rows[0]?.id ?? "att_none",
    cost: nanos(1n),
    currency: "USD",
    ...told,
  } as const;
  expect(await bookLateCost(db.pool, late)).toBe(true);
  await take(db.pool, id, claim(), answer(), inquires(), replies(), inquires());
  await loader.forValidation(id);
  await take(db.pool, id, isUnanswered(), judge("pass"));
  await db.pool.query("UPDATE job SET wake_at = now() WHERE id = $1", [id]);
  expect(await takeDueJobs(db.pool, versions, 10)).toHaveLength(1);
  await take(db.pool, id, happens("settled"));
  await acceptanceDecisions(db.pool, id);
  await jobViews(db.pool, PLAIN)(id);
  await jobViews(db.pool, PLAIN)(id, { attempts: true });
  await receiptFacts(db.pool, id, PLAIN);
  await issueReceipt(db.pool, { jobId: id, key: { kid: "k" }, jws: "j" });
  await issuedReceipt(db.pool, id);
  await storedEvidence(db.pool, id, PLAIN);
  await whatBecomesOfCharges(id);
}

async function whatBecomesOfCharges(jobId: JobId): Promise<void> {
  const asked = { jobId, asked: nanos(1n), reason: "r", reverification: {} };
  const opened = await openDispute(db.pool, asked);
  if (opened.kind !== "opened") throw new Error(`the dispute is ${opened.kind}`);
  await resolveDispute(db.pool, opened.id, { outcome: "credit", amount: null, reason: "r" });
  await issueCreditNote(db.pool, { jobId, amount: nanos(1n), reason: "r", ref: "r" });
  await driveTo(db.pool, "closed", { terms: { disputeWindowMs: 0 } });
  expect(await earnDue(db.pool, 10)).toBe(1);
}

const AS_CUSTOMER = "plans-as-customer";

/** What customers' requests do: as customers see the database. */
async function aCustomersRequests(): Promise<void> {
  const pool = openPool(db.url, { applicationName: AS_CUSTOMER, role: TENANT_ROLE });
  const tenants = tenantsOf(pool);
  const own = tenants.of([CUSTOMER]);
  const closed = await driveTo(db.pool, "closed");
  const [id, canceled] = [newId("job"), newId("job")];
  const job = { customerId: CUSTOMER, outcomeKey: "p", input: {}, metadata: {}, traceparent: "00-x", idempotent: null };
  const accept = openAccept(tenants, WITHOUT_LIMITS, PLAIN);
  await accept({
    ...job,
    id,
    version: await publishedTerms(db.pool),
    idempotent: { key: "p", fingerprint: "f", answer: null },
  });
  await accept({ ...job, id: canceled, outcomeKey: "q", version: await publishedTerms(db.pool) });
  await openFindAccepted(tenants, PLAIN)({ ...job, outcomeType: OUTCOME_TYPE, idempotencyKey: "p" });
  await keepAlive(tenants, [{ customerId: CUSTOMER, key: "p" }]);
  await finishAnswer(own, { customerId: CUSTOMER, key: "p" }, { status: 200, body: {} }, PLAIN);
  await jobPositions(tenants, [{ id, customerId: CUSTOMER }]);
  await jobViews(own, PLAIN)(id);
  await jobViews(own, PLAIN)(closed, { attempts: true });
  await listJobViews(own, { customerId: CUSTOMER }, { before: id, limit: 10, attempts: true }, PLAIN);
  await jobEventsAfter(own, closed, 1);
  const loaded = await jobLoader(own, outcomeTypeVersions(db.pool), { patienceMs: 0, payloads: PLAIN }).forSettlement(
    canceled,
  );
  const cancel = loaded === null ? null : transitionOf(loaded, { type: "cancel" }, Date.now());
  if (cancel === null) throw new Error("the job cannot be canceled");
  expect(await openCommit(own, PLAIN, CUSTOMERS_MOVE)(cancel)).toBe(true);
  await acceptanceDecisions(own, closed);
  await receiptFacts(own, closed, PLAIN);
  await issueReceipt(own, { jobId: closed, key: { kid: "k" }, jws: "j" });
  await storedEvidence(own, closed, PLAIN);
  const opened = await openDispute(own, { jobId: closed, asked: null, reason: "r", reverification: {} });
  if (opened.kind !== "opened") throw new Error(`the dispute is ${opened.kind}`);
  await resolveDispute(own, opened.id, { outcome: "withdraw" });
  await findDispute(own, opened.id);
  await findCustomer(own, CUSTOMER);
  await pool.end();
}

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Index Cond"?: string;
  readonly Plans?: readonly PlanNode[];
}

function nodesOf(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

/** They have a handful of rows, whatever happens. */
const SMALL_TABLES = new Set(["customer", "api_key", "outcome_type_version"]);
/** From so many changed rows on a table is looked at by autovacuum, so that the planner knows how few they are. */
const NOTICED_ROWS = 50;

/** Of these a customer has a few rows, however many jobs there are. */
const SMALL_OF_A_CUSTOMER = new Set(["customer_account", "credit_grant", "customer_terms"]);
/** That a row is the customer's, as row-level security puts it, and nothing else. */
const MERELY_THE_CUSTOMERS = /^\(customer_id = ANY \(\(InitPlan \d+\)\.col1\)\)$/;

/** What a statement's plan reads without being told by an index where to look. */
async function wholeReads({ text, values }: Statement, pool: Pool = db.pool): Promise<readonly string[]> {
  const explain = { text: `EXPLAIN (FORMAT JSON) ${text}`, values };
  const { rows } = await pool.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(explain);
  return rows
    .flatMap((row) => nodesOf(row["QUERY PLAN"][0].Plan))
    .filter(
      (node) =>
        !SMALL_TABLES.has(node["Relation Name"] ?? "") &&
        (node["Node Type"] === "Seq Scan" || (node["Index Name"] !== undefined && isOpen(node))),
    )
    .map(
      (node) =>
        `${node["Node Type"]} ${node["Relation Name"]} ${node["Index Name"] ?? ""} in ${text.trim().slice(0, 80)}`,
    );
}

/** Whether an index is read without a condition on what is looked for. */
function isOpen({ "Index Cond": condition, "Relation Name": relation = "" }: PlanNode): boolean {
  if (condition === undefined) return true;
  return MERELY_THE_CUSTOMERS.test(condition) && !SMALL_OF_A_CUSTOMER.has(relation);
}

test("on a job's path every row is found by an index, whatever the planner believes of the tables' sizes", async () => {
  await acceptedJob(db.pool);
  const statements = await statementsOf(aJobsLife);
  expect(statements.length).toBeGreaterThan(12);
  const asTenant = await statementsOf(aCustomersRequests, AS_CUSTOMER);
  expect(asTenant.length).toBeGreaterThan(24);
  const tenantPool = openPool(db.url, { applicationName: AS_CUSTOMER, role: TENANT_ROLE });
  onTestFinished(() => tenantPool.end());
  const own = tenantsOf(tenantPool).of([CUSTOMER]);
  const reads = async () => {
    const found = [...statements.map((each) => wholeReads(each)), ...asTenant.map((each) => wholeReads(each, own))];
    return (await Promise.all(found)).flat();
  };
  const grow = async (count: number): Promise<void> => {
    await Promise.all(Array.from({ length: count }, () => driveTo(db.pool, "closed")));
    // An index of few entries is read whole at no cost: those of jobs without a key are not in it.
    await db.pool.query("UPDATE job SET outcome_key = id WHERE outcome_key IS NULL");
    await db.pool.query(`
      INSERT INTO inquiry (id, job_id, attempt_id, kind, leaf, validator, asked, reserve_nanos, cost_state, outcome, score,
                           findings, due_at, ended_at)
      SELECT id || '_asked', job_id, id, 'leaf', '', 'v@1', 'person', 0, 'released', 'replied', 1, '[]', now(), now() FROM attempt
      ON CONFLICT (id) DO NOTHING`);
    await db.pool.query(`
      INSERT INTO acceptance_decision (job_id, revision, decision, decided_by, verdict_id)
      SELECT job_id, 1, 'accept', 'customer', id FROM verdict ON CONFLICT DO NOTHING`);
    await db.pool.query(`
      INSERT INTO idempotency (customer_id, key, fingerprint, job_id, existing, in_flight_until)
      SELECT customer_id, id, 'f', id, false, now() FROM job ON CONFLICT DO NOTHING`);
  };

  expect(await reads(), "of tables that nobody has looked at yet").toEqual([]);
  await grow(NOTICED_ROWS);
  await db.pool.query("ANALYZE");
  expect(await reads(), "of tables that are known to be small").toEqual([]);
  await grow(NOTICED_ROWS * 6);
  expect(await reads(), "of tables that have grown since").toEqual([]);
  await db.pool.query("ANALYZE");
  expect(await reads(), "of tables that are known to be large").toEqual([]);
});

test("an erasure looks for open jobs among the open ones, however many were closed since", async () => {
  const CLOSED = 20;
  await acceptedJob(db.pool);
  await Promise.all(Array.from({ length: CLOSED }, () => driveTo(db.pool, "closed")));
  const statements = await statementsOf(async () => {
    expect(await erasePayloads(db.pool, CUSTOMER)).toMatchObject({ kind: "jobs_open" });
  });
  const touched = await Promise.all(statements.map(({ text, values }) => rowsTouched(db.pool, text, values)));
  expect(Math.max(...touched)).toBeLessThan(CLOSED);
});

test("the foreign keys of the tables that grow are looked up by an index on the other side, too", async () => {
  const { rows } = await db.pool.query<{ name: string }>(`
    SELECT c.conname AS name FROM pg_constraint c
     WHERE c.contype = 'f' AND NOT EXISTS (
       SELECT FROM pg_index i WHERE i.indrelid = c.confrelid AND i.indisunique AND i.indkey[0] = ANY (c.confkey))`);
  expect(rows).toEqual([]);
});
