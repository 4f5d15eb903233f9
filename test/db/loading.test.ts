/** What the services read: the job as it was committed, and with it what the kind of work needs. */
import type { JobId } from "@contingent/core/ids";
import type { Job } from "@contingent/core/job/job";
import { cascadeStep, WINDOW } from "@contingent/core/job/job.fixture";
import type { Terms } from "@contingent/core/outcome-type";
import { jobLoader } from "@contingent/db/load";
import { outcomeTypeVersions, UnknownVersionError } from "@contingent/db/outcome-types";
import { nanos } from "@contingent/core/money";
import { newId } from "@contingent/db/ids";
import { PLAIN } from "@contingent/db/payloads/payloads";
import { openPool } from "@contingent/db/pool";
import {
  acceptedJob,
  answer,
  claim,
  CUSTOMER,
  driveTo,
  happens,
  judge,
  loadedJob,
  partsOf,
  publishedTerms,
  take,
  transitionBy,
} from "@contingent/testkit/jobs";
import { startTcpLink } from "@contingent/testkit/tcp-link";
import { until } from "@contingent/testkit/until";
import { expect, test, vi } from "vitest";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();

/** The database keeps instants to a microsecond. */
function toMicroseconds(job: Job): Job {
  const round = (ms: number): number => Math.round(ms * 1_000) / 1_000;
  const { deadlineAtMs, turnAtMs, readyAtMs, wakeAtMs } = job;
  const rounded = { deadlineAtMs: round(deadlineAtMs), readyAtMs: round(readyAtMs), wakeAtMs: round(wakeAtMs) };
  return { ...job, ...rounded, turnAtMs: round(turnAtMs) };
}

test("a job is loaded as it was committed, amounts and all", async () => {
  const id = await acceptedJob(db.pool);
  for (const step of [claim(), answer(), judge("partial"), claim(), answer(), judge("pass")]) {
    const transition = await transitionBy(db.pool, id, step);
    await partsOf(db.pool).commit(transition);
    expect(toMicroseconds((await loadedJob(db.pool, id)).job)).toEqual(toMicroseconds(transition.next));
  }
});

test("the number that a price depends on is kept with the verdict and the job, to the nano", async () => {
  const value = nanos(999_999_999_999_999_999n);
  const id = await acceptedJob(db.pool);
  const { progress } = await take(db.pool, id, claim(), answer(), judge("pass", 1, value));
  expect(progress.best?.value).toBe(value);
  const stored = await db.pool.query<{ value_nanos: bigint }>("SELECT value_nanos FROM verdict WHERE job_id = $1", [
    id,
  ]);
  expect(stored.rows).toEqual([{ value_nanos: value }]);
});

test("a job whose outcome in hand was stored before there were such prices is loaded, without a number", async () => {
  const id = await driveTo(db.pool, "settling");
  await db.pool.query("UPDATE job SET progress = progress #- '{best,value}' WHERE id = $1", [id]);
  const { job } = await loadedJob(db.pool, id);
  expect(job.progress.best).toMatchObject({ decision: "pass", value: null });
});

test("an attempt gets the input, the latest findings and the span of the attempt before it", async () => {
  const { loader } = partsOf(db.pool);
  const id = await acceptedJob(db.pool, { input: { b: 1, a: ["ä", null] } });
  const first = await loader.forAttempt(id);
  expect(first).toMatchObject({
    input: { b: 1, a: ["ä", null] },
    findings: [],
    previousTraceparent: null,
    customerId: CUSTOMER,
  });
  await take(db.pool, id, claim(), answer(), judge("fail"));
  const second = await loader.forAttempt(id);
  expect(second?.findings).toEqual([{ path: "/answer", code: "wrong", message: "It is not right." }]);
  expect(second?.previousTraceparent).toMatch(/^00-/);
  await take(db.pool, id, claim(), answer());
  const judged = await transitionBy(db.pool, id, judge("partial"));
  if (judged.verdict === undefined) throw new Error("no verdict");
  const findings = [{ path: "", code: "late", message: "The newest finding." }];
  await partsOf(db.pool).commit({ ...judged, verdict: { ...judged.verdict, findings } });
  expect((await loader.forAttempt(id))?.findings).toEqual(findings);
});

test("a rework gets the reasons of the latest three rejections first, the newest one at the front", async () => {
  const { loader, commit } = partsOf(db.pool);
  const cascade: Terms["cascade"] = [cascadeStep("fast", ["small"], { attemptsMax: 5 })];
  const id = await driveTo(db.pool, "awaiting_acceptance", { terms: { cascade, rework: true } });
  for (const reason of ["first", "second", "third", "fourth"]) {
    const rejected = await transitionBy(db.pool, id, happens("rejected"));
    if (rejected.decided === undefined) throw new Error("nothing was decided");
    expect(await commit({ ...rejected, decided: { ...rejected.decided, reason } })).toBe(true);
    if (reason !== "fourth") await take(db.pool, id, claim(), answer(), judge("pass"));
  }
  expect((await loader.forAttempt(id))?.findings.map((f) => f.message)).toEqual(["fourth", "third", "second"]);
  await take(db.pool, id, claim(), answer(), judge("fail"));
  const said = (await loader.forAttempt(id))?.findings;
  expect(said?.map((f) => f.code)).toEqual([...Array<string>(3).fill("rejected_by_customer"), "wrong"]);
});

test("only a rework changes a job's deadline", async () => {
  const id = await acceptedJob(db.pool, { terms: { acceptance: WINDOW, rework: true } });
  const { deadlineAtMs } = (await loadedJob(db.pool, id)).job;
  const delivered = await take(db.pool, id, claim(), answer(), judge("pass"));
  expect(delivered.deadlineAtMs).toBe(deadlineAtMs);
  const reopened = await take(db.pool, id, happens("rejected"));
  expect(reopened.deadlineAtMs).toBeGreaterThan(deadlineAtMs);
  expect(reopened.deadlineAtMs).toBeLessThanOrEqual((await loadedJob(db.pool, id)).nowMs + reopened.terms.deadlineMs);
});

test("a validator gets the answer of the attempt under way, and none in any other state", async () => {
  const { loader } = partsOf(db.pool);
  const validating = await driveTo(db.pool, "validating");
  const loaded = await loader.forValidation(validating);
  const producer = { tier: "fast", provider: "anthropic", model: "small" };
  const attemptId = loaded?.job.progress.current?.attemptId;
  expect(loaded?.answer).toEqual({ attemptId, text: '{"answer":42}', producer });
  await take(db.pool, validating, judge("fail"), claim());
  expect((await loader.forValidation(validating))?.answer).toBeNull();
});

test("a settlement gets what is held", async () => {
  const id = await driveTo(db.pool, "settling", { outcomeKey: "invoice-1" });
  expect(await partsOf(db.pool).loader.forSettlement(id)).toMatchObject({
    hold: { amount: 500n, slices: null },
    outcomeKey: "invoice-1",
  });
});

test("a job that there is not is loaded as nothing", async () => {
  const { loader } = partsOf(db.pool);
  const none = newId("job");
  const loads = [loader.forAttempt(none), loader.forValidation(none), loader.forSettlement(none)];
  expect(await Promise.all(loads)).toEqual([null, null, null]);
});

test("a hundred loads at once are one statement, and one unknown id among them changes nothing for the others", async () => {
  const ids: JobId[] = await Promise.all(Array.from({ length: 100 }, () => acceptedJob(db.pool)));
  const pool = db.another();
  const versions = outcomeTypeVersions(pool);
  await versions.get((await publishedTerms(db.pool)).id);
  const loader = jobLoader(pool, versions, { patienceMs: 0, payloads: PLAIN });
  const statements = vi.spyOn(pool, "query");
  const asked = [...ids, newId("job"), ...ids.slice(0, 5)];
  const loaded = await Promise.all(asked.map((id) => loader.forAttempt(id)));
  expect(loaded.map((l) => l?.job.id ?? null)).toEqual(asked.map((id) => (ids.includes(id) ? id : null)));
  expect(statements).toHaveBeenCalledTimes(1);
});

test("a handler's load waits for a database that is away, and a caller's is told at once", async () => {
  const id = await acceptedJob(db.pool);
  const { hostname: host, port } = new URL(db.url);
  await using stack = new AsyncDisposableStack();
  const link = await startTcpLink({ host, port: Number(port) });
  stack.defer(() => link.close());
  const pool = openPool(link.through(db.url), { applicationName: "behind-a-link" });
  stack.defer(() => pool.end());
  const versions = outcomeTypeVersions(pool);
  await versions.get((await publishedTerms(db.pool)).id);
  await link.cut();
  await expect(jobLoader(pool, versions, { patienceMs: 0, payloads: PLAIN }).forAttempt(id)).rejects.toThrow(Error);
  const tries = vi.spyOn(pool, "query");
  const firstAskedMs = performance.now();
  const loading = jobLoader(pool, versions, { patienceMs: 30_000, payloads: PLAIN }).forAttempt(id);
  await until(() => tries.mock.calls.length > 1, { timeoutMs: 10_000, what: "a second try" });
  await link.restore();
  const loaded = await loading;
  expect(loaded?.job.id).toBe(id);
  // Of the try that succeeded, at least a pause after the first: the clock of a verdict must not count the outage.
  expect(loaded?.askedAtMs).toBeGreaterThan(firstAskedMs + 40);
});

test("a version is read once, and an unknown one is an error each time", async () => {
  const { id } = await publishedTerms(db.pool);
  const pool = db.another();
  const versions = outcomeTypeVersions(pool);
  const statements = vi.spyOn(pool, "query");
  const read = await Promise.all([versions.get(id), versions.get(id)]);
  expect(await versions.get(id)).toEqual(read[0]);
  expect(statements).toHaveBeenCalledTimes(1);
  await expect(versions.get("otv_none")).rejects.toThrow(UnknownVersionError);
  await expect(versions.get("otv_none")).rejects.toThrow(UnknownVersionError);
});
