/** Intake: the HTTP API. Accepts jobs durably, answers what became of them. */
import { setTimeout as delay } from "node:timers/promises";
import { checkDatabase } from "@contingent/db/migrate";
import { missingMasters } from "@contingent/db/payloads/keyring";
import { openPool, SERVICE_ROLE } from "@contingent/db/pool";
import { databaseSafety } from "@contingent/db/safety";
import { TENANT_ROLE } from "@contingent/db/tenants";
import { openQueues } from "@contingent/queue/queues";
import { readConfig } from "@contingent/runtime/config";
import { readOutgoing } from "@contingent/runtime/outgoing/settings";
import { runService } from "@contingent/runtime/service";
import { readPayloadKeys } from "@contingent/runtime/payload-keys";
import { refuseUnsafe } from "@contingent/runtime/unsafe";
import { openSandbox } from "@contingent/sandbox/sandbox";
import { assembleIntake } from "./assemble.ts";
import { intakeSettings } from "./config.ts";
import { LoadWatch } from "./limits/load-watch.ts";
import { limitsOf } from "./limits/settings.ts";
import { openReceiptKeys } from "./receipts/keys.ts";
import { startIntakeServer } from "./server.ts";

await runService("intake", async (stack, service) => {
  const { log, health, stopping } = service;
  const config = readConfig(intakeSettings, service.env);

  const receiptKeys = await openReceiptKeys(config, log);
  const pool = openPool(config.DATABASE_URL, { applicationName: "contingent-intake", role: SERVICE_ROLE, log });
  stack.defer(() => pool.end());
  await refuseUnsafe(config, () => databaseSafety(pool));
  const payloadKeys = await readPayloadKeys(config, (keys) => missingMasters(pool, keys));
  const tenantPool = openPool(config.DATABASE_URL, {
    applicationName: "contingent-intake-customers",
    role: TENANT_ROLE,
    log,
  });
  stack.defer(() => tenantPool.end());
  const queues = await openQueues(config.QUEUE_URL, { log });
  stack.defer(() => queues.close());
  // Its processes are started when the first verdict is reached again.
  const sandbox = await openSandbox(config, log);
  stack.defer(() => sandbox.close());
  const { run } = sandbox;
  const { PUBLIC_URL: publicUrl, OPERATOR_NAME: operatorName } = config;
  const outgoing = await readOutgoing(config);
  const movesClocks = config.CONTINGENT_ENV !== "production";
  const limits = limitsOf(config);
  const loads = new LoadWatch({ queues, db: pool, log });
  const looking = limits.byDeadline ? loads.run(stopping) : Promise.resolve();
  stack.defer(() => looking);
  const parts = {
    pool,
    tenantPool,
    queues,
    log,
    health,
    stopping,
    publicUrl,
    operatorName,
    receiptKeys,
    payloadKeys,
    run,
    outgoing,
    movesClocks,
    limits,
    loadOf: loads.loadOf,
  };
  const app = assembleIntake(stack, parts);

  health.addReadiness("database", () => checkDatabase(pool));
  const server = stack.use(await startIntakeServer(app, config.HOST, config.PORT));
  // The first thing that happens when it is told to stop.
  stack.defer(() => delay(config.DRAIN_DELAY_MS));
  service.listening(server.port);
});
