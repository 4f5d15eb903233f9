/** Inquiries in the database: how a transition begins and ends one, and what was replied, for the verdict that it is for. */
import type { InquiryId } from "@contingent/core/ids";
import type { Effect, InquiryOutcome } from "@contingent/core/job/facts";
import type { InquiryKind } from "@contingent/core/job/job";
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import { opened, type Payloads, type Sealer } from "./payloads/payloads.ts";

/** What came of asking, to be kept with the inquiry that ends. */
export interface InquiryReply {
  /** Null: nobody answered. */
  readonly result: { readonly score: number; readonly findings: readonly Finding[] } | null;
  /** For people: votes, reasons, the response's id, an error. Never a key, never the prompt. */
  readonly detail: Json;
  /** Which person decided; null: it was none. */
  readonly repliedBy: string | null;
}

/** A reply as it was recorded: the verdict is reached with it, now and whenever it is reached again. */
export interface RecordedReply {
  readonly inquiryId: InquiryId;
  readonly kind: InquiryKind;
  readonly leaf: string;
  readonly validator: string;
  readonly outcome: Extract<InquiryOutcome, "replied" | "silence">;
  readonly score: number;
  readonly findings: readonly Finding[];
  readonly detail: Json;
  readonly repliedBy: string | null;
  /** From the question to the reply. */
  readonly durationMs: number;
}

/** Recorded replies about the attempt of this id, as `RecordedReply`s; null when there are none. A scalar of SQL. */
export function repliesAbout(attemptId: string): string {
  return `(
    SELECT jsonb_agg(jsonb_build_object(
             'inquiryId', q.id, 'kind', q.kind, 'leaf', q.leaf, 'validator', q.validator, 'outcome', q.outcome,
             'score', q.score, 'findings', q.findings, 'detail', q.detail, 'repliedBy', q.replied_by,
             'durationMs', (extract(epoch FROM q.ended_at - q.opened_at) * 1000)::float8) ORDER BY q.ended_at, q.id)
      FROM inquiry q WHERE q.attempt_id = ${attemptId} AND q.outcome IN ('replied', 'silence'))`;
}

/** The replies that a statement has read, as they were said. @throws PayloadDropped */
export async function openedReplies(
  payloads: Payloads,
  stored: readonly RecordedReply[] | null,
): Promise<readonly RecordedReply[]> {
  return await Promise.all(
    (stored ?? []).map(async (reply) => ({
      ...reply,
      findings: await opened(payloads, `findings ${reply.inquiryId}`, reply.findings),
      detail: await opened(payloads, `detail ${reply.inquiryId}`, reply.detail),
    })),
  );
}

/** Part of the statement that commits transitions: opens inquiries. */
export const INQUIRED_OF_MOVED = `
  INSERT INTO inquiry (id, job_id, attempt_id, kind, leaf, validator, asked, provider, name, reserve_nanos, cost_state, due_at, holder)
  SELECT q.id, m.id, q.attempt_id, q.kind, q.leaf, q.validator, q.asked, q.provider, q.name, q.reserve, 'held',
         to_timestamp(q.due_ms / 1000), q.holder
    FROM moved m, jsonb_to_record(m.inquired) AS q (
      id text, attempt_id text, kind text, leaf text, validator text, asked text, provider text, name text, reserve bigint,
      due_ms float8, holder text)
   WHERE m.inquired IS NOT NULL`;

/** Part of the statement that commits transitions: ends inquiries. */
export const HEARD_OF_MOVED = `
  UPDATE inquiry q
     SET cost_state = h.cost_state, cost_nanos = h.cost, outcome = h.outcome, score = h.score, findings = h.findings,
         detail = h.detail, replied_by = h.replied_by, ended_at = clock_timestamp()
    FROM moved m, jsonb_to_record(m.heard) AS h (
      id text, cost_state text, cost bigint, outcome text, score float8, findings jsonb, detail jsonb, replied_by text)
   WHERE m.heard IS NOT NULL AND q.id = h.id AND q.job_id = m.id
     AND q.id = ANY (ARRAY(SELECT heard ->> 'id' FROM moved WHERE heard IS NOT NULL))
  RETURNING q.id`;

/**
 * The inquiry that begins with these effects, as the statement reads it.
 * @param holder the process that waits for the reply
 */
export function inquiredRow(effects: readonly Effect[], holder: string | undefined): JsonObject | null {
  const effect = effects.find((e) => e.type === "open_inquiry");
  if (effect === undefined) return null;
  const { inquiryId: id, attemptId, kind, leaf, validator, asked, payee, reserve, dueAtMs } = effect;
  return {
    id,
    attempt_id: attemptId,
    kind,
    leaf,
    validator,
    asked,
    provider: payee?.provider ?? null,
    name: payee?.name ?? null,
    reserve: reserve.toString(),
    due_ms: dueAtMs,
    holder: holder ?? null,
  };
}

/** The end of the inquiry that ends with these effects, with what came of it. */
export function heardRow(
  effects: readonly Effect[],
  reply: InquiryReply | undefined,
  sealer: Sealer,
): JsonObject | null {
  const effect = effects.find((e) => e.type === "end_inquiry");
  if (effect === undefined) return null;
  const { inquiryId: id, costState, cost, outcome } = effect;
  const isAnswer = outcome === "replied" || outcome === "silence";
  const result = isAnswer ? reply?.result : null;
  return {
    id,
    cost_state: costState,
    cost: cost.toString(),
    outcome,
    score: result?.score ?? null,
    findings: storedFindings(id, result?.findings, sealer),
    detail: storedDetail(id, reply?.detail ?? null, sealer),
    replied_by: reply?.repliedBy ?? null,
  };
}

function storedFindings(id: InquiryId, findings: readonly Finding[] | undefined, sealer: Sealer): Json {
  if (findings === undefined) return null;
  return sealer.json(
    `findings ${id}`,
    findings.map((f) => ({ ...f })),
  );
}

/** What became of a known-bad answer stays readable, for the database counts it. It is a kind and two numbers. */
function storedDetail(id: InquiryId, detail: Json, sealer: Sealer): Json {
  if (detail === null) return null;
  const sealed = sealer.json(`detail ${id}`, detail);
  if (sealed === detail || !isJsonObject(sealed) || !isJsonObject(detail) || detail["canary"] === undefined)
    return sealed;
  return { ...sealed, canary: detail["canary"] };
}
