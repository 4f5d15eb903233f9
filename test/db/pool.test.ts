/** Hazard: a database that goes away, refuses, or is asked for more than a job's path may ask. */
import { insist } from "@contingent/db/insist";
import {
  isGivenUp,
  isRefusal,
  openPool,
  readAll,
  sqlStateOf,
  transaction,
  violatedConstraint,
} from "@contingent/db/pool";
import { acceptedJob } from "@contingent/testkit/jobs";
import { startTcpLink } from "@contingent/testkit/tcp-link";
import { describe, expect, test } from "vitest";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();
/** In place of the usual 35 s. */
const PATIENCE_MS = 400;

/** The error that a statement ends with. */
async function errorOf(text: string): Promise<unknown> {
  return await db.pool.query(text).then(
    () => null,
    (error: unknown) => error,
  );
}

test("amounts are read as bigints, beyond what a double can tell apart", async () => {
  const { rows } = await db.pool.query("SELECT 9007199254740993::bigint AS amount, $1::bigint AS given", [
    9007199254740995n,
  ]);
  expect(rows).toEqual([{ amount: 9007199254740993n, given: 9007199254740995n }]);
});

describe("a connection that a network has swallowed", () => {
  test("is given up when no answer can come any more, by a transaction without asking it to roll back", async () => {
    const { hostname, port } = new URL(db.url);
    const link = await startTcpLink({ host: hostname, port: Number(port) });
    const url = new URL(link.through(db.url));
    url.searchParams.set("query_timeout", String(PATIENCE_MS));
    const pool = openPool(url.href, { applicationName: "test" });
    await pool.query("SELECT 1");
    link.blackHole();
    const startedAtMs = performance.now();
    const error: unknown = await transaction(pool, (client) => client.query({ text: "SELECT 1" })).catch(
      (caught: unknown) => caught,
    );
    expect(error).toMatchObject({ message: "Query read timeout" });
    expect(isRefusal(error)).toBe(false);
    expect(performance.now() - startedAtMs).toBeLessThan(2 * PATIENCE_MS);
    await link.restore();
    expect((await pool.query("SELECT 1")).rowCount).toBe(1);
    await pool.end();
    await link.close();
  });

  test("is told from one whose statement may take long: nobody waits for less than the server works", async () => {
    const { statement_timeout: server, query_timeout: client } = db.pool.options;
    expect(Number(client)).toBeGreaterThan(Number(server));
    const url = new URL(db.url);
    url.searchParams.set("query_timeout", String(PATIENCE_MS));
    const pool = openPool(url.href, { applicationName: "test" });
    const longer = { text: `SELECT pg_sleep(${(2 * PATIENCE_MS) / 1000})` };
    await readAll(pool, { statementTimeoutMs: 60_000 }, (client_) => client_.query(longer));
    await expect(pool.query(longer)).rejects.toThrow("Query read timeout");
    await pool.end();
  });
});

describe("an error says whether repeating is of use", () => {
  test("not when the statement itself was refused", async () => {
    for (const text of ["SELECT 1/0", "SELECT nothing", "INSERT INTO customer (id) VALUES ('cus_x')"]) {
      expect(isRefusal(await errorOf(text))).toBe(true);
    }
    const error = await errorOf(
      "INSERT INTO hold (job_id, customer_id, amount_nanos, currency) VALUES ('job_x', 'cus_x', 0, 'USD')",
    );
    expect(violatedConstraint(error)).toBe("hold_amount_nanos_check");
  });

  test("but when the connection was cut, the statement took too long, or the database cannot be reached", async () => {
    const cut = await errorOf("SELECT pg_terminate_backend(pg_backend_pid())");
    const slow = await errorOf("SET statement_timeout = 1; SELECT pg_sleep(10)");
    const nowhere = openPool("postgres://127.0.0.1:1/none", { applicationName: "test" });
    const away: unknown = await nowhere.query("SELECT 1").catch((error: unknown) => error);
    await nowhere.end();
    expect([cut, slow, away].map(isRefusal)).toEqual([false, false, false]);
    expect([sqlStateOf(cut), sqlStateOf(slow), sqlStateOf(away)]).toEqual(["57P01", "57014", null]);
  });

  test("and a deadlock is nobody's fault", async () => {
    await Promise.all([acceptedJob(db.pool), acceptedJob(db.pool)]);
    const lock = (order: string) => `SELECT FROM job ORDER BY id ${order} LIMIT 1 FOR UPDATE`;
    const [one, two] = [await db.pool.connect(), await db.pool.connect()];
    await Promise.all([one.query("BEGIN"), two.query("BEGIN")]);
    await Promise.all([one.query(lock("ASC")), two.query(lock("DESC"))]);
    const results = await Promise.allSettled([one.query(lock("DESC")), two.query(lock("ASC"))]);
    await Promise.all([one.query("ROLLBACK"), two.query("ROLLBACK")]);
    one.release();
    two.release();
    const errors = results.flatMap((r) => (r.status === "rejected" ? [r.reason as unknown] : []));
    expect(errors.map((error) => [sqlStateOf(error), isGivenUp(error), isRefusal(error)])).toEqual([
      ["40P01", true, false],
    ]);
  });
});

describe("a pool", () => {
  test("survives that all of its connections are cut, and serves the next statement", async () => {
    const warnings: string[] = [];
    const log = { warn: (_: object, message: string) => void warnings.push(message) };
    const pool = openPool(db.url, { applicationName: "to be cut", log });
    await Promise.all([pool.query("SELECT pg_sleep(0)"), pool.query("SELECT pg_sleep(0)")]);
    await db.pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'to be cut'");
    const soon = performance.now() + 10_000;
    const found = await insist(() => pool.query<{ one: number }>("SELECT 1 AS one"), soon);
    expect(found.rows).toEqual([{ one: 1 }]);
    expect(new Set(warnings)).toEqual(new Set(["database connection broke"]));
    await pool.end();
  });

  test("plans nothing on a job's path that reads whole tables, and everything where that is asked for", async () => {
    const text =
      "SELECT name, setting FROM pg_settings WHERE name IN ('enable_seqscan', 'enable_hashjoin', 'enable_mergejoin', 'enable_bitmapscan')";
    const settings = async (run: (sql: string) => Promise<{ rows: { setting: string }[] }>) =>
      (await run(text)).rows.map((row) => row.setting);
    expect(await settings((sql) => db.pool.query(sql))).toEqual(["off", "off", "off", "off"]);
    const inside = await readAll(db.pool, { statementTimeoutMs: 1_000 }, (client) =>
      settings((sql) => client.query<{ setting: string }>({ text: sql })),
    );
    expect(inside).toEqual(["on", "on", "on", "on"]);
    expect(await settings((sql) => db.pool.query(sql))).toEqual(["off", "off", "off", "off"]);
  });
});

describe("a transaction", () => {
  const make = "INSERT INTO customer (id, name) VALUES ('cus_t', 'T')";

  test("that fails leaves nothing, and its connection is of use again", async () => {
    const pool = db.another(1);
    const failing = transaction(pool, async (client) => {
      await client.query({ text: make });
      throw new Error("changed my mind");
    });
    await expect(failing).rejects.toThrow("changed my mind");
    expect((await pool.query("SELECT FROM customer WHERE id = 'cus_t'")).rowCount).toBe(0);
  });

  test("whose connection is cut half-way does not give a broken connection back", async () => {
    const pool = db.another(1);
    const cut = transaction(pool, (client) => client.query({ text: "SELECT pg_terminate_backend(pg_backend_pid())" }));
    await expect(cut).rejects.toMatchObject({ code: "57P01" });
    expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  });

  test("for reading refuses to write, and sees one moment", async () => {
    const writing = readAll(db.pool, { statementTimeoutMs: 1_000 }, (client) => client.query({ text: make }));
    await expect(writing).rejects.toMatchObject({ code: "25006" });
    const counts = await readAll(db.pool, { statementTimeoutMs: 1_000 }, async (client) => {
      const count = async () =>
        (await client.query<{ n: bigint }>({ text: "SELECT count(*) AS n FROM customer" })).rows[0]?.n;
      const before = await count();
      await db.pool.query("INSERT INTO customer (id, name) VALUES ('cus_meanwhile', 'M')");
      return [before, await count()];
    });
    expect(counts[0]).toBe(counts[1]);
  });
});

describe("insisting", () => {
  test("repeats until the database is back", async () => {
    let tries = 0;
    const write = async () => {
      tries += 1;
      if (tries < 3) throw Object.assign(new Error("away"), { code: "ECONNREFUSED" });
      return "written";
    };
    expect(await insist(write, performance.now() + 10_000)).toBe("written");
    expect(tries).toBe(3);
  });

  test("stops at once when the database refuses what was said", async () => {
    let tries = 0;
    const write = async () => {
      tries += 1;
      return await db.pool.query("SELECT 1/0");
    };
    await expect(insist(write, performance.now() + 10_000)).rejects.toMatchObject({ code: "22012" });
    expect(tries).toBe(1);
  });

  test("gives up when its time is over, with what was in the way", async () => {
    const write = () => Promise.reject(new Error("still away"));
    await expect(insist(write, performance.now() + 120)).rejects.toThrow("still away");
  });
});
