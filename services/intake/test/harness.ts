/** The API of one process on a database of its own, with the queue on Postgres: everything real but the other services. */
import { rates } from "@contingent/catalog/models";
import { rateAt } from "@contingent/core/cost";
import type { CustomerId } from "@contingent/core/ids";
import type { AcceptOptions } from "@contingent/db/accept";
import { ensureCustomer } from "@contingent/db/customers";
import { newId } from "@contingent/db/ids";
import { createKey } from "@contingent/db/keys";
import type { MasterKey } from "@contingent/db/payloads/keyring";
import { type OpenPool, openPool, type Pool, SERVICE_ROLE } from "@contingent/db/pool";
import { TENANT_ROLE } from "@contingent/db/tenants";
import { apiClient } from "@contingent/embedded/api-client";
import { openQueues, type Queues } from "@contingent/queue/queues";
import { Health } from "@contingent/runtime/health";
import { createLog } from "@contingent/runtime/log";
import { ownSandbox } from "@contingent/sandbox/sandbox";
import { answer, happens, judge, type TestStep } from "@contingent/testkit/jobs";
import { freshDatabase } from "@contingent/testkit/postgres";
import type { RunCheck } from "@contingent/validators/validator";
import { startTcpLink, type TcpLink } from "@contingent/testkit/tcp-link";
import { assembleIntake } from "../src/assemble.ts";
import type { Limits } from "../src/limits/settings.ts";
import { passingKeys, type ReceiptKeys } from "../src/receipts/keys.ts";
import { startIntakeServer } from "../src/server.ts";
import { type CheckedClient, checkedClient } from "./checked-client.ts";

/** A second process on the same database, in the same test. */
export interface Process extends AsyncDisposable {
  readonly url: string;
  /** Begins the drain, as SIGTERM does. */
  readonly stop: () => void;
}

export interface Api extends Process {
  /** For looking at what is stored, and for what the other services would do. */
  readonly pool: Pool;
  /** Between the process and its database. */
  readonly databaseLink: TcpLink;
  readonly databaseUrl: string;
  readonly queues: Queues;
  readonly customerId: CustomerId;
  readonly customer: CheckedClient;
  readonly operator: CheckedClient;
  readonly otherCustomer: CheckedClient;
  /** What the process has logged. */
  readonly log: readonly string[];
  anotherProcess(
    instead?: Partial<
      Pick<Parts, "tenantPool" | "queues" | "receiptKeys" | "run" | "movesClocks" | "limits" | "loadOf" | "payloadKeys">
    >,
  ): Promise<Process>;
}

/** What a process may be given instead of the real thing. */
interface Parts {
  readonly pool: Pool;
  readonly tenantPool: OpenPool;
  readonly queues: Pick<Queues, "publish">;
  readonly log: string[];
  readonly receiptKeys: ReceiptKeys;
  readonly run?: RunCheck;
  readonly movesClocks?: boolean;
  readonly limits?: Limits;
  readonly payloadKeys?: readonly MasterKey[];
  readonly loadOf?: AcceptOptions["loadOf"];
}

/** Tests send more from one address than any client does. */
export const NO_LIMITS: Limits = { openJobsMax: 100_000, requests: null, byDeadline: false, trustProxy: false };

/** The secrets of the operator's services that judge. */
export const HTTP_SECRETS = new Map([["checks", [{ key: Buffer.alloc(32, 7) }]]]);

/** @param payloadKeys what the keys of customers' texts are sealed with; none: texts are stored as they are */
export async function startApi(payloadKeys: readonly MasterKey[] = []): Promise<Api> {
  await using stack = new AsyncDisposableStack();
  const database = await freshDatabase();
  stack.defer(() => database.drop());
  const pool = openPool(database.url, { applicationName: "intake-test" });
  stack.defer(() => pool.end());
  const log: string[] = [];
  const queues = await openQueues(database.url, { log: logTo(log) });
  stack.defer(() => queues.close());
  const { hostname: host, port } = new URL(database.url);
  const databaseLink = await startTcpLink({ host, port: Number(port) });
  stack.defer(() => databaseLink.close());
  const ownPool = openPool(databaseLink.through(database.url), {
    applicationName: "intake-test-process",
    role: SERVICE_ROLE,
  });
  stack.defer(() => ownPool.end());
  const tenantPool = openPool(databaseLink.through(database.url), {
    applicationName: "intake-test-customers",
    role: TENANT_ROLE,
  });
  stack.defer(() => tenantPool.end());
  const receiptKeys = await passingKeys();
  const first = stack.use(await startProcess({ pool: ownPool, tenantPool, queues, log, receiptKeys, payloadKeys }));
  const customers = await Promise.all([newCustomer(pool), newCustomer(pool)]);
  const operator = await createKey(pool, { kind: "operator", label: "test", mode: "test" });
  const owned = stack.move();
  return {
    url: first.url,
    stop: first.stop,
    pool,
    databaseLink,
    databaseUrl: database.url,
    queues,
    customerId: customers[0].id,
    customer: checkedClient(apiClient(first.url, customers[0].key)),
    operator: checkedClient(apiClient(first.url, operator.text)),
    otherCustomer: checkedClient(apiClient(first.url, customers[1].key)),
    log,
    anotherProcess: async (instead = {}) =>
      owned.use(await startProcess({ pool, tenantPool, queues, log, receiptKeys, payloadKeys, ...instead })),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function startProcess({
  pool,
  tenantPool,
  queues,
  log: lines,
  receiptKeys,
  run,
  movesClocks = true,
  limits = NO_LIMITS,
  payloadKeys,
  loadOf = () => null,
}: Parts): Promise<Process> {
  await using stack = new AsyncDisposableStack();
  const stopping = new AbortController();
  const log = logTo(lines);
  const health = new Health("intake", stopping.signal);
  const sandbox = ownSandbox();
  stack.defer(() => sandbox.close());
  const shared = {
    pool,
    tenantPool,
    queues,
    log,
    health,
    receiptKeys,
    payloadKeys,
    run: run ?? sandbox.run,
    outgoing: { reach: { allowsLoopback: true }, secrets: HTTP_SECRETS },
    movesClocks,
    limits,
    loadOf,
    publicUrl: undefined,
    operatorName: "Acme & Sons",
  };
  const app = assembleIntake(stack, { ...shared, stopping: stopping.signal });
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
  const { text } = await createKey(pool, { kind: "customer", customerId: id, label: "test", mode: "test" });
  return { id, key: text };
}

/** A worker starts an attempt, at the shipped catalog's prices. */
export function claim(): TestStep {
  return (job) => ({
    type: "claim",
    attemptId: newId("att"),
    inputTokens: 100,
    exact: true,
    away: new Set(),
    mustWait: false,
    rates: new Map(
      job.terms.cascade.flatMap(({ models }) =>
        models.flatMap((model) => {
          const rate = rateAt(rates(), model, Date.now());
          return rate === null ? [] : [[model, rate] as const];
        }),
      ),
    ),
  });
}

/** What happens to a job that succeeds at once. */
export const SUCCEED: readonly TestStep[] = [claim(), answer(), judge("pass"), happens("settled")];

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

/** The API with the outcome type published that the tests' jobs are of. */
export async function startApiWithType(): Promise<Api> {
  const api = await startApi();
  await api.operator.publish(TYPE, DEFINITION);
  return api;
}
