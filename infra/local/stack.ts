/** Brings the system up in order: database, schema, simulator, services, keys. */
import path from "node:path";
import { isTierId, tierIds } from "@contingent/catalog/tiers";
import { openPool } from "@contingent/db/pool";
import { apiClient, type ApiClient } from "@contingent/embedded/api-client";
import type { Child } from "@contingent/embedded/children";
import { isBarredPort, isPortFree } from "@contingent/embedded/ports";
import { Problem } from "@contingent/embedded/problem";
import { serviceProcesses, type ServiceProcess } from "@contingent/embedded/services";
import { supervise, type Ward } from "@contingent/embedded/supervisor";
import {
  migrateDatabase,
  startService,
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
  /** Rejects with a Problem when a process ends again and again, however often it is started. */
  readonly gaveUp: Promise<never>;
}

/** While a process is started again, what is asked of the API waits for it. */
const PATIENCE_MS = 120_000;

/**
 * What is started here is a child process, which whoever called ends with `stopAllChildren`, also when this fails.
 * @param ending aborted before that: from then on nothing is started again
 */
export async function startStack(
  options: StartOptions,
  screen: Screen,
  lock: Lock,
  ending: AbortSignal,
): Promise<Stack> {
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
  const gaveUp = supervise(
    [database.ward, models.ward, ...services.map((service) => wardOf(service, definitions, logFolder))].filter(
      (ward) => ward !== null,
    ),
    { say: (line) => screen.note(line), ending },
  );
  const url = `http://127.0.0.1:${services.find(({ name }) => name === "intake")?.port ?? apiPort}`;
  const keys = await makeKeys(database.url, options.dataFolder);
  showAccess(screen, url, keys);
  const api = apiClient(url, keys.customer, { patienceMs: PATIENCE_MS });
  return {
    api,
    operator: api.as(keys.operator),
    keys,
    simulated: models.ward !== null,
    gaveUp,
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
  /** The simulator, to be kept running; null when the real API is called. */
  readonly ward: Ward | null;
}

async function startModels(options: StartOptions, logFolder: string, screen: Screen): Promise<Models> {
  const apiKey = process.env["ANTHROPIC_API_KEY"] ?? "";
  if (apiKey !== "" && !options.simulate) {
    screen.line("  models      the real API, with your ANTHROPIC_API_KEY: calls cost money (--simulate avoids it)");
    return { apiKey, baseUrl: process.env["ANTHROPIC_BASE_URL"], ward: null };
  }
  const { port, name, child } = await screen.step(
    "models",
    () => startSimulatorProcess(logFolder),
    (simulator) =>
      `simulated on port ${simulator.port}: nothing is paid (with ANTHROPIC_API_KEY the real API is called)`,
  );
  const startAgain = async (): Promise<Child> =>
    (await startSimulatorProcess(logFolder, { PORT: String(port) }, { keepsLog: true })).child;
  return { apiKey: "simulated", baseUrl: `http://127.0.0.1:${port}`, ward: { name, running: child, startAgain } };
}

/** A service is started again at its own port: callers of the API know it. */
function wardOf(service: RunningProcess, definitions: readonly ServiceProcess[], logFolder: string): Ward {
  const { name, child, port } = service;
  return {
    name,
    running: child,
    startAgain: async () => {
      const definition = definitions.find((candidate) => candidate.name === name);
      if (definition === undefined) throw new Error(`${name} was not started here`);
      const variables = { ...definition.variables, PORT: String(port) };
      return (await startService({ ...definition, variables }, logFolder, { keepsLog: true })).child;
    },
  };
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
