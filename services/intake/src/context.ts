import type { CustomerId } from "@contingent/core/ids";
import type { Job } from "@contingent/core/job/job";
import type { Accept } from "@contingent/db/accept";
import type { FindAccepted } from "@contingent/db/accept-find";
import type { Commit } from "@contingent/db/commit";
import type { FindJobView } from "@contingent/db/job-views";
import type { JobLoader } from "@contingent/db/load";
import type { OutcomeTypeVersions } from "@contingent/db/outcome-types";
import type { Payloads } from "@contingent/db/payloads/payloads";
import type { Pool } from "@contingent/db/pool";
import type { PriceBook } from "@contingent/db/price-book";
import type { TermsById } from "@contingent/ledger/statement/lines";
import type { Health } from "@contingent/runtime/health";
import type { Log } from "@contingent/runtime/log";
import type { Outgoing } from "@contingent/runtime/outgoing/settings";
import type { RunCheck } from "@contingent/validators/validator";
import type { Authenticate } from "./http/authenticate.ts";
import type { KnownKeys } from "./http/known-keys.ts";
import type { InFlightRequests } from "./jobs/in-flight.ts";
import type { JobWatcher } from "./jobs/watcher.ts";
import type { RequestLimits } from "./limits/request-limits.ts";
import type { TrustProxy } from "./limits/settings.ts";
import type { LatestVersions } from "./outcome-types/latest.ts";
import type { ReceiptKeys } from "./receipts/keys.ts";

/** What intake works with, by whom it serves. */
export interface IntakeContexts {
  readonly authenticate: Authenticate;
  readonly trustProxy: TrustProxy;
  /** For operators, and for endpoints that ask for no key. */
  readonly everybody: IntakeContext;
  /** For one customer's requests: whatever they ask of the database, it knows what is this customer's and nothing else. */
  readonly of: (customer: CustomerId) => IntakeContext;
}

/** What a request is answered with. */
export interface IntakeContext {
  readonly pool: Pool;
  readonly requestLimits: RequestLimits;
  readonly keys: KnownKeys;
  readonly latest: LatestVersions;
  readonly versions: OutcomeTypeVersions;
  readonly priceBook: PriceBook;
  readonly accept: Accept;
  readonly findAccepted: FindAccepted;
  readonly views: FindJobView;
  readonly loader: JobLoader;
  readonly commit: Commit;
  /** How texts are stored, and read again. */
  readonly payloads: Payloads;
  readonly terms: TermsById;
  readonly watcher: JobWatcher;
  readonly inFlight: InFlightRequests;
  readonly receiptKeys: ReceiptKeys;
  /** Runs the checks that belong into the sandbox. */
  readonly run: RunCheck;
  /** How services of the operator's are asked, and how their replies are known. */
  readonly outgoing: Outgoing;
  /** Whether operators may move the clocks of customers: never where those are real. */
  readonly movesClocks: boolean;
  /** Puts the message that the job's state calls for on its queue; never fails, for the sweeper makes up for it. */
  readonly announce: (job: Announced) => void;
  readonly health: Health;
  readonly log: Log;
  /** Aborted when the process drains: nobody waits for anything then. */
  readonly stopping: AbortSignal;
  /** The API's address as callers know it, when it is not the one that they used. */
  readonly publicUrl: string | undefined;
  /** Who sells the outcomes, as it stands on statements. */
  readonly operatorName: string;
}

export interface Announced {
  readonly job: Job;
  readonly traceparent: string | null;
  /** The clock by which the job's times are told, ms since the epoch. */
  readonly nowMs: number;
}
