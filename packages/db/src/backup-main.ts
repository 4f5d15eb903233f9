/** Backs up the database at DATABASE_URL: `node packages/db/src/backup-main.ts --to <file>`. */
import { backUp } from "./backup/backup.ts";
import { runCommand } from "./backup/command.ts";

const MEGABYTE = 1_000_000;

await runCommand("to", async (url, file) => {
  const { tables, rows, bytes } = await backUp(url, file);
  return `${file}: ${rows} rows of ${tables} tables, ${(bytes / MEGABYTE).toFixed(1)} MB`;
});
