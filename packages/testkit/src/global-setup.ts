/** Runs once before the integration tests: one Postgres server with a migrated template, and one Redis. */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { migrate } from "@contingent/db/migrate";
import { startPostgres, type Postgres } from "@contingent/embedded/postgres";
import { findRedis, startRedis, type RedisServer } from "./redis.ts";
import { POSTGRES_URL, REDIS_URL, TEMPLATE } from "./servers.ts";

/** Starts the servers; what it returns stops them. */
export default async function setup(): Promise<() => Promise<void>> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-test-"));
  // Entered by the user that Postgres runs as, when that is another one.
  fs.chmodSync(folder, 0o755);
  const [postgres, redis] = await Promise.all([postgresWithTemplate(folder), redisOfThisRun()]);
  process.env[POSTGRES_URL] = postgres.url("postgres");
  if (redis !== null) process.env[REDIS_URL] = redis.url;
  return async () => {
    await Promise.all([postgres.stop(), redis?.stop()]);
    fs.rmSync(folder, { recursive: true, force: true });
  };
}

async function postgresWithTemplate(folder: string): Promise<Postgres> {
  const postgres = await startPostgres({
    folder: path.join(folder, "postgres"),
    logFile: path.join(folder, "postgres.log"),
    keep: "scratch",
  });
  await postgres.ensureDatabase(TEMPLATE);
  await migrate(postgres.url(TEMPLATE));
  return postgres;
}

async function redisOfThisRun(): Promise<RedisServer | null> {
  const found = findRedis();
  if (found !== null) return await startRedis(found);
  const missing = "There is no Redis: set REDIS_URL, or install redis-server (Debian: apt-get install redis-server).";
  if (process.env["CI"] === "true") throw new Error(`${missing} Under CI nothing may be left out.`);
  process.stderr.write(`\n!!! ${missing}\n!!! EVERY TEST OF THE REDIS TRANSPORT IS SKIPPED.\n\n`);
  return null;
}
