import type { Commit } from "@contingent/db/commit";
import type { JobLoader } from "@contingent/db/load";
import type { Payloads } from "@contingent/db/payloads/payloads";
import type { Pool } from "@contingent/db/pool";
import type { Queues } from "@contingent/queue/queues";
import type { Log } from "@contingent/runtime/log";
import type { RunCheck } from "@contingent/validators/validator";
import type { Asking } from "./asking.ts";
import type { ModelAccess } from "./means.ts";

/** What the validator service works with. */
export interface ValidatorContext {
  /** This process, as the holder of what it asks. */
  readonly holder: string;
  readonly pool: Pool;
  readonly loader: JobLoader;
  readonly commit: Commit;
  /** How texts are stored, and read again. */
  readonly payloads: Payloads;
  readonly queues: Queues;
  /** Runs the checks that belong into the sandbox. */
  readonly run: RunCheck;
  /** The models that inquiries ask. */
  readonly models: ModelAccess;
  /** Who is being asked right now. */
  readonly asking: Asking;
  readonly log: Log;
}
