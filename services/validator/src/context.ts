import type { Commit } from "@contingent/db/commit";
import type { JobLoader } from "@contingent/db/load";
import type { Queues } from "@contingent/queue/queues";
import type { Log } from "@contingent/runtime/log";

/** What the validator service works with. */
export interface ValidatorContext {
  readonly loader: JobLoader;
  readonly commit: Commit;
  readonly queues: Queues;
  readonly log: Log;
}
