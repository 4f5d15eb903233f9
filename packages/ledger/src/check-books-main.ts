/** Runs all invariants on the database at DATABASE_URL and prints a line for each; exits 1 when one is broken. */
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { openPool } from "@contingent/db/pool";
import { checkBooks } from "./check-books.ts";

const url = process.env["DATABASE_URL"];
if (url === undefined || url === "") {
  process.stderr.write("DATABASE_URL is not set; set it to postgres://user:password@host:port/database\n");
  process.exit(78);
}
const pool = openPool(url, { applicationName: "contingent-check-books", connectionsMax: 2 });
try {
  const results = await checkBooks(pool, outcomeTypeVersions(pool));
  for (const { number, promise, durationMs, violations } of results) {
    const mark = violations.length === 0 ? "holds " : "BROKEN";
    process.stdout.write(`${mark} ${String(number).padStart(2)}  ${promise} (${durationMs.toFixed(0)} ms)\n`);
    for (const what of violations) process.stdout.write(`           ${what}\n`);
  }
  const broken = results.filter((r) => r.violations.length > 0).length;
  process.stdout.write(`${results.length - broken} of ${results.length} invariants hold\n`);
  if (broken > 0) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`the books cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
} finally {
  await pool.end();
}
