/** Hazard: books that have been damaged, and a check that does not see it, or sees damage where there is none. */
import { spawn } from "node:child_process";
import path from "node:path";
import { openPool, type OpenPool, type Queryable, readWholeTables } from "@contingent/db/pool";
import { checkBooks, checkBooksWithin, type CheckedInvariant } from "@contingent/ledger/check-books";
import { INVARIANTS } from "@contingent/ledger/invariants";
import { JOB_STATES } from "@contingent/core/job/job";
import { WINDOW_MS } from "@contingent/core/job/job.fixture";
import { driveTo, happens, partsOf, take } from "@contingent/testkit/jobs";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DAMAGES } from "./damage.ts";
import { everyFate, type Names, plant, whileDamaged } from "./every-fate.ts";

const MAIN = path.resolve(import.meta.dirname, "../../packages/ledger/src/check-books-main.ts");

const STATEMENT_TIMEOUT_MS = 30_000;

let database: TestDatabase;
let pool: OpenPool;

async function open(): Promise<void> {
  database = await freshDatabase();
  pool = openPool(database.url, { applicationName: "test" });
}

async function close(): Promise<void> {
  await pool.end();
  await database.drop();
}

const isBroken = ({ violations }: CheckedInvariant): boolean => violations.length > 0;

async function broken(): Promise<readonly CheckedInvariant[]> {
  return (await checkBooks(pool, partsOf(pool).versions)).filter(isBroken);
}

describe("nothing is reported", () => {
  beforeEach(open);
  afterEach(close);

  test("of an empty database", async () => {
    expect(await broken()).toEqual([]);
  });

  test("of jobs in every state", async () => {
    await Promise.all(JOB_STATES.map((state) => driveTo(pool, state)));
    await everyFate(pool);
    expect(await broken()).toEqual([]);
  });

  test("of a job whose acceptance window outlasts its deadline, also while its silence is being settled", async () => {
    const id = await driveTo(pool, "awaiting_acceptance");
    await pool.query("UPDATE job SET deadline_at = now() - interval '1 day' WHERE id = $1", [id]);
    expect(await broken()).toEqual([]);
    await pool.query(`UPDATE job SET ready_at = now() - interval '${WINDOW_MS} ms' WHERE id = $1`, [id]);
    await take(pool, id, happens("woke"));
    expect(await broken()).toEqual([]);
  });

  test("of more prices than fit a page", async () => {
    await driveTo(pool, "closed");
    await chargedLikeIt(3_000);
    expect(await mispriced()).toEqual([]);
    // On the last page where they are sorted, on any where they are not.
    await plant(pool, ["UPDATE job SET price_nanos = price_nanos + 1 WHERE id LIKE '%x100_'"], {});
    expect(await mispriced()).toHaveLength(10);
  });

  async function mispriced(): Promise<readonly string[]> {
    const results = await checkBooks(pool, partsOf(pool).versions);
    return results.find(({ number }) => number === 11)?.violations ?? [];
  }

  /** As many charges as the only job's, for verdicts with scores of their own: each is priced by itself. Nothing is booked. */
  async function chargedLikeIt(count: number): Promise<void> {
    const { rows } = await pool.query<{ table: string; columns: string[] }>(`
      SELECT table_name AS table, array_agg(column_name::text ORDER BY ordinal_position) AS columns
        FROM information_schema.columns
       WHERE table_schema = current_schema() AND table_name IN ('job', 'hold', 'charge', 'verdict') AND is_generated = 'NEVER'
       GROUP BY 1`);
    const own = new Set(["job.id", "verdict.id", "job_id", "attempt_id", "verdict_id"]);
    const copies = rows.map(({ table, columns }) => {
      const copied = columns.map((column) => {
        if (own.has(column) || own.has(`${table}.${column}`)) return `${column} || 'x' || n`;
        return column === "score" ? "0.95 + n / 1e6" : column;
      });
      return `INSERT INTO ${table} (${columns.join(", ")}) SELECT ${copied.join(", ")} FROM ${table}, generate_series(1, ${count}) n`;
    });
    await plant(pool, copies, {});
  }
});

describe("damage is reported by the invariant that it breaks", () => {
  let fates: Names;

  beforeAll(async () => {
    await open();
    fates = await everyFate(pool);
  });
  afterAll(close);

  async function brokenWithin(client: Queryable): Promise<readonly CheckedInvariant[]> {
    await readWholeTables(client, STATEMENT_TIMEOUT_MS);
    const { invariants } = await checkBooksWithin(client, pool, partsOf(pool).versions, null);
    return invariants.filter(isBroken);
  }

  test.each(DAMAGES.map((damage) => [damage.noticed.join(" and "), damage.what, damage] as const))(
    "%s: %s",
    async (_, __, damage) => {
      const { noticed, sql } = damage;
      const reported = await whileDamaged(pool, sql, fates, brokenWithin);
      expect(reported.map((r) => r.number)).toEqual([...noticed].toSorted((a, b) => a - b));
      for (const { violations } of reported) for (const what of violations) expect(what).toMatch(/\S/);
    },
  );

  test("and every invariant has a damage that it alone must notice, but those that others imply", () => {
    const alone = DAMAGES.filter(({ noticed }) => noticed.length === 1).map(({ noticed }) => noticed[0]);
    const numbers = [...INVARIANTS.map((invariant) => invariant.number), 11];
    // A trial balance that is not zero has a transaction that is not.
    expect(numbers.filter((number) => !alone.includes(number))).toEqual([16]);
  });

  test("and none of it is left behind", async () => {
    expect(await broken()).toEqual([]);
  });
});

/** Runs the entry file behind `npm run check:books`. */
async function runMain(url: string): Promise<{ code: number | null; out: string; err: string }> {
  const env = { PATH: process.env["PATH"] ?? "", DATABASE_URL: url };
  const child = spawn(process.execPath, [MAIN], { env, stdio: ["ignore", "pipe", "pipe"] });
  const said = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (said.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (said.err += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => void child.on("close", resolve));
  return { code, ...said };
}

describe("a report", () => {
  beforeEach(open);
  afterEach(close);

  test("has a bounded number of examples", async () => {
    await Promise.all(Array.from({ length: 30 }, () => driveTo(pool, "queued")));
    await plant(pool, ["UPDATE job SET deadline_at = now() - interval '1 day'"], {});
    expect((await broken()).map((r) => r.violations.length)).toEqual([20]);
  });

  test("by the command says how each invariant fares and fails when one is broken, or when it cannot read", async () => {
    const jobs = await everyFate(pool);
    const fine = await runMain(database.url);
    expect(fine.code).toBe(0);
    expect(fine.out.trimEnd().split("\n")).toHaveLength(INVARIANTS.length + 2);
    expect(fine.out).toContain(`${INVARIANTS.length + 1} of ${INVARIANTS.length + 1} invariants hold`);

    await plant(pool, ["UPDATE hold SET state = 'voided' WHERE job_id = '$charged'"], jobs);
    const damaged = await runMain(database.url);
    expect(damaged.code).toBe(1);
    expect(damaged.out).toMatch(/^BROKEN 13 {2}each hold ends exactly once/m);
    expect(damaged.out).toContain(`${jobs["charged"]}: hold voided, 1 endings booked`);

    expect(await runMain("")).toEqual({
      code: 78,
      out: "",
      err: expect.stringContaining("DATABASE_URL is not set") as unknown,
    });
    const elsewhere = new URL(database.url);
    elsewhere.pathname = "/template1";
    const unreadable = await runMain(elsewhere.href);
    expect(unreadable).toMatchObject({ code: 2, out: "" });
    expect(unreadable.err).toContain("the books cannot be read");
  });
});
