import pg from "pg";
import { afterEach, expect, it } from "vitest";
import { freshDatabase, emptyDatabase, type TestDatabase } from "../src/postgres.ts";
import { describeEachTransport, freshQueue } from "../src/transports.ts";

const databases: TestDatabase[] = [];
afterEach(async () => {
  await Promise.all(databases.splice(0).map((database) => database.drop()));
});

async function open(kind: () => Promise<TestDatabase>): Promise<TestDatabase> {
  const database = await kind();
  databases.push(database);
  return database;
}

async function query(database: TestDatabase, text: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

it("a fresh database has the schema and nobody else's rows", async () => {
  const [one, other] = await Promise.all([open(freshDatabase), open(freshDatabase)]);
  await query(one, "CREATE TABLE only_here (id int)");
  expect(await query(one, "SELECT to_regclass('schema_migration') IS NOT NULL AS migrated")).toEqual([
    { migrated: true },
  ]);
  expect(await query(other, "SELECT to_regclass('only_here') AS found")).toEqual([{ found: null }]);
});

it("an empty database has no schema", async () => {
  const database = await open(emptyDatabase);
  expect(await query(database, "SELECT to_regclass('schema_migration') AS found")).toEqual([{ found: null }]);
});

describeEachTransport("a fresh queue", (transport) => {
  it("is not shared with the test before", async () => {
    const [one, other] = await Promise.all([open(freshDatabase), open(freshDatabase)]);
    const queues = await Promise.all([freshQueue(transport, one.url), freshQueue(transport, other.url)]);
    expect(new Set(queues.map((queue) => queue.url)).size).toBe(2);
    expect(queues.every((queue) => queue.url.startsWith(`${transport}://`))).toBe(true);
  });
});
