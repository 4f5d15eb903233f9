/** Hazard: a reply or a verdict that comes after its job has moved on: what it says is dropped, but what it cost is the truth. */
import type { InquiryId, JobId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import { PLAIN } from "@contingent/db/payloads/payloads";
import { bookLateReply, bookLateVerdict, type LateReply, type LateVerdict } from "@contingent/ledger/late-cost";
import { checkBooks } from "@contingent/ledger/check-books";
import {
  acceptedJob,
  answer,
  claim,
  driveTo,
  happens,
  inquires,
  judge,
  loadedJob,
  partsOf,
  replies,
  take,
  type TestStep,
  validatorBreaks,
  verdictOf,
} from "@contingent/testkit/jobs";
import { describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { revisionsOf, written } from "../db/written.ts";

const db = databaseOfThisFile();
const RESERVE = 300n;

/** A job that was canceled while a judge was asked, and the reply that comes afterwards. */
async function droppedInquiry(cost = 200n): Promise<LateReply> {
  const jobId = await driveTo(db.pool, "validating");
  const { progress } = await take(db.pool, jobId, inquires(RESERVE));
  await take(db.pool, jobId, happens("cancel"));
  const inquiryId: InquiryId = progress.inquiry?.inquiryId ?? "inq_none";
  return { jobId, inquiryId, cost: nanos(cost), currency: "USD" };
}

/** Known, presumed, held and overrun of the job, and what stands on the cost accounts for it; the answer cost 400. */
async function costsOf(id: JobId): Promise<readonly bigint[]> {
  const text = `
    SELECT cost_known_nanos AS known, cost_presumed_nanos AS presumed, cost_held_nanos AS held, cost_overrun_nanos AS overrun,
           (SELECT sum(amount_nanos)::bigint FROM posting p JOIN ledger_transaction t ON t.id = p.transaction_id
             WHERE t.job_id = job.id AND account_class = 'cogs') AS booked
      FROM job WHERE id = $1`;
  const { rows } = await db.pool.query<Record<string, bigint>>(text, [id]);
  return Object.values(rows[0] ?? {});
}

describe("the true cost of a reply replaces the presumed one", () => {
  test.each([
    ["lower than what was held", 200n, 0n],
    ["nothing at all", 0n, 0n],
    ["just what was held", RESERVE, 0n],
    ["higher than what was held", 450n, 150n],
  ])("%s", async (_, cost, overrun) => {
    const late = await droppedInquiry(cost);
    expect(await costsOf(late.jobId)).toEqual([400n, RESERVE, 0n, 0n, 400n + RESERVE]);
    expect(await bookLateReply(db.pool, late)).toBe(true);
    expect(await costsOf(late.jobId)).toEqual([400n + cost, 0n, 0n, overrun, 400n + cost]);
    const { inquiry } = await written(db.pool, late.jobId);
    expect(inquiry).toMatchObject([{ outcome: "dropped", cost_state: "known", score: null }]);
    expect(await revisionsOf(db.pool, late.jobId)).toEqual([1, 2, 3, 4, 5]);
  });

  test("once, by however many it is told", async () => {
    const late = await droppedInquiry();
    const booked = await Promise.all([1, 2, 3, 4].map(() => bookLateReply(db.pool, late)));
    expect(booked.filter(Boolean)).toHaveLength(1);
    expect(await bookLateReply(db.pool, { ...late, cost: nanos(1n) })).toBe(false);
    expect(await costsOf(late.jobId)).toEqual([600n, 0n, 0n, 0n, 600n]);
  });

  test("and neither that of another job, nor one that is known, nor one that never cost anything", async () => {
    const [late, other] = [await droppedInquiry(), await droppedInquiry()];
    expect(await bookLateReply(db.pool, { ...late, jobId: other.jobId })).toBe(false);
    const known = async (...steps: readonly TestStep[]): Promise<boolean> => {
      const jobId = await driveTo(db.pool, "validating");
      const { progress } = await take(db.pool, jobId, ...steps.slice(0, 1));
      await take(db.pool, jobId, ...steps.slice(1));
      return await bookLateReply(db.pool, { ...late, jobId, inquiryId: progress.inquiry?.inquiryId ?? "inq_none" });
    };
    expect(await known(inquires(), replies(200n))).toBe(false);
    expect(await known(inquires(0n), happens("cancel"))).toBe(false);
  });
});

const PAID = nanos(70n);
const terms = { validation: { provider: "judges", name: "court", cost: PAID } } as const;

/** A verdict on the answer of a job, on its way while something else happens to the job. */
async function verdictBeside(...steps: readonly TestStep[]): Promise<LateVerdict> {
  const id = await acceptedJob(db.pool, { terms });
  await take(db.pool, id, claim(), answer());
  const { job } = await loadedJob(db.pool, id);
  const verdict = verdictOf(judge("pass")(job));
  if (verdict === undefined) throw new Error("a judgement is a verdict");
  await take(db.pool, id, ...steps);
  return { job, verdict, cost: PAID, currency: "USD" };
}

describe("a verdict on the answer of a job that was canceled meanwhile", () => {
  test("is recorded with what it cost, and sells nothing", async () => {
    const late = await verdictBeside(happens("cancel"));
    expect(await bookLateVerdict(db.pool, late, PLAIN)).toBe(true);
    expect(await costsOf(late.job.id)).toEqual([470n, 0n, 0n, 0n, 470n]);
    const job = await take(db.pool, late.job.id, happens("settled"));
    expect(job).toMatchObject({ resolution: "failure", reason: "canceled" });
    const { charge, verdict } = await written(db.pool, late.job.id);
    expect([charge, verdict]).toMatchObject([null, [{ id: late.verdict.id, cost_nanos: 70 }]]);
  });

  test("costs it once, by however many it is told", async () => {
    const late = await verdictBeside(happens("cancel"));
    const booked = await Promise.all([1, 2, 3].map(() => bookLateVerdict(db.pool, late, PLAIN)));
    expect(booked.filter(Boolean)).toHaveLength(1);
    expect(await costsOf(late.job.id)).toEqual([470n, 0n, 0n, 0n, 470n]);
  });

  test("is not another one of an answer that has been judged, nor one that the job still waits for", async () => {
    const judged = await verdictBeside(judge("fail"));
    const waiting = await verdictBeside(validatorBreaks());
    for (const late of [judged, waiting]) {
      const before = await written(db.pool, late.job.id);
      expect(await bookLateVerdict(db.pool, late, PLAIN)).toBe(false);
      expect(await written(db.pool, late.job.id)).toEqual(before);
    }
    expect((await take(db.pool, waiting.job.id, judge("pass"))).resolution).toBe("success");
  });
});

test("after all of this every invariant of the books holds", async () => {
  const results = await checkBooks(db.pool, partsOf(db.pool).versions);
  expect(results.filter((r) => r.violations.length > 0)).toEqual([]);
});
