/** Restores a backup into the empty database at DATABASE_URL: `node packages/db/src/restore-main.ts --from <file>`. */
import { runCommand } from "./backup/command.ts";
import { restore } from "./backup/restore.ts";

await runCommand("from", async (url, file) => {
  const { madeAt, tables, rows, migrated } = await restore(url, file);
  const since = migrated.length === 0 ? "" : `, and ${migrated.length} migrations since then`;
  return `restored ${rows} rows of ${tables} tables as of ${madeAt}${since}`;
});
