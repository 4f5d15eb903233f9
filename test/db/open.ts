/** What the database tests share: a migrated database with a pool on it, and both gone afterwards. */
import { openPool, type Pool } from "@contingent/db/pool";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { afterAll, beforeAll } from "vitest";

export interface OpenDatabase {
  readonly url: string;
  readonly pool: Pool;
  /** Another pool on the same database, as another process would have. */
  readonly another: (connectionsMax?: number) => Pool;
}

/** A database for all tests of a file. Read its members only inside tests. */
export function databaseOfThisFile(): OpenDatabase {
  let database: TestDatabase;
  const pools: Pool[] = [];
  const open = (connectionsMax?: number): Pool => {
    const options = connectionsMax === undefined ? {} : { connectionsMax };
    const pool = openPool(database.url, { applicationName: "test", ...options });
    pools.push(pool);
    return pool;
  };
  let pool: Pool;
  beforeAll(async () => {
    database = await freshDatabase();
    pool = open();
  });
  afterAll(async () => {
    await Promise.all(pools.filter((each) => !each.ended).map((each) => each.end()));
    await database.drop();
  });
  return {
    get url() {
      return database.url;
    },
    get pool() {
      return pool;
    },
    another: open,
  };
}
