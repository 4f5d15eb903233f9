/** A worker: drains the queue of one tier (`TIER`) and calls its models. */
import { rates } from "@contingent/catalog/models";
import { attemptQueue } from "@contingent/contracts/messages/catalog";
import { openCommit } from "@contingent/db/commit";
import { jobLoader, MESSAGE_PATIENCE_MS } from "@contingent/db/load";
import { checkDatabase } from "@contingent/db/migrate";
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { openModelGate } from "@contingent/db/model-gate";
import { openPool, SERVICE_ROLE } from "@contingent/db/pool";
import { priceBook } from "@contingent/db/price-book";
import { missingMasters } from "@contingent/db/payloads/keyring";
import { openPayloads } from "@contingent/db/payloads/payloads";
import { startPulse } from "@contingent/db/pulse";
import { databaseSafety } from "@contingent/db/safety";
import { anthropic } from "@contingent/providers/anthropic/anthropic";
import { openQueues } from "@contingent/queue/queues";
import { breakerThresholds } from "@contingent/runtime/breaker-settings";
import { readConfig } from "@contingent/runtime/config";
import { startHealthServer } from "@contingent/runtime/health";
import { breakerReport } from "@contingent/runtime/metrics";
import { runService } from "@contingent/runtime/service";
import { readPayloadKeys } from "@contingent/runtime/payload-keys";
import { refuseUnsafe } from "@contingent/runtime/unsafe";
import { workerSettings } from "./config.ts";
import { attemptHandler } from "./handlers/attempt.ts";

await runService("worker", async (stack, service) => {
  const { log, health } = service;
  const config = readConfig(workerSettings, service.env);

  const pool = openPool(config.DATABASE_URL, {
    applicationName: `contingent-worker-${config.TIER}`,
    role: SERVICE_ROLE,
    log,
  });
  stack.defer(() => pool.end());
  await refuseUnsafe(config, () => databaseSafety(pool));
  const thresholds = breakerThresholds(config);
  const gate = openModelGate(pool, { log, changed: breakerReport(log), thresholds });
  stack.defer(() => gate.close());
  const payloads = openPayloads(pool, await readPayloadKeys(config, (keys) => missingMasters(pool, keys)));
  const queues = await openQueues(config.QUEUE_URL, { log });
  stack.defer(() => queues.close());
  const provider = anthropic({ apiKey: config.ANTHROPIC_API_KEY, baseUrl: config.ANTHROPIC_BASE_URL });

  stack.use(await startPulse(pool, service.instance, log));
  const context = {
    tier: config.TIER,
    holder: service.instance,
    pool,
    loader: jobLoader(pool, outcomeTypeVersions(pool), { patienceMs: MESSAGE_PATIENCE_MS, payloads }),
    commit: openCommit(pool, payloads),
    queues,
    providers: new Map([[provider.name, provider]]),
    priceBook: priceBook(pool, rates(), { log }),
    gate,
    log,
  };
  const consumer = queues.consume(attemptQueue(config.TIER), attemptHandler(context), {
    ...(config.CONCURRENCY === undefined ? {} : { concurrency: config.CONCURRENCY }),
  });
  stack.defer(() => consumer.close());

  health.addLiveness("progress", () => consumer.checkProgress());
  health.addReadiness("database", () => checkDatabase(pool));
  health.addReadiness("queue", () => queues.health());
  health.addReadiness("consumer", () => consumer.ready());
  const server = stack.use(await startHealthServer(health, config.HOST, config.PORT));
  service.listening(server.port);
});
