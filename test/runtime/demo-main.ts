/** A service as small as can be, for tests of a process's life. `FAULT` makes it misbehave. */
import { setTimeout as delay } from "node:timers/promises";
import { readConfig, serviceSettings } from "@contingent/runtime/config";
import { failpoint } from "@contingent/runtime/failpoints";
import { startHealthServer } from "@contingent/runtime/health";
import { runService } from "@contingent/runtime/service";
import { z } from "zod";

const settings = z.object({ PORT: serviceSettings.PORT, HOST: serviceSettings.HOST, FAULT: z.string().default("") });

await runService("demo", async (stack, service) => {
  const config = readConfig(settings, service.env);
  if (config.FAULT === "start") throw new RangeError("a customer's text");
  const server = stack.use(await startHealthServer(service.health, config.HOST, config.PORT));
  stack.defer(() => {
    service.log.info("closed the last part first");
  });
  if (config.FAULT === "slow drain") stack.defer(() => delay(600));
  service.log.info("almost there");
  if (config.FAULT === "hang in start") await new Promise<never>(() => undefined);
  service.listening(server.port);
  await failpoint("worker.claimed");
  if (config.FAULT === "uncaught") setImmediate(() => void Promise.reject(new RangeError("a customer's text")));
});
