/**
 * What a verdict was reached from, as it is stored now: for verdicts that are reached again. One read by primary keys (and
 * the index of a job's verdicts), no lock.
 */
import type { AttemptId, JobId, VerdictId } from "@contingent/core/ids";
import type { Json } from "@contingent/core/json";
import { type Nanos, nanos } from "@contingent/core/money";
import type { Decision, LeafVerdict } from "@contingent/core/verdict";
import { openedReplies, type RecordedReply, repliesAbout } from "./inquiries.ts";
import { foundText, type Payloads } from "./payloads/payloads.ts";
import type { Queryable } from "./pool.ts";

export interface StoredEvidence {
  readonly verdict: {
    readonly id: VerdictId;
    readonly decision: Decision;
    readonly score: number;
    /** The number that the price depends on, where it does on any. */
    readonly value: Nanos | null;
    readonly validators: readonly string[];
    readonly evidenceHash: string;
    /** Null: the verdict is older than this record. */
    readonly leaves: readonly LeafVerdict[] | null;
  };
  /** Index of the step of the cascade that the judged answer was made on. */
  readonly step: number;
  /** Null: it was dropped, as the texts of closed jobs are once they have been kept for long enough. */
  readonly evidence: JudgedTexts | null;
}

export interface JudgedTexts {
  readonly input: Json;
  /** The judged text. */
  readonly text: string;
  /** What was said to the inquiries about it. */
  readonly replies: readonly RecordedReply[];
}

interface EvidenceRow {
  readonly id: VerdictId;
  readonly attempt_id: AttemptId;
  readonly decision: Decision;
  readonly score: number;
  readonly validators: readonly string[];
  readonly evidence_hash: string;
  readonly value_nanos: bigint | null;
  readonly step: number | null;
  readonly leaves: readonly LeafVerdict[] | null;
  readonly input: Json;
  readonly text: string | null;
  readonly replies: readonly RecordedReply[] | null;
}

// The verdict that was charged for; before a charge the one in hand, else the latest.
const EVIDENCE = `
  SELECT v.id, v.attempt_id, v.decision, v.score, v.validators, v.evidence_hash, v.value_nanos, v.step, v.leaves, i.input, a.output AS text,
         ${repliesAbout("a.id")} AS replies
    FROM job j
    JOIN job_input i ON i.job_id = j.id
    LEFT JOIN charge c ON c.job_id = j.id
    JOIN LATERAL (
      SELECT * FROM verdict
       WHERE job_id = j.id
       ORDER BY coalesce(id = coalesce(c.verdict_id, j.progress -> 'best' ->> 'verdictId'), false) DESC, at DESC
       LIMIT 1) v ON true
    JOIN attempt a ON a.id = v.attempt_id
   WHERE j.id = $1`;

/** The evidence of a job's verdict; null when no answer of the job has been judged. */
export async function storedEvidence(db: Queryable, jobId: JobId, payloads: Payloads): Promise<StoredEvidence | null> {
  const row = await readEvidence(db, jobId);
  if (row === null) return null;
  return { verdict: verdictOf(row), step: row.step ?? 0, evidence: await judgedTexts(payloads, jobId, row) };
}

/** The verdict that a job was charged by, else the one in hand or the latest; null when none of its answers was judged. */
export async function judgedVerdict(db: Queryable, jobId: JobId): Promise<StoredEvidence["verdict"] | null> {
  const row = await readEvidence(db, jobId);
  return row === null ? null : verdictOf(row);
}

async function readEvidence(db: Queryable, jobId: JobId): Promise<EvidenceRow | null> {
  const { rows } = await db.query<EvidenceRow>({ name: "stored-evidence", text: EVIDENCE, values: [jobId] });
  return rows[0] ?? null;
}

function verdictOf(row: EvidenceRow): StoredEvidence["verdict"] {
  const { id, decision, score, validators, leaves, evidence_hash: evidenceHash } = row;
  const value = row.value_nanos === null ? null : nanos(row.value_nanos);
  return { id, decision, score, value, validators, evidenceHash, leaves };
}

async function judgedTexts(payloads: Payloads, jobId: JobId, row: EvidenceRow): Promise<JudgedTexts | null> {
  const input = await payloads.look(`input ${jobId}`, row.input);
  // What is no longer there is not what was judged: the hash will tell.
  const text = await foundText(payloads, `output ${row.attempt_id}`, row.text ?? "");
  if (input.kind === "dropped" || text.kind === "dropped") return null;
  return { input: input.value, text: text.value, replies: await openedReplies(payloads, row.replies) };
}
