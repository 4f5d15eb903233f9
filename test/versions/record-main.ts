/**
 * Records the present version for the tests of later ones: `node test/versions/record-main.ts <folder>`, when it is released.
 * A backup with jobs in every state, and the statements with which its processes would take a job from its acceptance to its
 * charge on that database. The database at DATABASE_URL must be empty.
 */
import fs from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { backUp } from "@contingent/db/backup/backup";
import { JOB_STATES } from "@contingent/core/job/job";
import { migrate, newestMigration } from "@contingent/db/migrate";
import { type OpenPool, openPool } from "@contingent/db/pool";
import { sealWindow } from "@contingent/ledger/bookkeeping/seal";
import { acceptedJob, answer, callFails, claim, driveTo, judge, take } from "@contingent/testkit/jobs";
import type pg from "pg";
import { everyFate } from "../ledger/every-fate.ts";
import type { RecordedSession } from "./recorded.ts";

const [folder] = process.argv.slice(2);
const url = process.env["DATABASE_URL"];
if (folder === undefined || url === undefined) throw new Error("name a folder, and an empty database by DATABASE_URL");

await migrate(url);
const name = path.join(folder, (await newestMigration()).slice(0, 4));
const pool = openPool(url, { applicationName: "record", connectionsMax: 1 });
await Promise.all(JOB_STATES.map((state) => driveTo(pool, state)));
await everyFate(pool);
await sealWindow(pool);
await backUp(url, `${name}.backup`);

const session = await recorded(pool, async () => {
  await driveTo(pool, "closed", { outcomeKey: "by-an-old-process" });
  await take(pool, await acceptedJob(pool), claim(), callFails("timeout", true), claim(), answer(), judge("fail"));
});
fs.writeFileSync(`${name}.statements.json.gz`, gzipSync(JSON.stringify(session)));
await pool.end();

/** What is said on the pool's one connection meanwhile. */
async function recorded(on: OpenPool, work: () => Promise<void>): Promise<RecordedSession> {
  const texts: string[] = [];
  const said: [number, unknown[]][] = [];
  const client = await on.connect();
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  const listening = (...args: unknown[]): unknown => {
    const [statement, values] = args as [string | pg.QueryConfig, unknown[] | undefined];
    const text = typeof statement === "string" ? statement : statement.text;
    if (!texts.includes(text)) texts.push(text);
    said.push([texts.indexOf(text), (typeof statement === "string" ? values : statement.values) ?? []]);
    return query(...args);
  };
  Object.assign(client, { query: listening });
  client.release();
  await work();
  return { texts, session: said };
}
