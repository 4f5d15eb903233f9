import type { JobId } from "@contingent/core/ids";
import type { JobView } from "@contingent/db/job-views";
import type { IntakeContext } from "../context.ts";
import { isClosed } from "./watcher.ts";

export interface WaitOptions {
  /** 0: do not wait. */
  readonly waitS: number;
  readonly signal: AbortSignal;
  readonly attempts?: boolean;
}

/** The job's view once it is closed, or as it is when the time is over. The job must exist. */
export async function viewWhenClosed(context: IntakeContext, id: JobId, options: WaitOptions): Promise<JobView> {
  const { waitS, signal, attempts = false } = options;
  if (waitS > 0) await context.watcher.until(id, isClosed, { timeoutMs: waitS * 1_000, signal });
  const view = await context.views(id, { attempts });
  if (view === null) throw new Error(`the job ${id} has vanished`);
  return view;
}
