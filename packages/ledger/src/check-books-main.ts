/**
 * Checks all invariants on the database at DATABASE_URL and prints a line for each; exits 1 when one is broken. With
 * --incremental only what was written since the last clean check is looked at.
 */
import { parseArgs } from "node:util";
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { openPool } from "@contingent/db/pool";
import { runBookCheck } from "./book-checks.ts";

const url = process.env["DATABASE_URL"];
if (url === undefined || url === "") {
  process.stderr.write("DATABASE_URL is not set; set it to postgres://user:password@host:port/database\n");
  process.exit(78);
}

/** Whether the command line asks for what is new only. */
function isIncremental(): boolean {
  try {
    return parseArgs({ options: { incremental: { type: "boolean", default: false } } }).values.incremental;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)} (there is --incremental)\n`);
    process.exit(64);
  }
}

const mode = isIncremental() ? "incremental" : "full";
const pool = openPool(url, { applicationName: "contingent-check-books", connectionsMax: 5 });
try {
  const check = await runBookCheck(pool, outcomeTypeVersions(pool), mode);
  if (check === null) throw new Error("another check is under way; try again when it is done");
  for (const { number, promise, durationMs, violations } of check.invariants) {
    const mark = violations.length === 0 ? "holds " : "BROKEN";
    process.stdout.write(`${mark} ${String(number).padStart(2)}  ${promise} (${durationMs.toFixed(0)} ms)\n`);
    for (const what of violations) process.stdout.write(`           ${what}\n`);
  }
  const broken = check.invariants.filter((r) => r.violations.length > 0).length;
  const looked = check.mode === "full" ? "all of the books" : "what was written since the last clean check";
  const held = check.invariants.length - broken;
  process.stdout.write(
    `${held} of ${check.invariants.length} invariants hold, on ${looked} (${(check.durationMs / 1_000).toFixed(1)} s)\n`,
  );
  if (broken > 0) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`the books cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
} finally {
  await pool.end();
}
