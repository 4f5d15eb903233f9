/** Hazard: books that have been damaged, and a check that does not see it, or sees damage where there is none. */
import { spawn } from "node:child_process";
import path from "node:path";
import { openPool, type Pool } from "@contingent/db/pool";
import { checkBooks, type CheckedInvariant } from "@contingent/ledger/check-books";
import { issueCreditNote } from "@contingent/ledger/disputes/credit-note";
import { openDispute } from "@contingent/ledger/disputes/open-dispute";
import { earnDue } from "@contingent/ledger/earn";
import { INVARIANTS } from "@contingent/ledger/invariants";
import { JOB_STATES } from "@contingent/core/job/job";
import { nanos, ZERO } from "@contingent/core/money";
import type { ValidationCost } from "@contingent/core/outcome-type";
import type { PriceTerms } from "@contingent/core/pricing/price";
import { WINDOW_MS } from "@contingent/core/job/job.fixture";
import { customerWith } from "@contingent/testkit/customers";
import { acceptedJob, answer, claim, driveTo, happens, judge, partsOf, take } from "@contingent/testkit/jobs";
import { freshDatabase, type TestDatabase } from "@contingent/testkit/postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DAMAGES } from "./damage.ts";

const MAIN = path.resolve(import.meta.dirname, "../../packages/ledger/src/check-books-main.ts");

/** 2 %: 400 nanos for a verdict that records 20,000. */
const BY_VALUE: PriceTerms = { shape: "value", rate: 0.02, path: "/recovered", min: ZERO, max: nanos(500n) };

const JUDGED: ValidationCost = { provider: "judges", name: "court", cost: nanos(70n) };

let database: TestDatabase;
let pool: Pool;

beforeEach(async () => {
  database = await freshDatabase();
  pool = openPool(database.url, { applicationName: "test" });
});

afterEach(async () => {
  await pool.end();
  await database.drop();
});

async function broken(): Promise<readonly CheckedInvariant[]> {
  return (await checkBooks(pool, partsOf(pool).versions)).filter((result) => result.violations.length > 0);
}

/** One job of every fate, by the names that the damages use. */
async function everyFate(): Promise<Readonly<Record<string, string>>> {
  const failed = await acceptedJob(pool);
  const valued = await acceptedJob(pool, { terms: { price: BY_VALUE, validation: JUDGED } });
  const [charged, charged2, credited, disputed, earned, settling, open] = await Promise.all([
    driveTo(pool, "closed"),
    driveTo(pool, "closed"),
    driveTo(pool, "closed"),
    driveTo(pool, "closed"),
    driveTo(pool, "closed", { terms: { disputeWindowMs: 0 } }),
    driveTo(pool, "settling"),
    driveTo(pool, "attempting"),
    take(pool, failed, claim(), answer(), judge("fail"), happens("cancel"), happens("settled")),
    take(pool, valued, claim(), answer(), judge("pass", 1, nanos(20_000n)), happens("settled")),
  ]);
  for (const amount of [nanos(100n), nanos(200n)]) {
    await issueCreditNote(pool, { jobId: credited, amount, reason: "Sorry.", ref: amount.toString() });
  }
  await openDispute(pool, { jobId: disputed, asked: nanos(300n), reason: "It is wrong.", reverification: {} });
  await earnDue(pool, 10);
  const charges = { valued, charged2, charged, credited, disputed, earned };
  return { ...charges, settling, open, failed, ...(await everyWayToPay()) };
}

/** Jobs of a customer who has paid before, with 600 nanos held for each, and of one who has a limit. */
async function everyWayToPay(): Promise<Readonly<Record<string, string>>> {
  const grants = [{ amount: 400n, kind: "promotion" } as const, { amount: 1_000n }, { amount: 5_000n, priority: 200 }];
  const payer = await customerWith(pool, { grants });
  const [promo = "", topup = "", unused = ""] = payer.grants;
  const limited = await customerWith(pool, { limit: { amount: 1_000n, period: "month" } });
  await acceptedJob(pool, { customerId: limited.id });
  const price = {
    shape: "tiered",
    amount: nanos(600n),
    bands: [
      { fromScore: 0.5, fraction: 0.5 },
      { fromScore: 0.9, fraction: 1 },
    ],
  } as const;
  // 400 of the promotion and 200 of the top-up are held, and 300 of the promotion are spent.
  const shared = await acceptedJob(pool, { customerId: payer.id, terms: { price, attemptsMax: 1 } });
  await take(pool, shared, claim(), answer(), judge("partial"), happens("settled"));
  const prepaid = await driveTo(pool, "attempting", { customerId: payer.id, terms: { price } });
  return { prepaid, shared, promo, topup, unused, limited: limited.id };
}

/** Runs the statements with every trigger and foreign key off. */
async function plant(sql: readonly string[], jobs: Readonly<Record<string, string>>): Promise<void> {
  const client = await pool.connect();
  await client.query("SET session_replication_role = replica");
  for (const statement of sql) {
    const text = Object.entries(jobs).reduce((t, [name, id]) => t.replaceAll(`$${name}`, id), statement);
    const { rowCount } = await client.query(text);
    if (rowCount === 0) throw new Error(`no damage was done by: ${text}`);
  }
  client.release(true);
}

describe("nothing is reported", () => {
  test("of an empty database", async () => {
    expect(await broken()).toEqual([]);
  });

  test("of jobs in every state", async () => {
    await Promise.all(JOB_STATES.map((state) => driveTo(pool, state)));
    await everyFate();
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

  test("of more charges than fit a page", async () => {
    const ids = await Promise.all(Array.from({ length: 1_100 }, () => driveTo(pool, "closed")));
    expect(await broken()).toEqual([]);
    const last = ids.reduce((a, b) => (a > b ? a : b));
    await plant(["UPDATE verdict SET score = 0.2 WHERE job_id = '$last'"], { last });
    const [mispriced] = await broken();
    expect(mispriced?.violations).toEqual([expect.stringContaining(last)]);
  });
});

describe("damage is reported by the invariant that it breaks", () => {
  test.each(DAMAGES.map((damage) => [damage.noticed.join(" and "), damage.what, damage] as const))(
    "%s: %s",
    async (_, __, damage) => {
      const { noticed, sql } = damage;
      const jobs = await everyFate();
      await plant(sql, jobs);
      const reported = await broken();
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

  test("with a bounded number of examples", async () => {
    await Promise.all(Array.from({ length: 30 }, () => driveTo(pool, "queued")));
    await plant(["UPDATE job SET deadline_at = now() - interval '1 day'"], {});
    expect((await broken()).map((r) => r.violations.length)).toEqual([20]);
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

test("the command says how each invariant fares and fails when one is broken, or when it cannot read", async () => {
  const jobs = await everyFate();
  const fine = await runMain(database.url);
  expect(fine.code).toBe(0);
  expect(fine.out.trimEnd().split("\n")).toHaveLength(INVARIANTS.length + 2);
  expect(fine.out).toContain(`${INVARIANTS.length + 1} of ${INVARIANTS.length + 1} invariants hold`);

  await plant(["UPDATE hold SET state = 'voided' WHERE job_id = '$charged'"], jobs);
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
