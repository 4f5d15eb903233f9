/** What broke while an answer was judged, kept for people who look at what became of the job. */
import { recordFault } from "@contingent/db/dead-letters";
import type { ValidatorContext } from "./context.ts";
import type { Judging } from "./judging.ts";

/** Writes it down beside what follows from it, which does not depend on that: while the database is away only the log has it. */
export async function noteFault(
  { pool, log }: Pick<ValidatorContext, "pool" | "log">,
  { job, answer }: Judging,
  cause: "validator_error" | "validator_lost",
  error: string,
): Promise<void> {
  const fault = { jobId: job.id, revision: job.revision, attemptId: answer.attemptId, cause, error };
  await recordFault(pool, fault).catch((failure: unknown) => log.warn({ job: job.id, err: failure }, "fault not kept"));
}
