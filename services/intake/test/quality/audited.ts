/** Outcome types whose billed outcomes are all audited, and what can be asked about their audits. */
import {
  type AuditBody,
  auditWithEvidenceSchema,
  type AuditWithEvidenceBody,
  type QualityBody,
  qualitySchema,
} from "@contingent/contracts/http/quality";
import type { JobId } from "@contingent/core/ids";
import type { AuditResult } from "@contingent/core/quality/false-bills";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { drawAll } from "@contingent/testkit/audits";
import { answer, happens, judge, take } from "@contingent/testkit/jobs";
import { expect } from "vitest";
import { type Api, claim, DEFINITION, JOB } from "../harness.ts";

export const AUDITED = { ...DEFINITION, success_at: 0.5, audit: { rate: 1, credit: true } } as const;

/** A job that is delivered with this score, and charged. */
export async function charged(api: Api, outcomeType: string, score = 0.95): Promise<JobId> {
  const { id } = await api.customer.submit({ ...JOB, outcome_type: outcomeType });
  await take(api.pool, id, claim(), answer(), judge("pass", score), happens("settled"));
  return id;
}

export async function openAudits(api: Api, outcomeType: string): Promise<readonly AuditBody[]> {
  const { body } = await api.operator.send({ path: `/v1/audits?outcome_type=${outcomeType}&limit=100` });
  return (body as { readonly data: readonly AuditBody[] }).data;
}

export function decision(api: Api, id: string, body: unknown): Promise<ApiAnswer> {
  return api.operator.send({ method: "POST", path: `/v1/audits/${id}/result`, body });
}

export async function decided(api: Api, id: string, result: AuditResult): Promise<AuditWithEvidenceBody> {
  const { status, body } = await decision(api, id, { result, reason: "I looked." });
  expect(status).toBe(200);
  return auditWithEvidenceSchema.parse(body);
}

/** An outcome for each of these, charged, audited and found so. */
export async function found(
  api: Api,
  outcomeType: string,
  outcomes: readonly { readonly score: number; readonly result: AuditResult }[],
): Promise<void> {
  const results = new Map<string, AuditResult>();
  for (const { score, result } of outcomes) results.set(await charged(api, outcomeType, score), result);
  await drawAll(api.pool);
  for (const { id, job } of await openAudits(api, outcomeType)) {
    const result = results.get(job);
    if (result !== undefined) await decided(api, id, result);
  }
}

export function times<T>(count: number, value: T): readonly T[] {
  return Array.from({ length: count }, () => value);
}

export async function quality(api: Api, outcomeType: string, query = ""): Promise<QualityBody> {
  const { status, body } = await api.operator.send({ path: `/v1/outcome-types/${outcomeType}/quality${query}` });
  expect(status).toBe(200);
  return qualitySchema.parse(body);
}
