import { DEPLOYMENTS, integerSetting } from "@contingent/runtime/config";
import { z } from "zod";
import { PROCESSES_DEFAULT, PROCESSES_MAX } from "./bounds.ts";

/** For services: where the sandbox listens that is a container of its own. Unset: its processes are the service's own children. */
export const sandboxSocketSetting = z.string().min(1).optional().describe("/run/sandbox/sandbox.sock");

/** For the sandbox as a process of its own. */
export const sandboxSettings = z.object({
  SANDBOX_SOCKET: z.string().min(1).describe("/run/sandbox/sandbox.sock"),
  /** Processes that are kept ready: about one per core. */
  SANDBOX_PROCESSES: integerSetting(1, PROCESSES_MAX).default(PROCESSES_DEFAULT).describe(`1 to ${PROCESSES_MAX}`),
  PORT: integerSetting(0, 65_535).default(0).describe("0 to take a free port"),
  HOST: z.string().default("127.0.0.1").describe("127.0.0.1: nobody else needs its health"),
  CONTINGENT_ENV: z.enum(DEPLOYMENTS).default("development").describe(DEPLOYMENTS.join(" | ")),
});
