import type { JobId } from "@contingent/core/ids";
import type { DeadLetterCause } from "@contingent/core/job/dead-letter";
import type { Commit } from "@contingent/db/commit";
import type { JobLoader } from "@contingent/db/load";
import type { OutcomeTypeVersions } from "@contingent/db/outcome-types";
import type { MasterKey } from "@contingent/db/payloads/keyring";
import type { Payloads } from "@contingent/db/payloads/payloads";
import type { Pool } from "@contingent/db/pool";
import type { Queues } from "@contingent/queue/queues";
import type { Log } from "@contingent/runtime/log";

/** What the ledger service works with. */
export interface LedgerContext {
  readonly pool: Pool;
  readonly versions: OutcomeTypeVersions;
  readonly loader: JobLoader;
  readonly commit: Commit;
  readonly queues: Queues;
  /** Why a closed job left a dead letter; null: it left none. */
  readonly deathCause: (jobId: JobId) => Promise<DeadLetterCause | null>;
  /** How texts are read before they are dropped. */
  readonly payloads: Payloads;
  /** What the keys of texts are sealed with; none: texts are stored as they are. */
  readonly payloadKeys: readonly MasterKey[];
  readonly log: Log;
  /** How long after its end a period is left open. */
  readonly closeGraceMs: number;
  /** For how long the answer to a request with an Idempotency-Key is kept. */
  readonly idempotencyDays: number;
}
