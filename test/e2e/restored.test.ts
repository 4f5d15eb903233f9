/**
 * Hazard: a system that is lost as a whole. From a backup that was made while it was at work another one goes on: jobs in
 * every state are finished and charged once, although their messages are gone and their processes, too.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { backUp } from "@contingent/db/backup/backup";
import { restore } from "@contingent/db/backup/restore";
import { verifyChain } from "@contingent/ledger/bookkeeping/verify-chain";
import { openPool } from "@contingent/db/pool";
import { startSimulator } from "@contingent/simulator/server";
import { emptyDatabase } from "@contingent/testkit/postgres";
import { startSystem, type System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { expectSoundBooks } from "./support/books.ts";
import { answer, type Case, held, submit } from "./support/cases.ts";
import { untilState } from "./support/jobs.ts";
import { RIGHT, step } from "./support/sums.ts";

const WINDOW = { acceptance: { mode: "window", duration_ms: 3_600_000, on_silence: "release" } };
const TIMEOUT_MS = 40_000;

test("jobs that were under way in every state are finished from a backup, by the same keys, and charged once", async () => {
  await using stack = new AsyncDisposableStack();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-restored-"));
  stack.defer(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, "live.backup");
  const lost = stack.use(await startSystem({ transport: "postgres", workers: { standard: 0, premium: 0 } }));
  const key = lost.keys.customer;
  const cases = await casesInEveryState(lost);
  await backUp(lost.databaseUrl, file);
  // It would wait for its call.
  await lost.kill("worker-fast-1");
  await lost.stop();

  const database = await emptyDatabase();
  stack.defer(() => database.drop());
  await restore(database.url, file);
  // As if it had taken some time.
  const pool = stack.adopt(openPool(database.url, { applicationName: "test", connectionsMax: 1 }), (each) =>
    each.end(),
  );
  await pool.query("UPDATE job SET wake_at = now() WHERE state NOT IN ('awaiting_acceptance', 'closed')");
  const simulator = stack.use(await startSimulator());
  for (const { marker } of cases) simulator.script({ match: marker, steps: [answer(RIGHT)], afterwards: "last" });
  const urls = { databaseUrl: database.url, queueUrl: database.url };
  const system = stack.use(
    await startSystem({
      transport: "postgres",
      workers: { premium: 0 },
      anthropicBaseUrl: simulator.url,
      env: { SWEEP_INTERVAL_MS: "50" },
      servers: { ...urls, forServices: urls },
    }),
  );
  const api = system.api.as(key);
  const [first] = cases;
  const accepted = await api.send({
    method: "POST",
    path: `/v1/jobs/${first?.id}/acceptance`,
    body: { decision: "accept" },
  });
  expect(accepted.status).toBe(200);
  for (const { id } of cases) {
    await until(async () => (await api.job(id)).state === "closed", {
      timeoutMs: TIMEOUT_MS,
      what: `${id} to be closed`,
    });
    expect(await api.job(id)).toMatchObject({ resolution: "success", billable: true, output: RIGHT });
  }
  const { rows } = await system.pool.query("SELECT job_id FROM charge ORDER BY 1");
  expect(rows.map(({ job_id: id }: { job_id?: string }) => id)).toEqual(cases.map(({ id }) => id).toSorted());
  await expectSoundBooks(system);
  expect(await verifyChain(system.pool)).toMatchObject({ mismatch: null, strays: [] });
});

/** One that awaits its customer, one that is settling, one that is attempted, one that is validated, one that is queued. */
async function casesInEveryState(system: System): Promise<readonly Case[]> {
  const onFast = { cascade: [step("fast")] };
  const awaiting = await submit(system, { terms: { ...onFast, ...WINDOW } });
  await untilState(system, awaiting.id, "awaiting_acceptance");
  await system.kill("ledger");
  const settling = await submit(system, { terms: onFast });
  await untilState(system, settling.id, "settling");
  await system.kill("validator");
  const validating = await submit(system, { terms: onFast });
  await untilState(system, validating.id, "validating");
  const queued = await submit(system, { terms: { cascade: [step("standard")] } });
  const attempting = await submit(system, { terms: onFast, steps: [held("the answer")] });
  await attempting.reached("held");
  return [awaiting, settling, attempting, validating, queued];
}
