/** Migrates the database at DATABASE_URL: `node packages/db/src/migrate-main.ts`. */
import { migrate } from "./migrate.ts";

const url = process.env["DATABASE_URL"];
if (url === undefined || url === "") {
  process.stderr.write("DATABASE_URL is not set; set it to postgres://user:password@host:port/database\n");
  process.exit(78);
}
try {
  const applied = await migrate(url);
  process.stdout.write(applied.length === 0 ? "the schema is up to date\n" : `applied ${applied.join(", ")}\n`);
} catch (error) {
  process.stderr.write(`migration failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
