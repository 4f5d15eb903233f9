/** Brings the system up in order: database, schema, simulator, services, keys. */
import path from "node:path";
import { isTierId, tierIds } from "@contingent/catalog/tiers";
import { openPool } from "@contingent/db/pool";
import { apiClient, type ApiClient } from "@contingent/embedded/api-client";
import { isBarredPort, isPortFree } from "@contingent/embedded/ports";
import { Problem } from "@contingent/embedded/problem";
import { serviceProcesses } from "@contingent/embedded/services";
import {
  migrateDatabase,
  obituary,
  startServices,
  startSimulatorProcess,
  type RunningProcess,
} from "@contingent/embedded/system";
import { developmentKeys, type DevelopmentKeys } from "./keys.ts";
import type { Lock } from "./lock.ts";
import { API_PORT_DEFAULT, UsageError, type StartOptions } from "./options.ts";
import { receiptKeysFile } from "./receipt-keys.ts";
import type { Screen } from "./screen.ts";
import { foreignDatabase, startDatabase, type StartedDatabase } from "./start-database.ts";
import { validatorSecretsFile } from "./vendor-register.ts";

export interface Stack {
  /** The API with the customer's key. */
  readonly api: ApiClient;
  readonly operator: ApiClient;
  readonly keys: DevelopmentKeys;
  /** Whether the models are simulated, and cost nothing. */
  readonly simulated: boolean;
  /** Rejects with a Problem when a process ends that should run. */
  readonly died: Promise<never>;
}

/** What is started here is a child process, which whoever called ends with `stopAllChildren`, also when this fails. */
export async function startStack(options: StartOptions, screen: Screen, lock: Lock): Promise<Stack> {
  const logFolder = path.join(options.dataFolder, "logs");
  const workers = workersOf(options);
  const apiPort = await chooseApiPort(options.port, screen);

  screen.heading("Contingent");
  const database = await screen.step(
    "postgres",
    () => openDatabase(options, screen),
    ({ place }) => place,
  );
  lock.announce(database.url);
  const urls = { databaseUrl: database.serviceUrl, queueUrl: options.queueUrl ?? database.serviceUrl };
  const forServices = database.serviceUrl === database.url ? undefined : urls;
  await screen.step(
    "schema",
    () => migrateDatabase(database.url, forServices),
    () => "up to date",
  );

  const models = await startModels(options, logFolder, screen);
  const definitions = serviceProcesses({
    ...urls,
    apiPort,
    anthropic: { apiKey: models.apiKey, baseUrl: models.baseUrl },
    workers,
    receiptKeysFile: receiptKeysFile(options.dataFolder),
    validatorSecretsFile: validatorSecretsFile(options.dataFolder),
  });
  const services = await screen.step(
    "services",
    () => startServices(definitions, logFolder),
    () => `${definitions.map(({ name }) => name).join(", ")} (logs in ${path.relative(process.cwd(), logFolder)})`,
  );
  const url = `http://127.0.0.1:${services.find(({ name }) => name === "intake")?.port ?? apiPort}`;
  const keys = await makeKeys(database.url, options.dataFolder);
  showAccess(screen, url, keys);
  const api = apiClient(url, keys.customer);
  return {
    api,
    operator: api.as(keys.operator),
    keys,
    simulated: models.simulator !== null,
    died: firstDeath(models.simulator === null ? services : [models.simulator, ...services], database),
  };
}

async function openDatabase(options: StartOptions, screen: Screen): Promise<StartedDatabase> {
  if (options.databaseUrl !== null) return foreignDatabase(options.databaseUrl);
  return await startDatabase(options.dataFolder, options.postgresPort, (line) => screen.note(line));
}

/** One worker for each tier of the catalog, or as many as were asked for. */
function workersOf(options: StartOptions): Readonly<Record<string, number>> {
  const unknown = Object.keys(options.workers).find((tier) => !isTierId(tier));
  if (unknown !== undefined)
    throw new UsageError(`--workers names the tier ${unknown}; there are ${tierIds.join(", ")}.`);
  return Object.fromEntries(tierIds.map((tier) => [tier, options.workers[tier] ?? 1]));
}

async function chooseApiPort(wanted: number | null, screen: Screen): Promise<number> {
  const port = wanted ?? API_PORT_DEFAULT;
  if (await isPortFree(port)) {
    // Asked only where nobody listens: asking makes a connection.
    if (await isBarredPort(port))
      throw new Problem(
        `Port ${port} belongs to another protocol, and browsers refuse it: choose another with --port.`,
      );
    return port;
  }
  if (wanted !== null) throw new Problem(`Port ${port} is in use: choose another with --port.`);
  screen.note(`port ${port} is in use, so the API gets another one`);
  return 0;
}

interface Models {
  readonly apiKey: string;
  readonly baseUrl: string | undefined;
  /** Null: the real API is called. */
  readonly simulator: RunningProcess | null;
}

async function startModels(options: StartOptions, logFolder: string, screen: Screen): Promise<Models> {
  const apiKey = process.env["ANTHROPIC_API_KEY"] ?? "";
  if (apiKey !== "" && !options.simulate) {
    screen.line("  models      the real API, with your ANTHROPIC_API_KEY: calls cost money (--simulate avoids it)");
    return { apiKey, baseUrl: process.env["ANTHROPIC_BASE_URL"], simulator: null };
  }
  const simulator = await screen.step(
    "models",
    () => startSimulatorProcess(logFolder),
    ({ port }) => `simulated on port ${port}: nothing is paid (with ANTHROPIC_API_KEY the real API is called)`,
  );
  return { apiKey: "simulated", baseUrl: `http://127.0.0.1:${simulator.port}`, simulator };
}

async function makeKeys(databaseUrl: string, dataFolder: string): Promise<DevelopmentKeys> {
  const pool = openPool(databaseUrl, { applicationName: "contingent-start", connectionsMax: 1 });
  try {
    return await developmentKeys(pool, dataFolder);
  } finally {
    await pool.end();
  }
}

function showAccess(screen: Screen, url: string, keys: DevelopmentKeys): void {
  screen.heading("Access");
  screen.line(`  API           ${url}  (reference at ${url}/docs)`);
  screen.line(`  customer key  ${keys.customer}`);
  screen.line(`  operator key  ${keys.operator}`);
}

/** A system that lacks a part is not left running: whoever watches should know why it ended. */
function firstDeath(running: readonly RunningProcess[], database: StartedDatabase): Promise<never> {
  const deaths = running.map(async ({ child }) => {
    await child.exited;
    throw new Problem(obituary(child));
  });
  const databaseDeath = database.exited.then(() => {
    throw new Problem(`Postgres stopped; its log is ${database.logFile ?? "elsewhere"}.`);
  });
  const died = Promise.race<never>([...deaths, databaseDeath]);
  died.catch(() => undefined);
  return died;
}
