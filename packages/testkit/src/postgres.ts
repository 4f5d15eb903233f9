/**
 * A database for every test that asks. One server runs for the whole test run (global-setup.ts); a test's database is a
 * clone of a migrated template, which takes about 0.1 s, and is nobody else's.
 */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { POSTGRES_URL, TEMPLATE } from "./servers.ts";

export interface TestDatabase {
  readonly url: string;
  /** Cuts off whoever is still connected. */
  drop(): Promise<void>;
}

/** A migrated database of its own, empty. */
export async function freshDatabase(): Promise<TestDatabase> {
  return await cloneOf(TEMPLATE);
}

/** A database without any schema, for tests of migrations. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return await cloneOf("template0");
}

async function cloneOf(template: string): Promise<TestDatabase> {
  const server = serverUrl();
  const name = `test_${randomBytes(8).toString("hex")}`;
  await administer(server, `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) };
}

/** The server of this test run, as its superuser. */
export function serverUrl(): string {
  const url = process.env[POSTGRES_URL];
  if (url === undefined) {
    throw new Error(`${POSTGRES_URL} is not set: run this through vitest, whose global setup starts the server.`);
  }
  return url;
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  client.on("error", () => undefined);
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Empties the tables of a schema, but for those whose names are like `except`. */
export async function truncateTables(
  url: string,
  { schema, except }: { readonly schema: string; readonly except: string },
): Promise<void> {
  await administer(
    url,
    `DO $$
     DECLARE tables text;
     BEGIN
       SELECT string_agg(format('%I.%I', schemaname, tablename), ', ') INTO tables FROM pg_tables
        WHERE schemaname = '${schema}' AND tablename NOT LIKE '${except}';
       IF tables IS NOT NULL THEN EXECUTE 'TRUNCATE ' || tables; END IF;
     END $$`,
  );
}
