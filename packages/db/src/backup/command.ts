/** What the two commands have in common: the one option that names a file, and how an end is told. */
import { parseArgs } from "node:util";
import { BackupRefusedError } from "./backup.ts";
import { DamagedBackupError } from "./frames.ts";
import { RestoreRefusedError } from "./restore.ts";

const EXIT_PROBLEM = 1;
const EXIT_USAGE = 64;
const EXIT_CONFIG = 78;

/** Runs the command with the database at DATABASE_URL and the file that the option names. */
export async function runCommand(
  option: "to" | "from",
  run: (url: string, file: string) => Promise<string>,
): Promise<void> {
  const url = process.env["DATABASE_URL"] ?? "";
  if (url === "") fail(EXIT_CONFIG, "DATABASE_URL is not set; set it to postgres://user:password@host:port/database");
  const file = fileOf(option);
  try {
    process.stdout.write(`${await run(url, file)}\n`);
  } catch (error) {
    fail(EXIT_PROBLEM, problemOf(error, file));
  }
}

function fileOf(option: "to" | "from"): string {
  try {
    const { values } = parseArgs({ options: { to: { type: "string" }, from: { type: "string" } } });
    const file = values[option];
    if (file !== undefined && Object.keys(values).length === 1) return file;
  } catch {
    // Told like a missing one.
  }
  fail(EXIT_USAGE, `name the file: --${option} <file>`);
}

function problemOf(error: unknown, file: string): string {
  if (error instanceof DamagedBackupError)
    return `${file} is damaged, or no backup: ${error.message}. Nothing was restored.`;
  if (error instanceof BackupRefusedError || error instanceof RestoreRefusedError) return error.message;
  return `it failed: ${error instanceof Error ? error.message : String(error)}`;
}

function fail(code: number, message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
