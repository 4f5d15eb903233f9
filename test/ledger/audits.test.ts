/** Hazard: bills that nobody looks at again, an audit that is decided twice, and money given back twice or never. */
import type { AuditId, JobId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import type { AuditResult } from "@contingent/core/quality/false-bills";
import type { AuditTerms } from "@contingent/core/outcome-type";
import { periodAt } from "@contingent/core/statement/period";
import { openPool, type OpenPool, SERVICE_ROLE } from "@contingent/db/pool";
import { creditAudit, creditAudits } from "@contingent/ledger/audits/credit";
import { decideAudit, type DecidedAudit } from "@contingent/ledger/audits/decide";
import { drawAudits, drawOf } from "@contingent/ledger/audits/draw";
import { listAlerts } from "@contingent/ledger/quality/alerts";
import { auditCountsOf } from "@contingent/ledger/quality/audited";
import { resolveDispute } from "@contingent/ledger/disputes/resolve-dispute";
import { labelsOf } from "@contingent/ledger/quality/labels";
import { beginClosing, finishClosing } from "@contingent/ledger/statement/close";
import { statementIdAt } from "@contingent/ledger/statement/read";
import { drawAll } from "@contingent/testkit/audits";
import { clockMoved } from "@contingent/testkit/customers";
import {
  answer,
  claim,
  driveTo,
  happens,
  judge,
  type JobOptions,
  partsOf,
  publishedTerms,
  take,
} from "@contingent/testkit/jobs";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { outcomeOf } from "./by-hand.ts";
import { credit, dispute, idOf, PRICE, violations } from "./charged.ts";

const db = databaseOfThisFile();
const ROUND = 1_000;
const EVERY: AuditTerms = { rate: 1, method: "human", credit: false, dueMs: 60_000 };

let service: OpenPool;
beforeAll(() => {
  service = openPool(db.url, { applicationName: "audits-test", role: SERVICE_ROLE });
});
afterAll(() => service.end());
beforeEach(async () => {
  await drawAll(service);
});

/** One round, as the ledger service does it. */
async function draw(pool = service): Promise<void> {
  await drawAudits(pool, partsOf(service).versions, ROUND);
}

async function charged(audit: Partial<AuditTerms> | null = {}, more: JobOptions = {}): Promise<JobId> {
  const quality = { ...more.quality, audit: audit === null ? null : { ...EVERY, ...audit } };
  return await driveTo(db.pool, "closed", { ...more, quality });
}

async function auditedJobs(): Promise<readonly JobId[]> {
  return (await db.pool.query<{ job_id: JobId }>("SELECT job_id FROM audit ORDER BY id")).rows.map((row) => row.job_id);
}

async function auditOf(jobId: JobId): Promise<AuditId> {
  const { rows } = await db.pool.query<{ id: AuditId }>("SELECT id FROM audit WHERE job_id = $1", [jobId]);
  if (rows[0] === undefined) throw new Error(`${jobId} is not audited`);
  return rows[0].id;
}

async function audited(audit: Partial<AuditTerms> = {}, more: JobOptions = {}): Promise<{ id: AuditId; jobId: JobId }> {
  const jobId = await charged(audit, more);
  await drawAll(service);
  return { id: await auditOf(jobId), jobId };
}

async function decide(id: AuditId, result: AuditResult, reason = "I looked."): Promise<DecidedAudit | null> {
  return await decideAudit(service, id, { result, reason, decidedBy: "key_1234" });
}

async function creditsOf(jobId: JobId): Promise<readonly unknown[]> {
  const text = "SELECT amount_nanos, ref FROM credit_note WHERE job_id = $1 ORDER BY credited_before_nanos";
  return (await db.pool.query<{ amount_nanos: bigint; ref: string }>(text, [jobId])).rows;
}

describe("drawing", () => {
  test("takes each charge once, however many draw at the same time", async () => {
    const jobs = [await charged(), await charged(), await charged()];
    const before = (await auditedJobs()).length;
    await Promise.all([draw(), draw(db.pool), draw()]);
    await drawAll(service);
    const audits = await auditedJobs();
    expect(audits).toHaveLength(before + 3);
    expect(audits).toEqual(expect.arrayContaining(jobs));
  });

  test("passes over failures, and outcomes of versions that are not audited", async () => {
    const before = await auditedJobs();
    await charged(null);
    const failed = await driveTo(db.pool, "queued", { quality: { audit: EVERY } });
    await take(db.pool, failed, claim(), answer(), judge("fail"), happens("cancel"), happens("settled"));
    await drawAll(service);
    expect(await auditedJobs()).toEqual(before);
  });

  test("of a share of outcomes is by their ids and the secret of the deployment", async () => {
    const jobs = await Promise.all(Array.from({ length: 20 }, () => charged({ rate: 0.5 })));
    await drawAll(service);
    const { rows } = await db.pool.query<{ salt: Buffer }>("SELECT salt FROM audit_drawing");
    const salt = rows[0]?.salt ?? Buffer.alloc(0);
    const audits = new Set(await auditedJobs());
    expect(jobs.filter((id) => audits.has(id))).toEqual(jobs.filter((id) => drawOf(salt, id) < 0.5));
  });

  test("goes on where it stopped, round by round", async () => {
    const jobs = [await charged(), await charged(), await charged()];
    expect(await drawAll(service, 2)).toBeGreaterThan(2);
    expect((await auditedJobs()).slice(-3)).toEqual(jobs);
  });

  test("misses no charge that was being written while it drew", async () => {
    const writer = await db.pool.connect();
    try {
      await writer.query("BEGIN; SELECT pg_current_xact_id()");
      const jobId = await charged();
      await draw();
      expect(await auditedJobs()).not.toContain(jobId);
      await writer.query("COMMIT");
      await drawAll(service);
      expect(await auditedJobs()).toContain(jobId);
    } finally {
      writer.release();
    }
  });
});

describe("a result", () => {
  test("is given once: the same again is the same, another one is refused, whoever comes second", async () => {
    const { id } = await audited();
    const both = await Promise.all([decide(id, "correct"), decide(id, "incorrect")]);
    expect(new Set(both.map((each) => each?.kind))).toEqual(new Set(["decided", "decided_otherwise"]));
    const won = both[0]?.kind === "decided" ? "correct" : "incorrect";
    expect(await decide(id, won)).toEqual({ kind: "repeated" });
    expect(await decide(id, won, "For another reason.")).toEqual({ kind: "decided_otherwise", result: won });
    expect(await decide("aud_none", won)).toBeNull();
  });

  test("is a label of its outcome; that nobody could tell is none", async () => {
    const { id: versionId } = await publishedTerms(db.pool, { attemptsMax: 4 }, { audit: EVERY });
    const options = { terms: { attemptsMax: 4 } };
    const results = ["correct", "incorrect", "undecided"] as const;
    for (const result of results) await decide((await audited({}, options)).id, result);
    const labels = await labelsOf(service, { versionId });
    expect(labels.map(({ source, correct, score }) => ({ source, correct, score }))).toEqual([
      { source: "audit", correct: false, score: 0.95 },
      { source: "audit", correct: true, score: 0.95 },
    ]);
    expect(await auditCountsOf(service, { versionId })).toEqual({ counts: { correct: 1, incorrect: 1 }, undecided: 1 });
  });

  test("cannot be changed by hand either, nor what was drawn, nor the secret", async () => {
    const [done, open] = [await audited(), await audited()];
    await decide(done.id, "incorrect");
    const statements = [
      `UPDATE audit SET result = 'correct' WHERE id = '${done.id}'`,
      `UPDATE audit SET draw = 0.5 WHERE id = '${open.id}'`,
      `UPDATE audit SET credit = 'due' WHERE id = '${done.id}'`,
      "DELETE FROM audit",
      "TRUNCATE audit",
      "UPDATE audit_drawing SET salt = sha256(salt)",
      "UPDATE audit_drawing SET until_xact = '0'",
      "DELETE FROM audit_drawing",
      "DELETE FROM quality_alert",
    ];
    const refused = await Promise.all(statements.map((statement) => outcomeOf(db.pool, statement)));
    expect(refused).toEqual([
      ...["audit_is_decided_once", "audit_is_decided_once", "audit_is_decided_once"],
      ...["23001", "23001", "23001", "23001", "23001", "23001"],
    ]);
  });
});

describe("labels", () => {
  test("are what customers said of outcomes before they were charged, and what came of disputes", async () => {
    const terms = { attemptsMax: 5, acceptance: { mode: "window", durationMs: 60_000, onSilence: "accept" } } as const;
    const { id: versionId } = await publishedTerms(db.pool, terms);
    const offered = (): Promise<JobId> => driveTo(db.pool, "awaiting_acceptance", { terms });
    await take(service, await offered(), happens("accepted"), happens("settled"));
    await take(service, await offered(), happens("rejected"));
    // A silence says nothing.
    await take(service, await offered(), happens("woke"), happens("settled"));
    const accepted = await offered();
    await take(service, accepted, happens("accepted"), happens("settled"));
    const end = { outcome: "credit", amount: nanos(1n), reason: "It is wrong." } as const;
    await resolveDispute(service, idOf(await dispute(service, accepted)), end);
    const labels = (await labelsOf(service, { versionId })).map(({ source, correct }) => `${source} ${correct}`);
    expect(labels.toSorted()).toEqual(["acceptance false", "acceptance true", "dispute false"]);
  });

  test("of partial outcomes say nothing about what a success is worth", async () => {
    const terms = { attemptsMax: 6, acceptance: { mode: "window", durationMs: 60_000, onSilence: "accept" } } as const;
    const { id: versionId } = await publishedTerms(db.pool, terms);
    const id = await driveTo(db.pool, "queued", { terms });
    for (
      let n = 0;
      (await partsOf(db.pool).loader.forSettlement(id))?.job.state !== "awaiting_acceptance" && n < 6;
      n += 1
    )
      await take(db.pool, id, claim(), answer(), judge("partial"));
    await take(service, id, happens("accepted"), happens("settled"));
    const { rows } = await db.pool.query("SELECT decision FROM outcome_label WHERE outcome_type_version_id = $1", [
      versionId,
    ]);
    expect(rows).toEqual([{ decision: "partial" }]);
    expect(await labelsOf(service, { versionId })).toEqual([]);
  });
});

describe("what should not have been billed is given back", () => {
  test("in full, once, by a note that is named by its audit", async () => {
    const { id, jobId } = await audited({ credit: true });
    await decide(id, "incorrect");
    await Promise.all([creditAudit(service, id, jobId), creditAudits(service, ROUND), creditAudit(service, id, jobId)]);
    expect(await creditAudits(service, ROUND)).toBe(0);
    expect(await creditsOf(jobId)).toEqual([{ amount_nanos: PRICE, ref: id }]);
    const { rows } = await db.pool.query(
      "SELECT credit, credit_note_id IS NOT NULL AS named FROM audit WHERE id = $1",
      [id],
    );
    expect(rows).toEqual([{ credit: "given", named: true }]);
  });

  test("as far as something is left of the charge", async () => {
    const [part, all] = [await audited({ credit: true }), await audited({ credit: true })];
    await credit(service, part.jobId, PRICE - 1n, "a");
    await credit(service, all.jobId, PRICE, "b");
    for (const { id } of [part, all]) await decide(id, "incorrect");
    expect(await creditAudits(service, ROUND)).toBe(2);
    expect(await creditsOf(part.jobId)).toEqual([
      { amount_nanos: PRICE - 1n, ref: "a" },
      { amount_nanos: 1n, ref: part.id },
    ]);
    expect(await creditsOf(all.jobId)).toEqual([{ amount_nanos: PRICE, ref: "b" }]);
  });

  test("not where the outcome type does not say so, and not what was right or could not be told", async () => {
    const unsaid = await audited();
    await decide(unsaid.id, "incorrect");
    const [right, untold] = [await audited({ credit: true }), await audited({ credit: true })];
    await decide(right.id, "correct");
    await decide(untold.id, "undecided");
    expect(await creditAudits(service, ROUND)).toBe(0);
    for (const { jobId } of [unsaid, right, untold]) expect(await creditsOf(jobId)).toEqual([]);
  });

  test("after its statement is closed, when that is being closed just now", async () => {
    const customerId = "cus_closing";
    const { id, jobId } = await audited({ credit: true }, { customerId });
    const nowMs = Date.now();
    await clockMoved(db.pool, customerId, { byMs: periodAt(nowMs).endMs - nowMs + 1_000 });
    const statement = statementIdAt(customerId, nowMs);
    expect(await beginClosing(service, statement)).toMatchObject({ kind: "begun" });
    await decide(id, "incorrect");
    expect(await creditAudits(service, ROUND)).toBe(0);
    await finishClosing(service, statement);
    expect(await creditAudits(service, ROUND)).toBe(1);
    expect(await creditsOf(jobId)).toEqual([{ amount_nanos: PRICE, ref: id }]);
  });
});

test("too many false bills are an alert: raised once, called certain once, cleared once, and raised again", async () => {
  const quality = { falseBillRateMax: 0.3 };
  const options = { terms: { attemptsMax: 7 }, quality };
  const changes: (string | null)[] = [];
  const found = async (result: AuditResult): Promise<void> => {
    const decided = await decide((await audited({}, options)).id, result);
    changes.push(decided?.kind === "decided" ? (decided.alert?.change ?? null) : "none");
  };
  const many = async (count: number, result: AuditResult): Promise<void> => {
    for (let n = 0; n < count; n += 1) await found(result);
  };
  await many(1, "correct");
  // 1 of 2, 2 of 3, and with 3 of 4 the least is still 19 %; 4 of 5: 28 %; 5 of 6: 36 %.
  await many(5, "incorrect");
  expect(changes).toEqual([null, "raised", null, null, null, "certain"]);
  changes.length = 0;
  // 5 of 16 is 31 %, 5 of 17 is 29 %.
  await many(11, "correct");
  expect(changes).toEqual([...Array.from({ length: 10 }, () => null), "cleared"]);
  changes.length = 0;
  await many(1, "incorrect");
  expect(changes).toEqual(["raised"]);
  const alerts = await listAlerts(service, {}, { before: null, limit: 10 });
  expect(alerts).toMatchObject([
    { rateMax: 0.3, counts: { correct: 12, incorrect: 6 }, certainAtMs: null, clearedAtMs: null },
    {
      rateMax: 0.3,
      counts: { correct: 1, incorrect: 1 },
    },
  ]);
  const [, first] = alerts;
  expect(first?.certainAtMs).toBeLessThan(first?.clearedAtMs ?? 0);
  expect(await listAlerts(service, { isStanding: true }, { before: null, limit: 10 })).toHaveLength(1);
  expect(await listAlerts(service, { outcomeType: "other" }, { before: null, limit: 10 })).toEqual([]);
});

test("after all of that every invariant of the books holds", async () => {
  expect(await violations(db.pool)).toEqual([]);
});
