/**
 * Runs one of our commands on the database at DATABASE_URL, or else on that of the start command: the running one when it
 * runs, and otherwise its data, for which Postgres is started for the moment.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { startPostgres } from "@contingent/embedded/postgres";
import { Problem } from "@contingent/embedded/problem";
import { childEnvironment, ROOT } from "@contingent/embedded/services";
import { readLock, takeLock } from "./lock.ts";
import { DATABASE } from "./start-database.ts";

const DATA_FOLDER = path.join(ROOT, ".contingent");

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

type Run = (databaseUrl: string) => number;

async function runOnOwn(run: Run): Promise<number> {
  const running = readLock(DATA_FOLDER);
  if (running !== null) {
    if (running.databaseUrl === null) throw new Problem("The system is just being started: try again in a moment.");
    return run(running.databaseUrl);
  }
  if (!fs.existsSync(DATA_FOLDER))
    throw new Problem("There are no books yet: npm start keeps some, or set DATABASE_URL to check others.");
  const lock = takeLock(DATA_FOLDER, say);
  try {
    const postgres = await startPostgres({
      folder: path.join(DATA_FOLDER, "postgres"),
      logFile: path.join(DATA_FOLDER, "logs/postgres.log"),
      keep: "data",
      say,
    });
    try {
      return run(postgres.url(DATABASE));
    } finally {
      await postgres.stop();
    }
  } finally {
    lock.release();
  }
}

/** Runs the entry file with this process's own arguments and leaves its exit code as ours. */
export async function runOnDatabase(entry: string): Promise<void> {
  const run: Run = (databaseUrl) => {
    const env = childEnvironment({ DATABASE_URL: databaseUrl });
    const command = [path.join(ROOT, entry), ...process.argv.slice(2)];
    return spawnSync(process.execPath, command, { env, stdio: "inherit" }).status ?? 1;
  };
  try {
    const given = process.env["DATABASE_URL"] ?? "";
    process.exitCode = given === "" ? await runOnOwn(run) : run(given);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
