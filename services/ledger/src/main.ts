/** The ledger service: settles jobs, sweeps up what is overdue or has been lost, and keeps the books up to date and sealed. */
import { openCommit } from "@contingent/db/commit";
import { deathCauses } from "@contingent/db/dead-letters";
import { jobLoader, MESSAGE_PATIENCE_MS } from "@contingent/db/load";
import { checkDatabase } from "@contingent/db/migrate";
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { openPool, SERVICE_ROLE } from "@contingent/db/pool";
import { missingMasters } from "@contingent/db/payloads/keyring";
import { openPayloads } from "@contingent/db/payloads/payloads";
import { databaseSafety } from "@contingent/db/safety";
import { openQueues } from "@contingent/queue/queues";
import { readConfig } from "@contingent/runtime/config";
import { startHealthServer } from "@contingent/runtime/health";
import { runService } from "@contingent/runtime/service";
import { readPayloadKeys } from "@contingent/runtime/payload-keys";
import { refuseUnsafe } from "@contingent/runtime/unsafe";
import { BOOKKEEPING_INTERVAL_MS, runBookkeeper } from "./bookkeeper.ts";
import { ledgerSettings } from "./config.ts";
import { settleHandler } from "./handlers/settle.ts";
import { LOOKOUT_INTERVAL_MS, runLookout } from "./lookout.ts";
import { PERIODIC_INTERVAL_MS, runPeriodic } from "./periodic.ts";
import { runSweeper } from "./sweeper.ts";

await runService("ledger", async (stack, service) => {
  const { log, health } = service;
  const config = readConfig(ledgerSettings, service.env);

  const pool = openPool(config.DATABASE_URL, { applicationName: "contingent-ledger", role: SERVICE_ROLE, log });
  stack.defer(() => pool.end());
  await refuseUnsafe(config, () => databaseSafety(pool));
  const payloadKeys = await readPayloadKeys(config, (keys) => missingMasters(pool, keys));
  const payloads = openPayloads(pool, payloadKeys);
  const queues = await openQueues(config.QUEUE_URL, { log });
  stack.defer(() => queues.close());

  const versions = outcomeTypeVersions(pool);
  const context = {
    pool,
    versions,
    loader: jobLoader(pool, versions, { patienceMs: MESSAGE_PATIENCE_MS, payloads }),
    commit: openCommit(pool, payloads),
    queues,
    deathCause: deathCauses(pool),
    payloads,
    payloadKeys,
    log,
    closeGraceMs: config.CLOSE_GRACE_MS,
    idempotencyDays: config.IDEMPOTENCY_DAYS,
  };
  const consumer = queues.consume("settle", settleHandler(context), {
    ...(config.CONCURRENCY === undefined ? {} : { concurrency: config.CONCURRENCY }),
  });
  stack.defer(() => consumer.close());
  const sweeping = runSweeper(context, { intervalMs: config.SWEEP_INTERVAL_MS, signal: service.stopping });
  stack.defer(() => sweeping);
  const lookingOut = runLookout(context, { intervalMs: LOOKOUT_INTERVAL_MS, signal: service.stopping });
  stack.defer(() => lookingOut);
  const duties = runPeriodic(context, { intervalMs: PERIODIC_INTERVAL_MS, signal: service.stopping });
  stack.defer(() => duties);
  const bookkeeping = runBookkeeper(context, { intervalMs: BOOKKEEPING_INTERVAL_MS, signal: service.stopping });
  stack.defer(() => bookkeeping);

  health.addLiveness("progress", () => consumer.checkProgress());
  health.addReadiness("database", () => checkDatabase(pool));
  health.addReadiness("queue", () => queues.health());
  health.addReadiness("consumer", () => consumer.ready());
  const server = stack.use(await startHealthServer(health, config.HOST, config.PORT));
  service.listening(server.port);
});
