/** Inquiries that a service answers by itself, as its reply finds them. */
import type { InquiryId, JobId, OutcomeTypeVersionId } from "@contingent/core/ids";
import type { InquiryOutcome } from "@contingent/core/job/facts";
import type { Finding } from "@contingent/core/verdict";
import { openedOr, type Payloads } from "./payloads/payloads.ts";
import type { Queryable } from "./pool.ts";

export interface ServiceInquiry {
  readonly id: InquiryId;
  readonly jobId: JobId;
  readonly versionId: OutcomeTypeVersionId;
  /** Where in the version's tree it asks. */
  readonly leaf: string;
  /** Null: it is open. */
  readonly outcome: InquiryOutcome | null;
  readonly score: number | null;
  readonly findings: readonly Finding[] | null;
}

const ONE = `
  SELECT q.id, q.job_id AS "jobId", j.outcome_type_version_id AS "versionId", q.leaf, q.outcome, q.score, q.findings
    FROM inquiry q JOIN job j ON j.id = q.job_id
   WHERE q.id = $1 AND q.asked = 'service' AND q.kind = 'leaf'`;

/** The inquiry of this id, open or over; null: there is none, or not to a service. */
export async function findServiceInquiry(
  db: Queryable,
  id: InquiryId,
  payloads: Payloads,
): Promise<ServiceInquiry | null> {
  const { rows } = await db.query<ServiceInquiry>({ text: ONE, values: [id] });
  const [row] = rows;
  if (row === undefined || row.findings === null) return row ?? null;
  return { ...row, findings: await openedOr(payloads, `findings ${id}`, row.findings, []) };
}
