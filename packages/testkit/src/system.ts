/**
 * The whole system under test: the real services as processes, from the same entry files and with the same variables as
 * in production, on a database and a queue of their own, with a simulator of the model API that the test scripts.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { rates } from "@contingent/catalog/models";
import { tierIds } from "@contingent/catalog/tiers";
import type { CustomerId } from "@contingent/core/ids";
import { forceBreaker } from "@contingent/db/breakers";
import { ensureCustomer } from "@contingent/db/customers";
import { newId } from "@contingent/db/ids";
import { createKey } from "@contingent/db/keys";
import { openPool, type Pool } from "@contingent/db/pool";
import { apiClient, type ApiClient } from "@contingent/embedded/api-client";
import type { Exit } from "@contingent/embedded/children";
import { reaper } from "@contingent/embedded/reaper";
import { serviceProcesses, type ServiceProcess } from "@contingent/embedded/services";
import {
  STOP_GRACE_MS,
  startService,
  startServices,
  stopServices,
  type RunningProcess,
} from "@contingent/embedded/system";
import { startSimulator, type Simulator, type SimulatorOptions } from "@contingent/simulator/server";
import { freshDatabase } from "./postgres.ts";
import { freshQueue, type TransportName } from "./transports.ts";

export interface SystemOptions {
  readonly transport: TransportName;
  /** Variables for every service, such as FAILPOINTS or OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly env?: Readonly<Record<string, string>>;
  /** Workers per tier; one each unless said otherwise. */
  readonly workers?: Readonly<Record<string, number>>;
  readonly simulator?: SimulatorOptions;
  /** Let the workers talk to this address instead of the simulator's own, for example through a proxy. */
  readonly anthropicBaseUrl?: string;
  /** The caller's own servers, which outlive the system, in place of a fresh database and queue of the test run's. */
  readonly servers?: OwnServers;
  /**
   * Whether circuit breakers decide by themselves. Unless said otherwise they are forced closed: what a test scripts for
   * its own jobs would else keep the model from those of the test beside it.
   */
  readonly breakers?: "automatic" | "closed" | undefined;
}

export interface OwnServers {
  /** A migrated database. */
  readonly databaseUrl: string;
  readonly queueUrl: string;
  /** The same as the services reach them, where that is another way. */
  readonly forServices: { readonly databaseUrl: string; readonly queueUrl: string };
}

export interface SystemKeys {
  readonly customerId: CustomerId;
  readonly customer: string;
  readonly operator: string;
}

export interface System extends AsyncDisposable {
  /** The API with the customer's key. `operator` is the same with the operator's. */
  readonly api: ApiClient;
  readonly operator: ApiClient;
  readonly keys: SystemKeys;
  readonly simulator: Simulator;
  readonly databaseUrl: string;
  readonly queueUrl: string;
  /** For looking at what is stored; and for nothing else. */
  readonly pool: Pool;
  /** What the processes are called: intake, worker-fast-1, …, validator, ledger. */
  names(): readonly string[];
  /** Those that run now. */
  processes(): readonly RunningProcess[];
  /** What a process has logged so far. */
  log(name: string): string;
  /** What it does at its marked places from now on, as FAILPOINTS says it; "" for nothing. */
  arm(name: string, failpoints: string): void;
  /** Ends a process at once, as a crash would. */
  kill(name: string): Promise<void>;
  /** Asks a process to finish its work and leave, and waits until it has. */
  drain(name: string): Promise<Exit>;
  /** Starts a process that was killed or stopped again, optionally with other variables, and waits until it is ready. */
  restart(name: string, env?: Readonly<Record<string, string>>): Promise<void>;
  /** Another customer of the same operator, with a key of its own. */
  anotherCustomer(): Promise<{ readonly id: CustomerId; readonly api: ApiClient }>;
  stop(): Promise<void>;
}

const WORKERS_DEFAULT = Object.fromEntries(tierIds.map((tier) => [tier, 1]));

/** Starts a system; `await using` or `stop()` ends it. About two seconds. */
export async function startSystem(options: SystemOptions): Promise<System> {
  await using stack = new AsyncDisposableStack();
  const servers = options.servers ?? (await freshServers(options.transport, stack));
  const simulator = stack.use(await startSimulator(options.simulator));
  const pool = openPool(servers.databaseUrl, { applicationName: "testkit", connectionsMax: 4 });
  stack.defer(() => pool.end());
  const keys = await makeKeys(pool);
  if (options.breakers !== "automatic") await closeBreakers(pool);
  const logFolder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-logs-"));
  reaper().tell({ do: "remove", folder: logFolder });
  stack.defer(() => fs.rmSync(logFolder, { recursive: true, force: true }));

  const definitions = serviceProcesses({
    ...servers.forServices,
    apiPort: 0,
    anthropic: { apiKey: "simulated", baseUrl: options.anthropicBaseUrl ?? simulator.url },
    workers: { ...WORKERS_DEFAULT, ...options.workers },
    extra: options.env,
  });
  const fleet = await startFleet(definitions, logFolder);
  stack.defer(() => fleet.stop());
  // From here on the caller owns everything.
  const owned = stack.move();
  const stop = async (): Promise<void> => {
    await owned.disposeAsync();
  };
  const api = apiClient(fleet.apiUrl(), keys.customer);
  return {
    api,
    operator: api.as(keys.operator),
    keys,
    simulator,
    databaseUrl: servers.databaseUrl,
    queueUrl: servers.queueUrl,
    pool,
    ...fleet.controls,
    async anotherCustomer() {
      const other = await makeCustomer(pool);
      return { id: other.id, api: api.as(other.key) };
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** A database and a queue of the test run's servers, given back when the stack is disposed of. */
async function freshServers(transport: TransportName, stack: AsyncDisposableStack): Promise<OwnServers> {
  const database = await freshDatabase();
  stack.defer(() => database.drop());
  const queue = await freshQueue(transport, database.url);
  stack.defer(() => queue.drop());
  const urls = { databaseUrl: database.url, queueUrl: queue.url };
  return { ...urls, forServices: urls };
}

interface Fleet {
  apiUrl(): string;
  readonly controls: Pick<System, "names" | "processes" | "log" | "arm" | "kill" | "drain" | "restart">;
  stop(): Promise<void>;
}

async function startFleet(unarmed: readonly ServiceProcess[], logFolder: string): Promise<Fleet> {
  const failpointsOf = (name: string): string => path.join(logFolder, `${name}.failpoints`);
  const definitions = unarmed.map((each) => ({
    ...each,
    variables: { FAILPOINTS: `@${failpointsOf(each.name)}`, ...each.variables },
  }));
  const running = new Map<string, RunningProcess>();
  for (const started of await startServices(definitions, logFolder)) running.set(started.name, started);
  const port = running.get("intake")?.port ?? 0;
  const processNamed = (name: string): RunningProcess => {
    const found = running.get(name);
    if (found === undefined)
      throw new Error(`there is no process ${name}; there are ${[...running.keys()].join(", ")}`);
    return found;
  };
  return {
    apiUrl: () => `http://127.0.0.1:${port}`,
    controls: {
      names: () => [...running.keys()],
      processes: () => [...running.values()].filter(({ child }) => child.exit === null),
      log: (name) => fs.readFileSync(processNamed(name).child.logFile, "utf8"),
      arm: (name, failpoints) => fs.writeFileSync(failpointsOf(name), failpoints),
      async kill(name) {
        const { child } = processNamed(name);
        child.send("SIGKILL");
        await child.exited;
      },
      drain: (name) => processNamed(name).child.stop(STOP_GRACE_MS),
      async restart(name, env = {}) {
        const definition = definitions.find((candidate) => candidate.name === name);
        if (definition === undefined) throw new Error(`there is no process ${name}`);
        await processNamed(name).child.stop(STOP_GRACE_MS);
        // The API stays at its address, as behind a load balancer.
        const address = name === "intake" ? { PORT: String(port) } : {};
        const again = { ...definition, variables: { ...definition.variables, ...address, ...env } };
        running.set(name, await startService(again, logFolder));
      },
    },
    stop: () => stopServices([...running.values()]),
  };
}

async function makeKeys(pool: Pool): Promise<SystemKeys> {
  const [customer, operator] = await Promise.all([
    makeCustomer(pool),
    createKey(pool, { kind: "operator", label: "test", mode: "test" }),
  ]);
  return { customerId: customer.id, customer: customer.key, operator: operator.text };
}

async function closeBreakers(pool: Pool): Promise<void> {
  for (const { provider, model } of rates()) {
    await forceBreaker(
      pool,
      { provider, model },
      { state: "closed", by: newId("key"), reason: "Tests fail calls on purpose." },
    );
  }
}

async function makeCustomer(pool: Pool): Promise<{ readonly id: CustomerId; readonly key: string }> {
  const id = newId("cus");
  await ensureCustomer(pool, { id, name: "A customer of a test" });
  const { text } = await createKey(pool, { kind: "customer", customerId: id, label: "test", mode: "test" });
  return { id, key: text };
}
