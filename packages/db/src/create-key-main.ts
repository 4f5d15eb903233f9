/**
 * Makes API keys on the database at DATABASE_URL and prints them, once: they are stored as hashes.
 *
 *     node packages/db/src/create-key-main.ts              an operator's key
 *     node packages/db/src/create-key-main.ts "Acme Ltd"   a new customer, and a key for it
 */
import { ensureCustomer } from "./customers.ts";
import { newId } from "./ids.ts";
import { createKey } from "./keys.ts";
import { openPool, SERVICE_ROLE } from "./pool.ts";

const url = process.env["DATABASE_URL"];
if (url === undefined || url === "") {
  process.stderr.write("DATABASE_URL is not set; set it to postgres://user:password@host:port/database\n");
  process.exit(78);
}
const [customerName] = process.argv.slice(2);
const pool = openPool(url, { applicationName: "contingent-create-key", connectionsMax: 1, role: SERVICE_ROLE });
try {
  if (customerName === undefined) {
    const { text } = await createKey(pool, { kind: "operator", label: "made by hand" });
    process.stdout.write(`operator key ${text}\n`);
  } else {
    const customerId = newId("cus");
    await ensureCustomer(pool, { id: customerId, name: customerName });
    const { text } = await createKey(pool, { kind: "customer", customerId, label: "made by hand" });
    process.stdout.write(`customer ${customerId} (${customerName})\ncustomer key ${text}\n`);
  }
} catch (error) {
  process.stderr.write(`no key was made: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
} finally {
  await pool.end();
}
