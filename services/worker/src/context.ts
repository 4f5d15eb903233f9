import type { Commit } from "@contingent/db/commit";
import type { JobLoader } from "@contingent/db/load";
import type { ModelGate } from "@contingent/db/model-gate";
import type { Pool } from "@contingent/db/pool";
import type { PriceBook } from "@contingent/db/price-book";
import type { Provider } from "@contingent/providers/provider";
import type { Queues } from "@contingent/queue/queues";
import type { Log } from "@contingent/runtime/log";

/** What a worker works with. */
export interface WorkerContext {
  readonly tier: string;
  /** This process, as the holder of what it attempts. */
  readonly holder: string;
  readonly pool: Pool;
  readonly loader: JobLoader;
  readonly commit: Commit;
  readonly queues: Queues;
  /** By the name that the rates give. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly priceBook: PriceBook;
  readonly gate: ModelGate;
  readonly log: Log;
}
