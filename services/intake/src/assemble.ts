import { rates } from "@contingent/catalog/models";
import type { CustomerId, KeyId } from "@contingent/core/ids";
import { type AcceptOptions, openAccept } from "@contingent/db/accept";
import { openFindAccepted } from "@contingent/db/accept-find";
import { CUSTOMERS_MOVE, openCommit } from "@contingent/db/commit";
import { customerTermsById } from "@contingent/db/customer-terms";
import { jobViews, jobViewsOfCustomers } from "@contingent/db/job-views";
import { keyFinder, keyUseNoter } from "@contingent/db/keys";
import { jobLoader } from "@contingent/db/load";
import { type OutcomeTypeVersions, outcomeTypeVersions, pinnedBy } from "@contingent/db/outcome-types";
import type { MasterKey } from "@contingent/db/payloads/keyring";
import { openPayloads, type Payloads } from "@contingent/db/payloads/payloads";
import type { OpenPool, Pool } from "@contingent/db/pool";
import { priceBook } from "@contingent/db/price-book";
import { reusing } from "@contingent/db/remember";
import { type Tenants, tenantsOf } from "@contingent/db/tenants";
import type { Queues } from "@contingent/queue/queues";
import { intakeApp } from "./app.ts";
import type { IntakeContext } from "./context.ts";
import { authenticator } from "./http/authenticate.ts";
import { KnownKeys } from "./http/known-keys.ts";
import { announcer } from "./jobs/announce.ts";
import { InFlightRequests } from "./jobs/in-flight.ts";
import { JobWatcher } from "./jobs/watcher.ts";
import { RequestLimits } from "./limits/request-limits.ts";
import type { Limits } from "./limits/settings.ts";
import { latestVersions } from "./outcome-types/latest.ts";

/** What a process gives to its API; the rest is made of it. */
export type IntakeParts = Pick<
  IntakeContext,
  "log" | "health" | "stopping" | "publicUrl" | "operatorName" | "receiptKeys" | "run" | "outgoing" | "movesClocks"
> & {
  /** With a service's rights: for operators, for keys, and for what is nobody's own. */
  readonly pool: Pool;
  /** With the rights of customers: everything else goes through it. */
  readonly tenantPool: OpenPool;
  readonly queues: Pick<Queues, "publish">;
  readonly limits: Limits;
  /** What the keys of customers' texts are sealed with; none: texts are stored as they are. */
  readonly payloadKeys?: readonly MasterKey[] | undefined;
  /** What waits on a tier; null: nothing that matters, or it is not known. */
  readonly loadOf: AcceptOptions["loadOf"];
};

/** Customers of whom a process keeps what it has made for them: readers that gather their requests, and terms. */
const CUSTOMERS_MAX = 2_000;

/** The API on its parts. What it owns ends with the stack. */
export function assembleIntake(stack: AsyncDisposableStack, parts: IntakeParts): ReturnType<typeof intakeApp> {
  const { queues, limits, loadOf, pool, tenantPool, payloadKeys = [], ...given } = parts;
  const { log } = given;
  const tenants = tenantsOf(tenantPool);
  // Keys are nobody's to read but a service's.
  const payloads = openPayloads(pool, payloadKeys);
  const versions = outcomeTypeVersions(pool);
  const keys = stack.use(new KnownKeys(keyFinder(pool)));
  const noter = keyUseNoter(pool);
  const noteUse = (id: KeyId): void =>
    void noter(id).catch((error: unknown) => log.warn({ err: error, key: id }, "could not note the use of a key"));
  const shared = {
    ...given,
    keys,
    requestLimits: new RequestLimits(limits.requests),
    latest: latestVersions(pool, versions),
    priceBook: priceBook(pool, rates(), { log }),
    // One for all customers: each request that waits says whose it is.
    watcher: new JobWatcher(tenants),
    inFlight: stack.use(new InFlightRequests(tenants, log)),
    announce: stack.use(announcer(queues, log)).announce,
    payloads,
  };
  const options = { openJobsMax: limits.openJobsMax, loadOf };
  const acceptingForCustomers = accepting(tenants, options, payloads);
  const viewsOf = jobViewsOfCustomers(tenants, payloads);
  const views = jobViews(pool, payloads);
  const everybody = { views, ...readersOf(pool, versions, payloads), ...accepting(pool, options, payloads) };
  return intakeApp({
    authenticate: authenticator(keys, noteUse),
    trustProxy: limits.trustProxy,
    everybody: { ...shared, ...everybody, commit: openCommit(pool, payloads) },
    of: reusing((customer: CustomerId) => {
      const own = tenants.of([customer]);
      const readers = readersOf(own, pinnedBy(customerTermsById(own), versions), payloads);
      const commit = openCommit(own, payloads, CUSTOMERS_MOVE);
      return { ...shared, views: viewsOf(customer), ...readers, ...acceptingForCustomers, commit };
    }, CUSTOMERS_MAX),
  });
}

/** What gathers jobs of several customers into one statement, which is for all of them. */
function accepting(pool: Pool | Tenants, options: AcceptOptions, payloads: Payloads) {
  return {
    accept: openAccept(pool, options, payloads),
    findAccepted: openFindAccepted(pool, payloads),
  };
}

/** What reads from a database, whole or seen by one customer. */
function readersOf(pool: Pool, versions: OutcomeTypeVersions, payloads: Payloads) {
  return {
    pool,
    versions,
    // A caller waits: a database that is away is told at once.
    loader: jobLoader(pool, versions, { patienceMs: 0, payloads }),
    terms: customerTermsById(pool),
  };
}
