/** Hazard: a statement on a job's path that reads a whole table, and so gets slower with every job that there ever was. */
import { acceptanceDecisions } from "@contingent/db/acceptance-decisions";
import { openFindAccepted } from "@contingent/db/accept-find";
import { attemptsBegunSince } from "@contingent/db/attempt-pace";
import { takeDueJobs } from "@contingent/db/due";
import { forgetRequests } from "@contingent/db/idempotency";
import { storedEvidence } from "@contingent/db/evidence";
import { createKey, keyFinder } from "@contingent/db/keys";
import { issuedReceipt, issueReceipt, receiptFacts } from "@contingent/db/receipts";
import { newId } from "@contingent/db/ids";
import { jobViews } from "@contingent/db/job-views";
import type { JobId } from "@contingent/core/ids";
import { issueCreditNote } from "@contingent/ledger/disputes/credit-note";
import { openDispute } from "@contingent/ledger/disputes/open-dispute";
import { resolveDispute } from "@contingent/ledger/disputes/resolve-dispute";
import { earnDue } from "@contingent/ledger/earn";
import { bookLateCost } from "@contingent/ledger/late-cost";
import { nanos } from "@contingent/core/money";
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
} from "@contingent/testkit/jobs";
import pg from "pg";
import { expect, test, vi } from "vitest";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();

interface Statement {
  readonly text: string;
  readonly values: unknown[];
}

/** Every statement that reads or writes rows while the work is done, once each. */
async function statementsOf(work: () => Promise<void>): Promise<readonly Statement[]> {
  const query = vi.spyOn(pg.Client.prototype, "query");
  await work();
  const seen = new Map<string, Statement>();
  for (const [first] of query.mock.calls as unknown as [unknown][]) {
    if (typeof first !== "object" || first === null || !("text" in first) || typeof first.text !== "string") continue;
    const values = "values" in first && Array.isArray(first.values) ? (first.values as unknown[]) : [];
    if (/^\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b/.test(first.text)) seen.set(first.text, { text: first.text, values });
  }
  query.mockRestore();
  return [...seen.values()];
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
  await openFindAccepted(db.pool)(asked);
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
  await jobViews(db.pool)(id);
  await jobViews(db.pool)(id, { attempts: true });
  await receiptFacts(db.pool, id);
  await issueReceipt(db.pool, { jobId: id, key: { kid: "k" }, jws: "j" });
  await issuedReceipt(db.pool, id);
  await storedEvidence(db.pool, id);
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

/** What a statement's plan reads without being told by an index where to look. */
async function wholeReads({ text, values }: Statement): Promise<readonly string[]> {
  const explain = { text: `EXPLAIN (FORMAT JSON) ${text}`, values };
  const { rows } = await db.pool.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(explain);
  return rows
    .flatMap((row) => nodesOf(row["QUERY PLAN"][0].Plan))
    .filter(
      (node) =>
        !SMALL_TABLES.has(node["Relation Name"] ?? "") &&
        (node["Node Type"] === "Seq Scan" || (node["Index Name"] !== undefined && node["Index Cond"] === undefined)),
    )
    .map(
      (node) =>
        `${node["Node Type"]} ${node["Relation Name"]} ${node["Index Name"] ?? ""} in ${text.trim().slice(0, 80)}`,
    );
}

test("on a job's path every row is found by an index, whatever the planner believes of the tables' sizes", async () => {
  await acceptedJob(db.pool);
  const statements = await statementsOf(aJobsLife);
  expect(statements.length).toBeGreaterThan(12);
  const reads = async () => (await Promise.all(statements.map(wholeReads))).flat();
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

test("the foreign keys of the tables that grow are looked up by an index on the other side, too", async () => {
  const { rows } = await db.pool.query<{ name: string }>(`
    SELECT c.conname AS name FROM pg_constraint c
     WHERE c.contype = 'f' AND NOT EXISTS (
       SELECT FROM pg_index i WHERE i.indrelid = c.confrelid AND i.indisunique AND i.indkey[0] = ANY (c.confkey))`);
  expect(rows).toEqual([]);
});
