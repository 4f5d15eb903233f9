/**
 * Migrates the database at DATABASE_URL, as its owner: `node packages/db/src/migrate-main.ts`. With SERVICE_DATABASE_URL, the
 * same database as services log in to it, it makes their role, too; QUEUE_URL says whether they keep their queues there.
 */
import { migrate } from "./migrate.ts";
import { ensureServiceLogin } from "./service-login.ts";

const url = process.env["DATABASE_URL"];
if (url === undefined || url === "") {
  process.stderr.write("DATABASE_URL is not set; set it to postgres://user:password@host:port/database\n");
  process.exit(78);
}
try {
  const applied = await migrate(url);
  const serviceUrl = process.env["SERVICE_DATABASE_URL"] ?? "";
  const carriesQueues = /^postgres(ql)?:/.test(process.env["QUEUE_URL"] ?? "");
  if (serviceUrl !== "") await ensureServiceLogin(url, { url: serviceUrl, carriesQueues });
  process.stdout.write(applied.length === 0 ? "the schema is up to date\n" : `applied ${applied.join(", ")}\n`);
} catch (error) {
  process.stderr.write(`migration failed: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
