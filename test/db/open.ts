/** What the database tests share: a migrated database with a pool on it, and both gone afterwards. */
import { openPool, type OpenPool } from "@contingent/db/pool";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { afterAll, beforeAll } from "vitest";

export interface OpenDatabase {
  readonly url: string;
  readonly pool: OpenPool;
  /** Another pool on the same database, as another process would have. */
  readonly another: (connectionsMax?: number) => OpenPool;
}

/** A database for all tests of a file. Read its members only inside tests. */
export function databaseOfThisFile(): OpenDatabase {
  let database: TestDatabase;
  const pools: OpenPool[] = [];
  const open = (connectionsMax?: number): OpenPool => {
    const options = connectionsMax === undefined ? {} : { connectionsMax };
    const pool = openPool(database.url, { applicationName: "test", ...options });
    pools.push(pool);
    return pool;
  };
  let pool: OpenPool;
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
