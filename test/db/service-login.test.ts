/** Hazard: whoever has taken a service over is more in the database than the service. */
import { randomBytes } from "node:crypto";
import { openPool, type OpenPool, SERVICE_ROLE } from "@contingent/db/pool";
import { databaseSafety } from "@contingent/db/safety";
import { ensureServiceLogin, UnsafeLoginError } from "@contingent/db/service-login";
import { TENANT_ROLE, tenantsOf } from "@contingent/db/tenants";
import { openQueues } from "@contingent/queue/queues";
import { CUSTOMER, driveTo } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outcomeOf } from "../ledger/by-hand.ts";
import { databaseOfThisFile } from "./open.ts";

const DENIED = "42501";
/** Roles belong to the server, which other tests use too. */
const NAME = `login_${randomBytes(6).toString("hex")}`;
const db = databaseOfThisFile();
const pools: OpenPool[] = [];
let url: string;

function open(role?: string): OpenPool {
  const pool = openPool(url, { applicationName: "login-test", ...(role === undefined ? {} : { role }) });
  pools.push(pool);
  return pool;
}

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

beforeAll(async () => {
  // As services of an earlier version have: logged in as the owner.
  await (await openQueues(db.url, { log })).close();
  url = loginWith("first");
  await ensureServiceLogin(db.url, { url, carriesQueues: true });
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await db.pool.query(`DROP OWNED BY ${NAME} CASCADE`);
  await db.pool.query(`DROP ROLE ${NAME}`);
});

function loginWith(password: string): string {
  const login = new URL(db.url);
  login.username = NAME;
  login.password = password;
  return login.href;
}

test("services do all of their work with it", async () => {
  const id = await driveTo(open(SERVICE_ROLE), "closed");
  const own = tenantsOf(open(TENANT_ROLE)).of([CUSTOMER]);
  expect((await own.query("SELECT id FROM charge c JOIN job j ON j.id = c.job_id")).rows).toEqual([{ id }]);
});

test("queues that the owner made are carried on by it", async () => {
  const queues = await openQueues(url, { log });
  await queues.publish("settle", { jobId: "job_x", revision: 1 });
  expect(await queues.depth("settle")).toMatchObject({ waiting: 1 });
  await queues.close();
});

test("it is safe to give services where customers are real, and the owner is not", async () => {
  expect(await databaseSafety(open())).toMatchObject({ seesEverything: false, ownsTables: false });
  expect(await databaseSafety(db.pool)).toMatchObject({ seesEverything: true });
  await db.pool.query(`ALTER TABLE job OWNER TO ${NAME}`);
  expect(await databaseSafety(open())).toMatchObject({ seesEverything: false, ownsTables: true });
  await db.pool.query("ALTER TABLE job OWNER TO CURRENT_USER");
});

describe("by itself it has no right to", () => {
  test.each([
    "SELECT * FROM job",
    "INSERT INTO posting DEFAULT VALUES",
    "SELECT book('[]')",
    "ALTER TABLE job NO FORCE ROW LEVEL SECURITY",
    "CREATE TABLE mine ()",
    "SET ROLE contingent_ledger",
    "SET ROLE postgres",
    "CREATE ROLE mine",
  ])("%s", async (statement) => {
    expect(await outcomeOf(open(), statement)).toBe(DENIED);
  });
});

test("said again with another password, that one counts", async () => {
  const next = loginWith("second");
  await ensureServiceLogin(db.url, { url: next, carriesQueues: true });
  await expect(openPool(loginWith("first"), { applicationName: "x" }).query("SELECT 1")).rejects.toThrow("password");
  const pool = openPool(next, { applicationName: "login-test" });
  pools.push(pool);
  expect((await pool.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
});

test("a role that may do everything is not made a service's", async () => {
  const made = ensureServiceLogin(db.url, { url: db.url, carriesQueues: false });
  await expect(made).rejects.toThrow(UnsafeLoginError);
});
