import { type ChildProcess, fork } from "node:child_process";
import { until } from "@contingent/testkit/until";
import type { Contender } from "../contender.ts";
import { bareQueue, HOPS } from "./transport.ts";

const READY_TIMEOUT_MS = 30_000;
const FINISH_TIMEOUT_MS = 300_000;

/** Three processes joined by BullMQ, without a database: the same model call and the same validation. */
export async function bareTransport(name: string, queueUrl: string, simulatorUrl: string): Promise<Contender> {
  // The producer first: it makes BullMQ's schema, which three processes at once would race for.
  const queue = await bareQueue(queueUrl, "call");
  const doneAtMs = new Map<string, number>();
  const ready = new Set<ChildProcess>();
  const stages = HOPS.map((hop) => {
    const env = { ...process.env, HOP: hop, QUEUE_URL: queueUrl, ANTHROPIC_BASE_URL: simulatorUrl };
    const child = fork(new URL("./stage.ts", import.meta.url), { env, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    child.on("message", (message: { ready?: boolean; done?: string; atMs?: number }) => {
      if (message.ready === true) ready.add(child);
      if (message.done !== undefined && message.atMs !== undefined) doneAtMs.set(message.done, message.atMs);
    });
    return child;
  });
  await until(async () => ready.size === stages.length, { timeoutMs: READY_TIMEOUT_MS, what: "the bare stages" });
  return {
    name,
    transport: queueUrl.startsWith("redis") ? "redis" : "postgres",
    async submit(key) {
      await queue.add("call", { key }, { jobId: `${key}-1` });
    },
    async finished(keys) {
      await until(async () => keys.every((key) => doneAtMs.has(key)), {
        timeoutMs: FINISH_TIMEOUT_MS,
        what: "all jobs",
      });
      return doneAtMs;
    },
    statements: async () => null,
    async [Symbol.asyncDispose]() {
      for (const stage of stages) stage.kill("SIGKILL");
      await queue.close();
    },
  };
}
