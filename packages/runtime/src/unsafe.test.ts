import { describe, expect, it, test } from "vitest";
import { problemsOf, REFUSALS, refuseUnsafe } from "./unsafe.ts";

const settings = {
  CONTINGENT_ENV: "production",
  DATABASE_URL: "postgres://contingent_app:z8Kq1vX@db:5432/contingent",
  QUEUE_URL: "redis://:z8Kq1vX@redis:6379",
  PUBLIC_URL: "https://api.example.com",
  ANTHROPIC_API_KEY: "sk-ant-1",
  ANTHROPIC_BASE_URL: "https://api.anthropic.com",
  OUTGOING_ALLOW_LOOPBACK: "false",
} as const;
const database = { seesEverything: false, ownsTables: false, isolation: "read committed", isDurable: true };

/** What differs from a deployment that is as it should be, and the word that the refusal begins with. */
const UNSAFE: readonly (readonly [string, Partial<typeof database> | Readonly<Record<string, string>>])[] = [
  ["DATABASE_URL has a password", { DATABASE_URL: "postgres://contingent_app:contingent@db:5432/contingent" }],
  ["DATABASE_URL has a password", { DATABASE_URL: "postgres://contingent_app:P%61ssword@db:5432/contingent" }],
  ["DATABASE_URL has a password", { DATABASE_URL: "postgres://contingent_app@db:5432/contingent?password=contingent" }],
  ["QUEUE_URL has a password", { QUEUE_URL: "redis://:redis@redis:6379" }],
  ["QUEUE_URL names a Redis without", { QUEUE_URL: "redis://redis:6379" }],
  ["QUEUE_URL names a Redis without", { QUEUE_URL: "rediss://default@10.0.0.7:6379" }],
  ["DATABASE_URL reaches a host", { DATABASE_URL: "postgres://app:z8Kq1vX@db.example.com/contingent" }],
  ["DATABASE_URL reaches a host", { DATABASE_URL: "postgres://app:z8Kq1vX@db.example.com/contingent?sslmode=prefer" }],
  ["DATABASE_URL reaches a host", { DATABASE_URL: "postgres://app:z8Kq1vX@db/contingent?host=93.184.216.34" }],
  ["QUEUE_URL reaches a host", { QUEUE_URL: "redis://:z8Kq1vX@[2606:4700::1111]:6379" }],
  ["DATABASE_URL logs in as a superuser", { seesEverything: true }],
  ["DATABASE_URL logs in as the owner", { ownsTables: true }],
  ["the database isolates", { isolation: "serializable" }],
  ["the database isolates", { isolation: "repeatable read" }],
  ["the database forgets", { isDurable: false }],
  ["ANTHROPIC_API_KEY is the simulator's", { ANTHROPIC_API_KEY: "simulated" }],
  ["ANTHROPIC_BASE_URL is not https", { ANTHROPIC_BASE_URL: "http://simulator:8080" }],
  ["PUBLIC_URL is not https", { PUBLIC_URL: "http://api.example.com" }],
  ["OUTGOING_ALLOW_LOOPBACK is true", { OUTGOING_ALLOW_LOOPBACK: "true" }],
];

describe("in production a service refuses to start", () => {
  test.each(UNSAFE)("where %s …", async (begins, differs) => {
    const asIs = () => Promise.resolve({ ...database, ...differs });
    const started = refuseUnsafe({ ...settings, ...differs }, asIs);
    await expect(started).rejects.toMatchObject({ code: "config_invalid", exitCode: 78 });
    await expect(started).rejects.toThrow(new RegExp(`^${begins}[^\n]+$`));
  });

  it("for each reason in the table, and for no other", () => {
    expect(problemsOf(settings, database)).toEqual([]);
    const said = UNSAFE.flatMap(([, differs]) => problemsOf({ ...settings, ...differs }, { ...database, ...differs }));
    expect(new Set(said)).toEqual(new Set(REFUSALS.map(({ say }) => say)));
  });

  it("and says all of it at once", async () => {
    const started = refuseUnsafe(
      { ...settings, PUBLIC_URL: "http://api.example.com", QUEUE_URL: "redis://redis.example.com" },
      () => Promise.resolve({ ...database, isDurable: false }),
    );
    await expect(started).rejects.toThrow(
      /^QUEUE_URL names a Redis[^\n]+\nQUEUE_URL reaches[^\n]+\nthe database forgets[^\n]+\nPUBLIC_URL[^\n]+$/,
    );
  });

  it.each([
    { DATABASE_URL: "postgres://app:z8Kq1vX@db.example.com/contingent?sslmode=verify-full" },
    { DATABASE_URL: "postgres://app:z8Kq1vX@192.168.1.5/contingent" },
    { DATABASE_URL: "postgres://app:z8Kq1vX@postgres.contingent.svc.cluster.local/contingent" },
    { DATABASE_URL: "postgres:///contingent?host=/var/run/postgresql" },
    { QUEUE_URL: "rediss://:z8Kq1vX@redis.example.com:6379" },
    { QUEUE_URL: "redis://redis.internal:6379?password=z8Kq1vX" },
  ])("and not for a way that is closed to others: %j", (differs) => {
    expect(problemsOf({ ...settings, ...differs }, database)).toEqual([]);
  });

  it("and repeats no secret", () => {
    for (const { say } of REFUSALS) expect(say).not.toMatch(/contingent@|z8Kq/);
  });

  it("with another exit code while the database is away: then it is to be started again", async () => {
    const away = () => Promise.reject(new Error("ECONNREFUSED"));
    await expect(refuseUnsafe(settings, away)).rejects.toMatchObject({ code: "database_unavailable", exitCode: 75 });
  });
});

it("in development it starts with all of it, and asks nobody", async () => {
  const all = UNSAFE.map(([, differs]) => differs).reduce((one, other) => ({ ...one, ...other }));
  const asked = () => Promise.reject(new Error("asked"));
  await expect(refuseUnsafe({ ...settings, ...all, CONTINGENT_ENV: "development" }, asked)).resolves.toBeUndefined();
});

it("is no hindrance to a service that reads little", () => {
  const { DATABASE_URL, QUEUE_URL, CONTINGENT_ENV } = settings;
  expect(problemsOf({ DATABASE_URL, QUEUE_URL, CONTINGENT_ENV }, database)).toEqual([]);
});
