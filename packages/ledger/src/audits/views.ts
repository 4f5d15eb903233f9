/** Audits, for whoever decides them. Reads by keys and by the indexes of open and of done ones, takes no lock. */
import type { AttemptId, AuditId, CreditNoteId, CustomerId, JobId, KeyId, VerdictId } from "@contingent/core/ids";
import type { Json } from "@contingent/core/json";
import type { AuditResult } from "@contingent/core/quality/false-bills";
import type { Decision, Finding } from "@contingent/core/verdict";
import { msOf } from "@contingent/db/job-row";
import { foundText, openedOr, type Payloads } from "@contingent/db/payloads/payloads";
import type { Queryable } from "@contingent/db/pool";
import { only } from "../quality/audited.ts";

export const CREDIT_STATES = ["due", "given", "nothing_left"] as const;

export interface AuditView {
  readonly id: AuditId;
  readonly jobId: JobId;
  readonly customerId: CustomerId;
  readonly outcomeType: string;
  readonly version: number;
  readonly method: "human";
  readonly sampledAtMs: number;
  readonly dueAtMs: number;
  readonly result: AuditResult | null;
  readonly reason: string | null;
  readonly decidedBy: KeyId | null;
  readonly decidedAtMs: number | null;
  /** Null: there is nothing to give back. */
  readonly credit: { readonly state: (typeof CREDIT_STATES)[number]; readonly noteId: CreditNoteId | null } | null;
}

interface AuditRow {
  readonly id: AuditId;
  readonly job_id: JobId;
  readonly customer_id: CustomerId;
  readonly outcome_type: string;
  readonly version: number;
  readonly method: "human";
  readonly sampled_ms: number;
  readonly due_ms: number;
  readonly result: AuditResult | null;
  readonly reason: string | null;
  readonly decided_by: KeyId | null;
  readonly decided_ms: number | null;
  readonly credit: (typeof CREDIT_STATES)[number] | null;
  readonly credit_note_id: CreditNoteId | null;
}

const COLUMNS = `
  a.id, a.job_id, c.customer_id, a.outcome_type, v.version, a.method, a.result, a.reason, a.decided_by, a.credit,
  a.credit_note_id, ${msOf("a.sampled_at")} AS sampled_ms, ${msOf("a.due_at")} AS due_ms, ${msOf("a.decided_at")} AS decided_ms`;

const AUDITS = `
    FROM audit a
    JOIN charge c ON c.job_id = a.job_id
    JOIN outcome_type_version v ON v.id = a.outcome_type_version_id`;

export interface AuditFilter {
  readonly state: "open" | "done";
  readonly outcomeType?: string | undefined;
}

/** Open audits from the oldest to the newest, which is the order to do them in, and done ones from the newest to the oldest; those after the given one. */
export async function listAudits(
  db: Queryable,
  { state, outcomeType }: AuditFilter,
  page: { readonly after: AuditId | null; readonly limit: number },
): Promise<readonly AuditView[]> {
  const [condition, after, order] =
    state === "open" ? ["a.result IS NULL", ">", "ASC"] : ["a.result IS NOT NULL", "<", "DESC"];
  const ofType = outcomeType === undefined ? "" : `AND ${only("a.outcome_type", "$3")}`;
  const byType = outcomeType === undefined ? "" : `a.outcome_type ${order},`;
  const { rows } = await db.query<AuditRow>({
    text: `SELECT ${COLUMNS} ${AUDITS}
            WHERE ${condition} ${ofType} AND ($1::text IS NULL OR a.id ${after} $1) ORDER BY ${byType} a.id ${order} LIMIT $2`,
    values: [page.after, page.limit, ...(outcomeType === undefined ? [] : [outcomeType])],
  });
  return rows.map(auditOf);
}

/** What the verdict was reached from, and what it said. */
export interface AuditEvidence {
  readonly input: Json;
  /** The judged text. */
  readonly output: string;
  readonly verdict: {
    readonly id: VerdictId;
    readonly decision: Decision;
    readonly score: number;
    readonly findings: readonly Finding[];
    readonly validators: readonly string[];
  };
}

interface EvidenceRow {
  readonly verdict_id: VerdictId;
  readonly attempt_id: AttemptId;
  readonly decision: Decision;
  readonly score: number;
  readonly findings: readonly Finding[];
  readonly validators: readonly string[];
  readonly input: Json;
  readonly output: string | null;
}

const WITH_EVIDENCE = `
  SELECT ${COLUMNS}, d.id AS verdict_id, d.attempt_id, d.decision, d.score, d.findings, d.validators, i.input, t.output ${AUDITS}
    JOIN verdict d ON d.id = a.verdict_id
    JOIN attempt t ON t.id = d.attempt_id
    JOIN job_input i ON i.job_id = a.job_id
   WHERE a.id = $1`;

/** The audit with everything to decide it by; null when there is none by this id. */
export async function findAudit(
  db: Queryable,
  id: AuditId,
  payloads: Payloads,
): Promise<(AuditView & { readonly evidence: AuditEvidence | null }) | null> {
  const { rows } = await db.query<AuditRow & EvidenceRow>({ name: "find-audit", text: WITH_EVIDENCE, values: [id] });
  const [row] = rows;
  if (row === undefined) return null;
  return { ...auditOf(row), evidence: await evidenceOf(payloads, row) };
}

/** Null: it was dropped. */
async function evidenceOf(payloads: Payloads, row: AuditRow & EvidenceRow): Promise<AuditEvidence | null> {
  const { verdict_id: id, decision, score, validators } = row;
  const input = await payloads.look(`input ${row.job_id}`, row.input);
  const output = await foundText(payloads, `output ${row.attempt_id}`, row.output ?? "");
  if (input.kind === "dropped" || output.kind === "dropped") return null;
  const findings = await openedOr(payloads, `findings ${id}`, row.findings, []);
  const verdict = { id, decision, score, findings, validators };
  return { input: input.value, output: output.value, verdict };
}

function auditOf(row: AuditRow): AuditView {
  return {
    id: row.id,
    jobId: row.job_id,
    customerId: row.customer_id,
    outcomeType: row.outcome_type,
    version: row.version,
    method: row.method,
    sampledAtMs: row.sampled_ms,
    dueAtMs: row.due_ms,
    result: row.result,
    reason: row.reason,
    decidedBy: row.decided_by,
    decidedAtMs: row.decided_ms,
    credit: row.credit === null ? null : { state: row.credit, noteId: row.credit_note_id },
  };
}
