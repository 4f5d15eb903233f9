import { rates } from "@contingent/catalog/models";
import type { KeyId } from "@contingent/core/ids";
import { openAccept } from "@contingent/db/accept";
import { openFindAccepted } from "@contingent/db/accept-find";
import { openCommit } from "@contingent/db/commit";
import { customerTermsById } from "@contingent/db/customer-terms";
import { jobViews } from "@contingent/db/job-views";
import { keyFinder, keyUseNoter } from "@contingent/db/keys";
import { jobLoader } from "@contingent/db/load";
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { priceBook } from "@contingent/db/price-book";
import type { Queues } from "@contingent/queue/queues";
import { intakeApp } from "./app.ts";
import type { IntakeContext } from "./context.ts";
import { authenticator } from "./http/authenticate.ts";
import { KnownKeys } from "./http/known-keys.ts";
import { announcer } from "./jobs/announce.ts";
import { InFlightRequests } from "./jobs/in-flight.ts";
import { JobWatcher } from "./jobs/watcher.ts";
import type { Limits } from "./limits/settings.ts";
import { latestVersions } from "./outcome-types/latest.ts";

/** What a process gives to its API; the rest is made of it. */
export type IntakeParts = Pick<
  IntakeContext,
  | "pool"
  | "log"
  | "health"
  | "stopping"
  | "publicUrl"
  | "operatorName"
  | "receiptKeys"
  | "run"
  | "outgoing"
  | "movesClocks"
> & {
  readonly queues: Pick<Queues, "publish">;
  readonly limits: Limits;
};

/** The API on its parts. What it owns ends with the stack. */
export function assembleIntake(stack: AsyncDisposableStack, parts: IntakeParts): ReturnType<typeof intakeApp> {
  const { queues, limits, ...shared } = parts;
  const { pool, log } = shared;
  const versions = outcomeTypeVersions(pool);
  const keys = stack.use(new KnownKeys(keyFinder(pool)));
  const noter = keyUseNoter(pool);
  const noteUse = (id: KeyId): void =>
    void noter(id).catch((error: unknown) => log.warn({ err: error, key: id }, "could not note the use of a key"));
  return intakeApp({
    ...shared,
    keys,
    authenticate: authenticator(keys, noteUse),
    versions,
    latest: latestVersions(pool, versions),
    priceBook: priceBook(pool, rates(), { log }),
    accept: openAccept(pool, { openJobsMax: limits.openJobsMax, loadOf: () => null }),
    findAccepted: openFindAccepted(pool),
    views: jobViews(pool),
    // A caller waits: a database that is away is told at once.
    loader: jobLoader(pool, versions, { patienceMs: 0 }),
    commit: openCommit(pool),
    terms: customerTermsById(pool),
    watcher: new JobWatcher(pool),
    inFlight: stack.use(new InFlightRequests(pool, log)),
    announce: stack.use(announcer(queues, log)).announce,
  });
}
