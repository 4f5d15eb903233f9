import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { describeEachTransport } from "@contingent/testkit/transports";
import { until } from "@contingent/testkit/until";
import { expect, it } from "vitest";
import { FAST, message, openTransport } from "./open.ts";

const HOLD = fileURLToPath(new URL("./hold-main.ts", import.meta.url));
const CLOCK = new URL("../fault/harness/skewed-clock.ts", import.meta.url);
const AN_HOUR_AHEAD = { NODE_OPTIONS: `--import=${CLOCK.href}`, CLOCK_SKEW_MS: "3600000" };

describeEachTransport("a killed consumer", (transport) => {
  it("loses no message, however wrong its clock was: another consumer gets it, marked as delivered again", async () => {
    const opened = await openTransport(transport);
    const env = { ...process.env, ...AN_HOUR_AHEAD };
    const child = spawn(process.execPath, [HOLD, opened.url, "fast"], { stdio: ["ignore", "pipe", "inherit"], env });
    try {
      const sent = message();
      await opened.queues.publish(FAST, sent);
      const [line] = (await once(child.stdout, "data")) as [Buffer];
      expect(line.toString().trim()).toBe(sent.jobId);
      child.kill("SIGKILL");
      await once(child, "exit");

      const deliveries: { jobId: string; redelivered: boolean }[] = [];
      const consumer = opened.queues.consume(FAST, async ({ jobId }, { redelivered }) => {
        deliveries.push({ jobId, redelivered });
      });
      await consumer.ready();
      // Lock of 10 s, looked for every 5 s, marked on one pass and taken back on the next; the ledger service asks so meanwhile.
      await until(async () => (await opened.queues.remembers()) && deliveries.length > 0, { intervalMs: 500 });
      expect(deliveries).toEqual([{ jobId: sent.jobId, redelivered: true }]);
    } finally {
      child.kill("SIGKILL");
      await opened.close();
    }
  });
});
