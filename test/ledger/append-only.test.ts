/** Hazard: history that is rewritten: what was booked, judged, charged or promised. */
import { driveTo, take, judge, claim, answer, happens } from "@contingent/testkit/jobs";
import { beforeAll, describe, expect, test } from "vitest";
import { recordFault } from "@contingent/db/dead-letters";
import { labelAsOperator } from "@contingent/ledger/quality/operator-label";
import { databaseOfThisFile } from "../db/open.ts";
import { outcomeOf } from "./by-hand.ts";
import { credit } from "./charged.ts";

const db = databaseOfThisFile();
const RESTRICTED = "23001";

const TABLES = [
  "ledger_transaction",
  "posting",
  "charge",
  "verdict",
  "job_event",
  "acceptance_decision",
  "outcome_type_version",
  "permitted_flow",
  "credit_note",
  "outcome_label",
  "operator_label",
  "job_fault",
  "judge",
  "judge_canary",
  "judge_suspension",
];

beforeAll(async () => {
  const jobId = await driveTo(db.pool, "closed");
  await credit(db.pool, jobId, 1n, "ref");
  await labelAsOperator(db.pool, { jobId, correct: true, reason: "I looked.", givenBy: "key_test" });
  await take(db.pool, await driveTo(db.pool, "queued"), claim(), answer(), judge("fail"));
  await take(db.pool, await driveTo(db.pool, "awaiting_acceptance"), happens("accepted"));
  await db.pool.query(A_SUSPENDED_JUDGE);
  const about = await take(db.pool, await driveTo(db.pool, "queued"), claim(), answer());
  const attemptId = about.progress.current?.attemptId ?? "att_none";
  const fault = { jobId: about.id, revision: about.revision, attemptId, cause: "validator_error" } as const;
  await recordFault(db.pool, { ...fault, error: "ValidatorError" });
});

const A_SUSPENDED_JUDGE = `
  WITH about AS (SELECT a.job_id, a.id AS attempt_id, j.outcome_type_version_id FROM attempt a JOIN job j ON j.id = a.job_id LIMIT 1),
  met AS (INSERT INTO judge (id, outcome_type, model, validator) VALUES (judge_id('t', 'm', 'llm_judge@1'), 't', 'm', 'llm_judge@1')
    RETURNING id),
  asked AS (
    INSERT INTO inquiry (id, job_id, attempt_id, kind, leaf, validator, asked, reserve_nanos, cost_state, outcome, due_at, ended_at)
    SELECT 'inq_0001', job_id, attempt_id, 'leaf', '', 'llm_judge@1', 'model', 0, 'released', 'dropped', now(), now() FROM about
    RETURNING id),
  counted AS (
    INSERT INTO judge_canary (judge_id, inquiry_id, outcome_type_version_id, kind, passed, share_max)
    SELECT met.id, asked.id, about.outcome_type_version_id, 'given', true, 0.2 FROM met, asked, about)
  INSERT INTO judge_suspension (judge_id, turn, event, reason, canaries_until) SELECT id, 1, 'suspended', 'all', 1 FROM met`;

async function contents(table: string): Promise<unknown> {
  return (await db.pool.query(`SELECT to_jsonb(t)::text AS row FROM ${table} t ORDER BY 1`)).rows;
}

async function columnOf(table: string): Promise<string> {
  const { rows } = await db.pool.query<{ column_name: string }>(
    "SELECT column_name FROM information_schema.columns WHERE table_name = $1 AND is_generated = 'NEVER' AND is_identity = 'NO' LIMIT 1",
    [table],
  );
  return rows[0]?.column_name ?? "none";
}

describe.each(TABLES)("%s only grows", (table) => {
  test("it has something to lose", async () => {
    expect(await contents(table)).not.toEqual([]);
  });

  test("rows are not changed, deleted or dropped together, not even none of them", async () => {
    const column = await columnOf(table);
    const before = await contents(table);
    const statements = [
      `UPDATE ${table} SET ${column} = ${column}`,
      `UPDATE ${table} SET ${column} = ${column} WHERE false`,
      `DELETE FROM ${table}`,
      `DELETE FROM ${table} WHERE false`,
      `TRUNCATE ${table} CASCADE`,
      `MERGE INTO ${table} t USING (VALUES (1)) one ON true WHEN MATCHED THEN DELETE`,
    ];
    const refused = await Promise.all(statements.map((statement) => outcomeOf(db.pool, statement)));
    expect(refused).toEqual(refused.map(() => RESTRICTED));
    expect(await contents(table)).toEqual(before);
  });
});

test("nor are they lost with the jobs, customers or attempts that they belong to", async () => {
  const before = await Promise.all(TABLES.map(contents));
  for (const table of ["job", "customer", "attempt"]) {
    expect(await outcomeOf(db.pool, `TRUNCATE ${table} CASCADE`)).toBe(RESTRICTED);
    expect(await outcomeOf(db.pool, `DELETE FROM ${table}`)).toMatch(/_fkey$/);
  }
  expect(await Promise.all(TABLES.map(contents))).toEqual(before);
});
