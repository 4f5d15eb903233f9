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

/** What the command line says: whose database it is, and what is for the command itself. */
export interface Asked {
  /** The start command's `--data`. */
  readonly folder: string;
  readonly rest: readonly string[];
}

export function askedOf(args: readonly string[]): Asked {
  const at = args.indexOf("--data");
  if (at === -1) return { folder: path.join(ROOT, ".contingent"), rest: args };
  const folder = args[at + 1];
  if (folder === undefined) throw new Problem("--data needs the folder that npm start was given.");
  return { folder: path.resolve(ROOT, folder), rest: args.toSpliced(at, 2) };
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

type Run = (databaseUrl: string) => number;

async function runOnOwn(folder: string, run: Run, makes: boolean): Promise<number> {
  const running = readLock(folder);
  if (running !== null) {
    if (running.databaseUrl === null) throw new Problem("The system is just being started: try again in a moment.");
    return run(running.databaseUrl);
  }
  if (!makes && !fs.existsSync(folder))
    throw new Problem(
      `There are no books in ${folder}: npm start keeps some, -- --data names another folder, DATABASE_URL another database.`,
    );
  const lock = takeLock(folder, say);
  try {
    const postgres = await startPostgres({
      folder: path.join(folder, "postgres"),
      logFile: path.join(folder, "logs/postgres.log"),
      keep: "data",
      say,
    });
    try {
      await postgres.ensureDatabase(DATABASE);
      return run(postgres.url(DATABASE));
    } finally {
      await postgres.stop();
    }
  } finally {
    lock.release();
  }
}

export interface RunOptions {
  /** Where there is no database yet, an empty one is made. */
  readonly makes?: boolean;
  /** Entry files that are run afterwards, if all went well. */
  readonly afterwards?: readonly string[];
}

/** Runs the entry file with this process's own arguments and leaves its exit code as ours. */
export async function runOnDatabase(entry: string, { makes = false, afterwards = [] }: RunOptions = {}): Promise<void> {
  try {
    const { folder, rest } = askedOf(process.argv.slice(2));
    const run: Run = (databaseUrl) => {
      const env = childEnvironment({ DATABASE_URL: databaseUrl });
      const runOne = (file: string, args: readonly string[]): number =>
        spawnSync(process.execPath, [path.join(ROOT, file), ...args], { env, stdio: "inherit" }).status ?? 1;
      return afterwards.reduce((code, file) => (code === 0 ? runOne(file, []) : code), runOne(entry, rest));
    };
    const given = process.env["DATABASE_URL"] ?? "";
    process.exitCode = given === "" ? await runOnOwn(folder, run, makes) : run(given);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    say(error.message);
    process.exitCode = 1;
  }
}
