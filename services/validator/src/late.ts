/** What comes when the job does not wait for it any more is dropped. What it cost is the truth, and is booked. */
import type { InquiryId } from "@contingent/core/ids";
import { verdictCostMax } from "@contingent/core/job/job";
import type { Nanos } from "@contingent/core/money";
import type { StoredVerdict } from "@contingent/db/stored-verdict";
import { insist } from "@contingent/db/insist";
import { bookLateReply, bookLateVerdict } from "@contingent/ledger/late-cost";
import type { ValidatorContext } from "./context.ts";
import type { Judging } from "./judging.ts";

/** A cost is the truth whenever it comes: the database gets this long to be back for it. */
const PATIENCE_MS = 60_000;

export async function bookLate(
  { pool, log }: ValidatorContext,
  { job, version }: Judging,
  inquiryId: InquiryId,
  cost: Nanos,
): Promise<void> {
  const late = { jobId: job.id, inquiryId, cost, currency: version.currency };
  const booked = await insist(() => bookLateReply(pool, late), performance.now() + PATIENCE_MS);
  log.info({ job: job.id, inquiry: inquiryId, booked }, "late reply: dropped, cost booked");
}

export async function bookLateVerdictOf(
  { pool, payloads, log }: ValidatorContext,
  { job, version }: Judging,
  verdict: StoredVerdict,
): Promise<void> {
  const late = { job, verdict, cost: verdictCostMax(job), currency: version.currency };
  const booked = await insist(() => bookLateVerdict(pool, late, payloads), performance.now() + PATIENCE_MS);
  if (booked) log.info({ job: job.id, verdict: verdict.id }, "late verdict: dropped, cost booked");
}
