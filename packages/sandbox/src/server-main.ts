/** The sandbox as a process of its own: a container without a network, which services reach over a Unix socket. */
import { readConfig } from "@contingent/runtime/config";
import { startHealthServer } from "@contingent/runtime/health";
import { runService } from "@contingent/runtime/service";
import { sandboxSettings } from "./config.ts";
import { Pool } from "./pool.ts";
import { logIsolation } from "./sandbox.ts";
import { serveSandbox } from "./server.ts";

await runService("sandbox", async (stack, service) => {
  const { log, health, env } = service;
  const config = readConfig(sandboxSettings, env);

  const pool = new Pool({ processes: config.SANDBOX_PROCESSES });
  stack.defer(() => pool.close());
  stack.use(await serveSandbox(pool, config.SANDBOX_SOCKET));
  pool.warm();
  await logIsolation(log);

  health.addReadiness("processes", () => pool.check());
  const server = stack.use(await startHealthServer(health, config.HOST, config.PORT));
  service.listening(server.port);
});
