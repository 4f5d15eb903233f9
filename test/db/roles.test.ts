/** Hazard: a service, or whoever has taken one over, writes the books past the one function that may. */
import { openPool, SERVICE_ROLE } from "@contingent/db/pool";
import { driveTo } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcomeOf } from "../ledger/by-hand.ts";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();
const DENIED = "42501";

let asService: ReturnType<typeof openPool>;
beforeAll(() => {
  asService = openPool(db.url, { applicationName: "roles-test", role: SERVICE_ROLE });
});
afterAll(() => asService.end());

test("a job lives from its acceptance to its charge with a service's rights alone", async () => {
  const id = await driveTo(asService, "closed");
  const { rows } = await db.pool.query("SELECT amount_nanos FROM charge WHERE job_id = $1", [id]);
  expect(rows).toEqual([{ amount_nanos: 500n }]);
});

describe("a service cannot", () => {
  test.each([
    "INSERT INTO posting (transaction_id, seq, kind, account_class, account_of, amount_nanos, currency) SELECT transaction_id, 99, kind, account_class, account_of, amount_nanos, currency FROM posting",
    "INSERT INTO ledger_transaction (id, kind, key, job_id, currency) SELECT 'txn_x', 'cost', 'x', id, 'USD' FROM job",
    "UPDATE posting SET amount_nanos = 1",
    "DELETE FROM ledger_transaction",
    "INSERT INTO permitted_flow VALUES ('void', 'cash', 'debit')",
    "UPDATE charge SET amount_nanos = 1",
    "DELETE FROM verdict",
    "TRUNCATE posting",
    "ALTER TABLE posting DISABLE TRIGGER ALL",
    "DROP TRIGGER postings_balance ON posting",
    "CREATE OR REPLACE FUNCTION book(entries jsonb) RETURNS bigint LANGUAGE sql AS 'SELECT 1::bigint'",
    "CREATE TABLE mine ()",
  ])("%s", async (statement) => {
    await driveTo(db.pool, "closed");
    expect(await outcomeOf(asService, statement)).toBe(DENIED);
  });

  test("book what does not balance, or what no kind permits, through the function either", async () => {
    const jobId = await driveTo(db.pool, "closed");
    const booking = (amounts: readonly (readonly [string, number])[]): string => {
      const postings = amounts.map(([accountClass, amount]) => [accountClass, "x", String(amount)]);
      const entries = [{ id: "txn_x", kind: "cost", key: "cost:x:y", job_id: jobId, currency: "USD", postings }];
      return `SELECT book('${JSON.stringify(entries)}')`;
    };
    expect(
      await outcomeOf(
        asService,
        booking([
          ["cogs", 5],
          ["payable", -4],
        ]),
      ),
    ).toBe("postings_balance");
    expect(
      await outcomeOf(
        asService,
        booking([
          ["cogs", 5],
          ["cash", -5],
        ]),
      ),
    ).toBe("posting_permitted_flow");
  });
});

test("a service may change nothing that only grows", async () => {
  const { rows } = await db.pool.query(`
    SELECT c.relname, p.privilege FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid, (VALUES ('UPDATE'), ('DELETE')) p (privilege)
     WHERE t.tgname = 'append_only' AND has_table_privilege('contingent_service', c.oid, p.privilege)`);
  expect(rows).toEqual([]);
});

test("nobody else may call the function that books", async () => {
  const { rows } = await db.pool.query<{ grantee: string }>(
    "SELECT coalesce(nullif(grantee::regrole::text, '-'), 'everybody') AS grantee FROM pg_proc, aclexplode(proacl) WHERE proname = 'book' ORDER BY 1",
  );
  expect(rows.map((row) => row.grantee)).toEqual(["contingent_ledger", "contingent_service", "contingent_tenant"]);
});
