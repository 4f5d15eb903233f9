/**
 * Computes the chain of blocks at DATABASE_URL again and says whether it holds; exits 1 when it does not. `<number>:<hash>`
 * as an argument is a block as it was kept elsewhere: with it even a chain that was rewritten as a whole is found out.
 */
import { openPool } from "@contingent/db/pool";
import { type ChainReport, verifyChain, type VerifyOptions } from "./bookkeeping/verify-chain.ts";

const USAGE_EXIT_CODE = 64;
const CONFIG_EXIT_CODE = 78;

function fail(code: number, message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

function anchorOf(argument: string | undefined): VerifyOptions {
  if (argument === undefined) return {};
  const [, number, hash] = /^(\d{1,9}):([0-9a-f]{64})$/.exec(argument) ?? [];
  if (number === undefined || hash === undefined) {
    return fail(USAGE_EXIT_CODE, `"${argument}" is no block: write <number>:<hash>, as this command prints it`);
  }
  return { anchor: { number: Number(number), hash } };
}

function print({ blocks, transactions, head, mismatch, strays, unsealed }: ChainReport): void {
  if (mismatch !== null) process.stdout.write(`BROKEN at block ${mismatch.number}: ${mismatch.what}\n`);
  for (const what of strays) process.stdout.write(`BROKEN ${what}\n`);
  process.stdout.write(
    `${blocks} blocks with ${transactions} transactions are as they were sealed; ${unsealed} wait\n`,
  );
  if (head !== null) process.stdout.write(`the last block, worth keeping elsewhere, is ${head.number}:${head.hash}\n`);
}

const url = process.env["DATABASE_URL"];
if (url === undefined || url === "") {
  fail(CONFIG_EXIT_CODE, "DATABASE_URL is not set; set it to postgres://user:password@host:port/database");
}
const options = anchorOf(process.argv[2]);
const pool = openPool(url, { applicationName: "contingent-verify-chain", connectionsMax: 1 });
try {
  const report = await verifyChain(pool, options);
  print(report);
  if (report.mismatch !== null || report.strays.length > 0) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`the books cannot be read: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
} finally {
  await pool.end();
}
