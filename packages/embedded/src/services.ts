/**
 * The services as processes: their entry files and the environment each one reads. The start command, the tests and
 * docker-compose.yml start the same entry files with the same variables; test/tidy/compose.test.ts holds them together.
 */
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../../..");

export type ServiceName = "intake" | "worker" | "validator" | "ledger";

export interface ServiceDefinition {
  readonly entry: string;
  /** Every variable that it reads. */
  readonly reads: readonly string[];
}

const READ_BY_ALL = [
  "DATABASE_URL",
  "QUEUE_URL",
  "HOST",
  "PORT",
  "CONTINGENT_ENV",
  "LOG_LEVEL",
  "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/** Of those that ask services of the operator's, or take their replies. */
const OUTGOING = ["HTTP_VALIDATOR_SECRETS_FILE", "OUTGOING_ALLOW_LOOPBACK"];

/** How much the API takes in. */
const LIMITS = [
  "LIMITS",
  "OPEN_JOBS_MAX",
  "KEY_REQUESTS_PER_S_MAX",
  "CUSTOMER_REQUESTS_PER_S_MAX",
  "ADDRESS_REQUESTS_PER_S_MAX",
  "FAILURES_PER_MIN_MAX",
  "TRUST_PROXY",
];

/** Of those that call models: what opens a circuit breaker. */
const BREAKERS = ["BREAKER_CALLS_MIN", "BREAKER_BURNT_MIN_USD", "BREAKER_LOST_PERCENT"];

/** Of those that read or write the texts of customers. */
const TEXTS = ["PAYLOAD_KEYS", "PAYLOAD_KEYS_FILE"];

export const SERVICES: Readonly<Record<ServiceName, ServiceDefinition>> = {
  intake: {
    entry: "services/intake/src/main.ts",
    reads: [
      ...READ_BY_ALL,
      ...TEXTS,
      "PUBLIC_URL",
      "DRAIN_DELAY_MS",
      "OPERATOR_NAME",
      "RECEIPT_KEYS",
      "RECEIPT_KEYS_FILE",
      "SANDBOX_SOCKET",
      ...OUTGOING,
      ...LIMITS,
    ],
  },
  worker: {
    entry: "services/worker/src/main.ts",
    reads: [...READ_BY_ALL, ...TEXTS, ...BREAKERS, "TIER", "CONCURRENCY", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL"],
  },
  validator: {
    entry: "services/validator/src/main.ts",
    reads: [
      ...READ_BY_ALL,
      ...TEXTS,
      ...BREAKERS,
      "CONCURRENCY",
      "SANDBOX_SOCKET",
      ...OUTGOING,
      "ANTHROPIC_API_KEY",
      "ANTHROPIC_BASE_URL",
    ],
  },
  ledger: {
    entry: "services/ledger/src/main.ts",
    reads: [...READ_BY_ALL, ...TEXTS, "CONCURRENCY", "SWEEP_INTERVAL_MS", "CLOSE_GRACE_MS", "IDEMPOTENCY_DAYS"],
  },
};

export const MIGRATE_ENTRY = "packages/db/src/migrate-main.ts";
/** Where checks are a container of their own; without it, the services that make checks have processes for them. */
export const SANDBOX_ENTRY = "packages/sandbox/src/server-main.ts";
export const SIMULATOR_ENTRY = "packages/simulator/src/main.ts";

/** What the processes of one system share. */
export interface Wiring {
  readonly databaseUrl: string;
  readonly queueUrl: string;
  /** The API's port; 0 for a free one. */
  readonly apiPort: number;
  readonly anthropic: { readonly apiKey: string; readonly baseUrl?: string | undefined };
  /** How many workers run for each tier. */
  readonly workers: Readonly<Record<string, number>>;
  /** The keys that sign receipts; without, the API makes one for as long as it runs. */
  readonly receiptKeysFile?: string | undefined;
  /** The secrets of `http` validators; with them, services on this machine may be asked. */
  readonly validatorSecretsFile?: string | undefined;
  /** Further variables for every service, such as LOG_LEVEL. They win. */
  readonly extra?: Readonly<Record<string, string>> | undefined;
}

export interface ServiceProcess {
  /** `intake`, `worker-fast-1`. */
  readonly name: string;
  readonly entry: string;
  readonly variables: Readonly<Record<string, string>>;
}

/** The processes that make up a system. */
export function serviceProcesses(wiring: Wiring): readonly ServiceProcess[] {
  const { apiKey, baseUrl } = wiring.anthropic;
  const models = {
    ANTHROPIC_API_KEY: apiKey,
    ...(baseUrl === undefined ? {} : { ANTHROPIC_BASE_URL: baseUrl }),
  };
  const workers = Object.entries(wiring.workers).flatMap(([tier, count]) =>
    Array.from({ length: count }, (_, index) =>
      serviceProcess(`worker-${tier}-${index + 1}`, "worker", wiring, {
        TIER: tier,
        ...models,
      }),
    ),
  );
  const outgoing =
    wiring.validatorSecretsFile === undefined
      ? {}
      : { HTTP_VALIDATOR_SECRETS_FILE: wiring.validatorSecretsFile, OUTGOING_ALLOW_LOOPBACK: "true" };
  const receiptKeys = wiring.receiptKeysFile === undefined ? {} : { RECEIPT_KEYS_FILE: wiring.receiptKeysFile };
  return [
    serviceProcess("intake", "intake", wiring, { PORT: String(wiring.apiPort), ...receiptKeys, ...outgoing }),
    ...workers,
    serviceProcess("validator", "validator", wiring, { ...models, ...outgoing }),
    serviceProcess("ledger", "ledger", wiring, {}),
  ];
}

function serviceProcess(
  name: string,
  service: ServiceName,
  wiring: Wiring,
  own: Readonly<Record<string, string>>,
): ServiceProcess {
  const shared = { DATABASE_URL: wiring.databaseUrl, QUEUE_URL: wiring.queueUrl, HOST: "127.0.0.1", PORT: "0" };
  return { name, entry: SERVICES[service].entry, variables: { ...shared, ...own, ...wiring.extra } };
}

/** Variables of our own that must not slip in from the shell of whoever starts the system. */
const OURS = new Set([...Object.values(SERVICES).flatMap((service) => service.reads), "FAILPOINTS"]);
/** Telemetry is configured by where it goes, which is the shell's business. */
const INHERITED = new Set(["LOG_LEVEL", "OTEL_EXPORTER_OTLP_ENDPOINT"]);

/** The whole environment of a child: the shell's (proxies, certificates), without what we set ourselves, plus that. */
export function childEnvironment(variables: Readonly<Record<string, string>>): Record<string, string | undefined> {
  const shell = Object.entries(process.env).filter(([name]) => !OURS.has(name) || INHERITED.has(name));
  return {
    ...Object.fromEntries(shell),
    CONTINGENT_PARENT_PID: String(process.pid),
    // Compiled code is kept between starts, which halves the time until a process listens.
    NODE_COMPILE_CACHE: path.join(ROOT, ".cache/compiled"),
    ...variables,
  };
}
