/**
 * Throws requests at the API that are made of its own document, for as long as one likes.
 *
 *     node test/security/fuzz-main.ts --minutes 10
 *     node test/security/fuzz-main.ts --minutes 10 --seed 4711
 */
import { parseArgs } from "node:util";
import startServers from "@contingent/testkit/global-setup";
import { fuzz, type FuzzReport } from "./fuzz/fuzz.ts";
import { startAttackedApi } from "./support/api.ts";

const PROGRESS_EVERY = 500;
const SEEDS = 2 ** 31;

const { values } = parseArgs({ options: { minutes: { type: "string", default: "1" }, seed: { type: "string" } } });
const seed = Number(values.seed ?? Date.now() % SEEDS);
const durationMs = Number(values.minutes) * 60_000;

function told({ requests, byStatus, untaken, routes }: FuzzReport): string {
  const statuses = Object.entries(byStatus).map(([status, count]) => `${status}: ${count}`);
  return `${requests} requests · ${statuses.join(" · ")} · ${routes.length - untaken.length} of ${routes.length} routes have taken one`;
}

const stopServers = await startServers();
try {
  await using api = await startAttackedApi();
  process.stdout.write(`seed ${seed}\n`);
  const onProgress = (report: FuzzReport): void => {
    if (report.requests % PROGRESS_EVERY === 0) process.stdout.write(`${told(report)}\n`);
  };
  const report = await fuzz(api, { seed, durationMs, onProgress });
  const untaken = report.untaken.length === 0 ? "" : `none taken by: ${report.untaken.join(", ")}\n`;
  process.stdout.write(`${told(report)}\n${untaken}nothing found\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await stopServers();
}
