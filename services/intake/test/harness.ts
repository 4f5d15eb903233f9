/** The API of one process on a database of its own, with the queue on Postgres: everything real but the other services. */
import type { CustomerId } from "@contingent/core/ids";
import { openAccept } from "@contingent/db/accept";
import { openFindAccepted } from "@contingent/db/accept-find";
import { openCommit } from "@contingent/db/commit";
import { ensureCustomer } from "@contingent/db/customers";
import { newId } from "@contingent/db/ids";
import { jobViews } from "@contingent/db/job-views";
import { createKey, keyFinder } from "@contingent/db/keys";
import { jobLoader } from "@contingent/db/load";
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { openPool, type Pool } from "@contingent/db/pool";
import { apiClient, type ApiClient } from "@contingent/embedded/api-client";
import { openQueues, type Queues } from "@contingent/queue/queues";
import { Health } from "@contingent/runtime/health";
import { createLog } from "@contingent/runtime/log";
import { freshDatabase } from "@contingent/testkit/postgres";
import { intakeApp } from "../src/app.ts";
import { authenticator } from "../src/http/authenticate.ts";
import { announcer } from "../src/jobs/announce.ts";
import { InFlightRequests } from "../src/jobs/in-flight.ts";
import { JobWatcher } from "../src/jobs/watcher.ts";
import { shippedCatalog } from "../src/outcome-types/catalog.ts";
import { latestVersions } from "../src/outcome-types/latest.ts";
import { startIntakeServer } from "../src/server.ts";

/** A second process on the same database, in the same test. */
export interface Process extends AsyncDisposable {
  readonly url: string;
  /** Begins the drain, as SIGTERM does. */
  readonly stop: () => void;
}

export interface Api extends Process {
  readonly pool: Pool;
  readonly databaseUrl: string;
  readonly queues: Queues;
  readonly customerId: CustomerId;
  readonly customer: ApiClient;
  readonly operator: ApiClient;
  readonly otherCustomer: ApiClient;
  /** What the process has logged. */
  readonly log: readonly string[];
  anotherProcess(): Promise<Process>;
}

export async function startApi(): Promise<Api> {
  await using stack = new AsyncDisposableStack();
  const database = await freshDatabase();
  stack.defer(() => database.drop());
  const pool = openPool(database.url, { applicationName: "intake-test" });
  stack.defer(() => pool.end());
  const log: string[] = [];
  const queues = await openQueues(database.url, { log: logTo(log) });
  stack.defer(() => queues.close());
  const first = stack.use(await startProcess(pool, queues, log));
  const customers = await Promise.all([newCustomer(pool), newCustomer(pool)]);
  const operator = await createKey(pool, { scope: "operator", label: "test", mode: "test" });
  const owned = stack.move();
  return {
    url: first.url,
    stop: first.stop,
    pool,
    databaseUrl: database.url,
    queues,
    customerId: customers[0].id,
    customer: apiClient(first.url, customers[0].key),
    operator: apiClient(first.url, operator.text),
    otherCustomer: apiClient(first.url, customers[1].key),
    log,
    anotherProcess: async () => owned.use(await startProcess(pool, queues, log)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startProcess(pool: Pool, queues: Queues, lines: string[]): Promise<Process> {
  await using stack = new AsyncDisposableStack();
  const stopping = new AbortController();
  const log = logTo(lines);
  const versions = outcomeTypeVersions(pool);
  const { announce } = stack.use(announcer(queues, log));
  const app = intakeApp({
    pool,
    authenticate: authenticator(keyFinder(pool)),
    latest: latestVersions(pool, versions),
    catalog: shippedCatalog(),
    accept: openAccept(pool),
    findAccepted: openFindAccepted(pool),
    views: jobViews(pool),
    loader: jobLoader(pool, versions),
    commit: openCommit(pool),
    watcher: new JobWatcher(pool),
    inFlight: stack.use(new InFlightRequests(pool, log)),
    announce,
    health: new Health("intake", stopping.signal),
    log,
    stopping: stopping.signal,
    publicUrl: undefined,
  });
  const server = stack.use(await startIntakeServer(app, "127.0.0.1", 0));
  const stop = (): void => stopping.abort();
  stack.defer(async () => stop());
  const owned = stack.move();
  return { url: `http://127.0.0.1:${server.port}`, stop, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function logTo(lines: string[]): ReturnType<typeof createLog> {
  return createLog({
    service: "intake",
    instance: "test",
    level: "trace",
    destination: { write: (line: string) => void lines.push(line) },
  });
}

async function newCustomer(pool: Pool): Promise<{ readonly id: CustomerId; readonly key: string }> {
  const id = newId("cus");
  await ensureCustomer(pool, { id, name: "A customer" });
  const { text } = await createKey(pool, { scope: "customer", customerId: id, label: "test", mode: "test" });
  return { id, key: text };
}

/** A definition that works. Tests change one thing about it. */
export const DEFINITION = {
  description: "What is in a document",
  currency: "USD",
  prompt: { system: "Extract.", user: "{{input.document}}" },
  input_schema: {
    type: "object",
    properties: { document: { type: "string", minLength: 1 }, note: { type: "string" } },
    required: ["document"],
    additionalProperties: false,
  },
  output_schema: { type: "object", properties: { total: { type: "string" } }, required: ["total"] },
  validator: { use: "json_schema", options: {} },
  success_at: 0.9,
  cascade: [{ tier: "fast" }, { tier: "standard" }],
  cost_cap: "0.08",
  deadline_ms: 120_000,
  price: { shape: "binary", amount: "0.04" },
} as const;

export const TYPE = "data-extraction";
export const JOB = { outcome_type: TYPE, input: { document: "Invoice 1" } } as const;
