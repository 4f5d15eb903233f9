import type { JobView } from "@contingent/db/job-views";
import type { IntakeContext } from "../context.ts";
import { isClosed, isDelivered, type Watched } from "./watcher.ts";

export interface WaitOptions {
  /** 0: do not wait. */
  readonly waitS: number;
  readonly signal: AbortSignal;
  readonly attempts?: boolean;
}

/** The job's view once it is closed, or as it is when the time is over. The job must exist. */
export async function viewWhenClosed(context: IntakeContext, job: Watched, options: WaitOptions): Promise<JobView> {
  return await viewWhen(isClosed, context, job, options);
}

/** The same once there is an outcome to look at, too: until it is accepted nothing goes on by itself. */
export async function viewWhenDelivered(context: IntakeContext, job: Watched, options: WaitOptions): Promise<JobView> {
  return await viewWhen(isDelivered, context, job, options);
}

async function viewWhen(
  isReached: typeof isClosed,
  context: IntakeContext,
  job: Watched,
  { waitS, signal, attempts = false }: WaitOptions,
): Promise<JobView> {
  if (waitS > 0) await context.watcher.until(job, isReached, { timeoutMs: waitS * 1_000, signal });
  const view = await context.views(job.id, { attempts });
  if (view === null) throw new Error(`the job ${job.id} has vanished`);
  return view;
}
