/** The validator service: judges answers and decides what happens to their jobs next. */
import { rates } from "@contingent/catalog/models";
import { openCommit } from "@contingent/db/commit";
import { isSuspended } from "@contingent/db/judges";
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
import { openPoster } from "@contingent/runtime/outgoing/post";
import { readOutgoing } from "@contingent/runtime/outgoing/settings";
import { runService } from "@contingent/runtime/service";
import { readPayloadKeys } from "@contingent/runtime/payload-keys";
import { refuseUnsafe } from "@contingent/runtime/unsafe";
import { openSandbox } from "@contingent/sandbox/sandbox";
import { Asking } from "./asking.ts";
import { validatorSettings } from "./config.ts";
import { validateHandler } from "./handlers/validate.ts";
import { type ModelAccess, servicesKnowing } from "./means.ts";

await runService("validator", async (stack, service) => {
  const { log, health } = service;
  const config = readConfig(validatorSettings, service.env);

  const pool = openPool(config.DATABASE_URL, { applicationName: "contingent-validator", role: SERVICE_ROLE, log });
  stack.defer(() => pool.end());
  await refuseUnsafe(config, () => databaseSafety(pool));
  const thresholds = breakerThresholds(config);
  const gate = openModelGate(pool, { log, changed: breakerReport(log), thresholds });
  stack.defer(() => gate.close());
  const payloads = openPayloads(pool, await readPayloadKeys(config, (keys) => missingMasters(pool, keys)));
  const queues = await openQueues(config.QUEUE_URL, { log });
  stack.defer(() => queues.close());

  const sandbox = await openSandbox(config, log);
  stack.defer(() => sandbox.close());
  sandbox.warm();

  const key = config.ANTHROPIC_API_KEY;
  const providers = key === undefined ? [] : [anthropic({ apiKey: key, baseUrl: config.ANTHROPIC_BASE_URL })];
  const { reach, secrets } = await readOutgoing(config);
  const poster = openPoster(reach);
  stack.defer(() => poster.close());
  const models: ModelAccess = {
    providers: new Map(providers.map((provider) => [provider.name, provider])),
    priceBook: priceBook(pool, rates(), { log }),
    gate,
    service: servicesKnowing(secrets, poster),
    isSuspended: (judge) => isSuspended(pool, judge),
  };

  stack.use(await startPulse(pool, service.instance, log));
  const loader = jobLoader(pool, outcomeTypeVersions(pool), { patienceMs: MESSAGE_PATIENCE_MS, payloads });
  const commit = openCommit(pool, payloads);
  // Closed after the consumer, and before all that it asks and writes with.
  const asking = new Asking(log);
  stack.defer(() => asking.close());
  const handler = validateHandler({
    holder: service.instance,
    pool,
    loader,
    commit,
    payloads,
    queues,
    run: sandbox.run,
    models,
    asking,
    log,
  });
  const consumer = queues.consume("validate", handler, {
    ...(config.CONCURRENCY === undefined ? {} : { concurrency: config.CONCURRENCY }),
  });
  stack.defer(() => consumer.close());

  health.addLiveness("progress", () => consumer.checkProgress());
  health.addReadiness("database", () => checkDatabase(pool));
  health.addReadiness("queue", () => queues.health());
  health.addReadiness("sandbox", () => sandbox.check());
  health.addReadiness("consumer", () => consumer.ready());
  const server = stack.use(await startHealthServer(health, config.HOST, config.PORT));
  service.listening(server.port);
});
