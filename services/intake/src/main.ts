/** Intake: the HTTP API. Accepts jobs durably, answers what became of them. */
import { openAccept } from "@contingent/db/accept";
import { openFindAccepted } from "@contingent/db/accept-find";
import { openCommit } from "@contingent/db/commit";
import { jobViews } from "@contingent/db/job-views";
import { keyFinder } from "@contingent/db/keys";
import { jobLoader } from "@contingent/db/load";
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { openPool } from "@contingent/db/pool";
import { openQueues } from "@contingent/queue/queues";
import { readConfig } from "@contingent/runtime/config";
import { runService } from "@contingent/runtime/service";
import { intakeApp } from "./app.ts";
import { intakeSettings } from "./config.ts";
import { authenticator } from "./http/authenticate.ts";
import { announcer } from "./jobs/announce.ts";
import { InFlightRequests } from "./jobs/in-flight.ts";
import { JobWatcher } from "./jobs/watcher.ts";
import { shippedCatalog } from "./outcome-types/catalog.ts";
import { latestVersions } from "./outcome-types/latest.ts";
import { startIntakeServer } from "./server.ts";

await runService("intake", async (stack, service) => {
  const { log, health, stopping } = service;
  const config = readConfig(intakeSettings, service.env);

  const pool = openPool(config.DATABASE_URL, { applicationName: "contingent-intake", log });
  stack.defer(() => pool.end());
  const queues = await openQueues(config.QUEUE_URL, { log });
  stack.defer(() => queues.close());
  const { announce } = stack.use(announcer(queues, log));

  const versions = outcomeTypeVersions(pool);
  const app = intakeApp({
    pool,
    authenticate: authenticator(keyFinder(pool)),
    latest: latestVersions(pool, versions),
    catalog: shippedCatalog(),
    accept: openAccept(pool),
    findAccepted: openFindAccepted(pool),
    views: jobViews(pool),
    loader: jobLoader(pool, versions),
    commit: openCommit(pool),
    watcher: new JobWatcher(pool),
    inFlight: stack.use(new InFlightRequests(pool, log)),
    announce,
    health,
    log,
    stopping,
    publicUrl: config.PUBLIC_URL,
  });

  health.addReadiness("database", async () => void (await pool.query("SELECT 1")));
  const server = stack.use(await startIntakeServer(app, config.HOST, config.PORT));
  service.listening(server.port);
});
