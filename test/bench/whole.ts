/** The whole system as a contender: every service as its own process, as `npm start` runs them. */
import { ensureCustomer } from "@contingent/db/customers";
import { createKey } from "@contingent/db/keys";
import { openPool, type Pool } from "@contingent/db/pool";
import { serviceProcesses } from "@contingent/embedded/services";
import { migrateDatabase, startServices, stopServices } from "@contingent/embedded/system";
import { until } from "@contingent/testkit/until";
import type { Contender } from "./contender.ts";
import { DEFINITION, document, OUTCOME_TYPE } from "./workload.ts";

const FINISH_TIMEOUT_MS = 300_000;
/** How often the database is asked whether all jobs are closed: seldom, for asking costs the system. */
const POLL_MS = 100;

/** Requests are counted, and none is refused: the load is to be taken in. */
const COUNTED = {
  KEY_REQUESTS_PER_S_MAX: "1000000",
  CUSTOMER_REQUESTS_PER_S_MAX: "1000000",
  ADDRESS_REQUESTS_PER_S_MAX: "1000000",
};

export interface WholeSystemOptions {
  readonly name: string;
  readonly databaseUrl: string;
  readonly queueUrl: string;
  readonly simulatorUrl: string;
  readonly logFolder: string;
  /** False: without row-level security and limits, so that it can be seen what they cost. */
  readonly isGuarded: boolean;
}

/** Starts the system on an empty database and publishes the benchmark's outcome type. */
export async function wholeSystem(options: WholeSystemOptions): Promise<Contender> {
  await migrateDatabase(options.databaseUrl);
  const pool = openPool(options.databaseUrl, { applicationName: "bench", connectionsMax: 2 });
  await pool.query("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
  if (!options.isGuarded) await takeGuardsOff(pool);
  const customerId = "cus_bench";
  await ensureCustomer(pool, { id: customerId, name: "Bench" });
  const customerKey = await createKey(pool, { kind: "customer", customerId, label: "bench" });
  const operatorKey = await createKey(pool, { kind: "operator", label: "bench" });
  const services = await startServices(
    serviceProcesses({
      databaseUrl: options.databaseUrl,
      queueUrl: options.queueUrl,
      apiPort: 0,
      anthropic: { apiKey: "bench", baseUrl: options.simulatorUrl },
      workers: { fast: 1, standard: 1, premium: 1 },
      extra: { LOG_LEVEL: "warn", ...(options.isGuarded ? COUNTED : { LIMITS: "off" }) },
    }),
    options.logFolder,
  );
  const api = `http://127.0.0.1:${services.find(({ name }) => name === "intake")?.port ?? 0}`;
  await send("PUT", `${api}/v1/outcome-types/${OUTCOME_TYPE}`, operatorKey.text, DEFINITION);
  return {
    name: options.name,
    transport: options.queueUrl.startsWith("redis") ? "redis" : "postgres",
    async submit(key) {
      const input = { document: document(key) };
      await send("POST", `${api}/v1/jobs`, customerKey.text, { outcome_type: OUTCOME_TYPE, outcome_key: key, input });
    },
    finished: (keys) => closed(pool, keys),
    statements: () => statements(pool),
    async [Symbol.asyncDispose]() {
      await stopServices(services);
      await pool.end();
    },
  };
}

async function takeGuardsOff(pool: Pool): Promise<void> {
  const { rows } = await pool.query<{ name: string }>(
    "SELECT oid::regclass::text AS name FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace",
  );
  for (const { name } of rows) {
    await pool.query(`ALTER TABLE ${name} NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY`);
  }
  await pool.query("DROP TRIGGER counts_opened ON hold; DROP TRIGGER counts_ended ON hold");
}

async function send(method: string, url: string, key: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const response = await fetch(url, { method, headers, body: JSON.stringify(body) });
  const answer = await response.text();
  if (!response.ok) throw new Error(`${method} ${url} answered ${response.status}: ${answer}`);
}

/** Waits until the jobs are closed; they must all have succeeded, or the figures would be of something else. */
async function closed(pool: Pool, keys: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const open = "SELECT count(*) AS open FROM job WHERE state <> 'closed'";
  const none = async (): Promise<boolean> => (await pool.query<{ open: bigint }>(open)).rows[0]?.open === 0n;
  await until(none, { timeoutMs: FINISH_TIMEOUT_MS, intervalMs: POLL_MS, what: "all jobs to be closed" });
  const { rows } = await pool.query<{ outcome_key: string; closed_ms: number; resolution: string }>(
    `SELECT outcome_key, resolution, (extract(epoch FROM closed_at) * 1000)::float8 AS closed_ms
       FROM job WHERE outcome_key = ANY($1::text[])`,
    [keys],
  );
  const succeeded = rows.filter((row) => row.resolution === "success");
  if (succeeded.length !== keys.length) throw new Error(`${succeeded.length} of ${keys.length} jobs succeeded`);
  return new Map(succeeded.map((row) => [row.outcome_key, row.closed_ms]));
}

/** Statements that clients sent. Checks that the database defers to the commit are its own, although it counts them alike. */
async function statements(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ calls: bigint }>(
    `SELECT coalesce(sum(calls), 0)::bigint AS calls FROM pg_stat_statements s
       JOIN pg_database d ON d.oid = s.dbid
      WHERE d.datname = current_database() AND s.toplevel
        AND query ~* '^\\s*(with|select|insert|update|delete|begin|commit)' AND query !~ '^SELECT .* FROM ONLY '`,
  );
  return Number(rows[0]?.calls ?? 0n);
}
