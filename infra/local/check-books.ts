/**
 * `npm run check:books`: runs every invariant of the books on the database at DATABASE_URL, or else on that of the start
 * command: the running one when it runs, and otherwise its data, for which Postgres is started for the moment.
 */
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { startPostgres } from "@contingent/embedded/postgres";
import { Problem } from "@contingent/embedded/problem";
import { childEnvironment, ROOT } from "@contingent/embedded/services";
import { readLock, takeLock } from "./lock.ts";
import { DATABASE } from "./start-database.ts";

const CHECK_ENTRY = "packages/ledger/src/check-books-main.ts";
const DATA_FOLDER = path.join(ROOT, ".contingent");

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function check(databaseUrl: string): number {
  const env = childEnvironment({ DATABASE_URL: databaseUrl });
  return spawnSync(process.execPath, [path.join(ROOT, CHECK_ENTRY)], { env, stdio: "inherit" }).status ?? 1;
}

async function checkOwn(): Promise<number> {
  const running = readLock(DATA_FOLDER);
  if (running !== null) {
    if (running.databaseUrl === null) throw new Problem("The system is just being started: try again in a moment.");
    return check(running.databaseUrl);
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
      return check(postgres.url(DATABASE));
    } finally {
      await postgres.stop();
    }
  } finally {
    lock.release();
  }
}

try {
  const given = process.env["DATABASE_URL"] ?? "";
  process.exitCode = given === "" ? await checkOwn() : check(given);
} catch (error) {
  if (!(error instanceof Problem)) throw error;
  say(error.message);
  process.exitCode = 1;
}
