/** The books after anything that can happen to jobs, in any order: core decides, the real statements commit. */
import type { AttemptId, JobId } from "@contingent/core/ids";
import { type Job, type JobState, type Reason, REASONS } from "@contingent/core/job/job";
import { SMALL_NANOS, WINDOW, WINDOW_MS } from "@contingent/core/job/job.fixture";
import { nanos, ZERO } from "@contingent/core/money";
import type { Terms } from "@contingent/core/outcome-type";
import { checkBooks } from "@contingent/ledger/check-books";
import { bookLateCost } from "@contingent/ledger/late-cost";
import {
  acceptedJob,
  answer,
  callFails,
  claim,
  happens,
  judge,
  loadedJob,
  partsOf,
  take,
  type TestStep,
  transitionBy,
  validatorBreaks,
  inquires,
  isUnanswered,
  replies,
} from "@contingent/testkit/jobs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { revisionsOf } from "../db/written.ts";

const db = databaseOfThisFile();

const LOST_CALLS = [
  callFails("unavailable"),
  callFails("unavailable", true),
  callFails("timeout", true),
  callFails("rate_limited"),
  callFails("rejected"),
];

/** What can happen to a job in each state, the usual things more often. */
const STEPS: Readonly<Record<JobState, readonly TestStep[]>> = {
  queued: [...often(12, claim()), claim(50), claim(90_000), happens("woke"), happens("cancel")],
  attempting: [
    ...often(4, answer(400n)),
    ...[0n, SMALL_NANOS, SMALL_NANOS + 5_000n].map((cost) => answer(cost)),
    ...often(2, answer(400n, "truncated")),
    ...often(2, answer(400n, "refused")),
    ...LOST_CALLS,
    ...often(2, happens("woke")),
    happens("cancel"),
  ],
  validating: [
    ...often(3, judge("pass")),
    judge("pass", 0.9),
    judge("pass", 1, nanos(50_000n)),
    ...often(4, judge("fail")),
    ...often(3, judge("partial")),
    judge("partial", 0.4),
    ...often(2, validatorBreaks()),
    ...often(4, inquires()),
    inquires(0n),
    happens("woke"),
    happens("cancel"),
  ],
  awaiting_acceptance: [happens("accepted"), happens("rejected"), happens("woke")],
  settling: [happens("settled")],
  closed: [],
};

/** And while somebody is asked about an answer. */
const ASKED: readonly TestStep[] = [
  ...[0n, 200n, 200n, 300n, 900n].map((cost) => replies(cost)),
  replies(0n, "silence"),
  ...[null, null, 50n].map(isUnanswered),
  happens("woke"),
  happens("cancel"),
];

function often(times: number, step: TestStep): readonly TestStep[] {
  return Array<TestStep>(times).fill(step);
}

const RELEASED_BY_SILENCE: Terms["acceptance"] = { mode: "window", durationMs: WINDOW_MS, onSilence: "release" };

const TERMS: readonly Partial<Terms>[] = [
  {},
  { acceptance: WINDOW },
  { acceptance: WINDOW, rework: true },
  { acceptance: RELEASED_BY_SILENCE, rework: true, costCap: nanos(3_000n) },
  { acceptance: RELEASED_BY_SILENCE },
  { price: { shape: "binary", amount: nanos(2_500n) } },
  { price: { shape: "binary", amount: nanos(2_500n) }, acceptance: WINDOW },
  { costCap: nanos(3_000n) },
  { costCap: nanos(3_000n), validation: { provider: "judges", name: "court", cost: nanos(900n) } },
  { price: { shape: "linear", amount: nanos(2_500n), floor: nanos(1n), ceiling: nanos(2_000n) } },
  {
    price: { shape: "value", rate: 0.02, path: "/recovered", min: ZERO, max: nanos(2_000n) },
    validation: { provider: "judges", name: "court", cost: nanos(70n) },
  },
  { partialAt: null, attemptsMax: 2 },
];

const TRY = [claim(), answer()];
const FAIL = [...TRY, judge("fail")];
const OUTAGE = [claim(), callFails("unavailable"), claim(), callFails("unavailable")];

/** A way to each end that a job can have. */
const ENDS: Readonly<Record<Reason, { readonly terms?: Partial<Terms>; readonly steps: readonly TestStep[] }>> = {
  verified: { steps: [...FAIL, ...TRY, judge("pass")] },
  accepted: { terms: { acceptance: WINDOW }, steps: [...TRY, judge("pass"), happens("accepted")] },
  accepted_by_silence: { terms: { acceptance: WINDOW }, steps: [...TRY, judge("pass"), happens("woke")] },
  exhausted: { terms: { attemptsMax: 2 }, steps: [...FAIL, ...FAIL] },
  cost_cap: { terms: { costCap: SMALL_NANOS }, steps: [claim(), answer(SMALL_NANOS), judge("fail"), claim()] },
  deadline: { steps: [...TRY, happens("woke")] },
  canceled: { steps: [claim(), happens("cancel")] },
  rejected: { terms: { acceptance: WINDOW }, steps: [...TRY, judge("pass"), happens("rejected")] },
  lapsed: { terms: { acceptance: RELEASED_BY_SILENCE }, steps: [...TRY, judge("pass"), happens("woke")] },
  refused: { steps: [claim(), answer(400n, "refused"), claim(), answer(400n, "refused")] },
  provider_outage: { steps: [...OUTAGE, ...OUTAGE, happens("woke")] },
  validator_error: { steps: [...TRY, validatorBreaks(), validatorBreaks(), validatorBreaks(), happens("woke")] },
};

async function violations(): Promise<readonly string[]> {
  const results = await checkBooks(db.pool, partsOf(db.pool).versions);
  const overruns = await overrunJobs();
  // Only a job whose provider charged more than was reserved may cost more than its cap.
  return results.flatMap((r) =>
    r.violations.filter((what) => r.number !== 10 || !overruns.some((id) => what.startsWith(id))),
  );
}

test.each(REASONS)("a job that ends by %s leaves clean books", async (reason) => {
  const { terms = {}, steps } = ENDS[reason];
  const id = await acceptedJob(db.pool, { terms });
  expect(await take(db.pool, id, ...steps)).toMatchObject({ state: "settling", reason });
  await take(db.pool, id, happens("settled"));
  expect(await violations()).toEqual([]);
});

test("an outcome that was rejected is not charged, and the one that came of its rework is, once", async () => {
  const id = await acceptedJob(db.pool, { terms: { acceptance: WINDOW, rework: true } });
  const deliver = [...TRY, judge("pass")];
  const first = await take(db.pool, id, ...deliver);
  await take(db.pool, id, happens("rejected"), ...deliver, happens("accepted"), happens("settled"));
  const { rows } = await db.pool.query<{ verdict_id: string }>("SELECT verdict_id FROM charge WHERE job_id = $1", [id]);
  expect(rows).toHaveLength(1);
  expect(rows[0]?.verdict_id).not.toBe(first.progress.best?.verdictId);
  expect(await violations()).toEqual([]);
});

const STEPS_MAX = 40;
const fates = fc.record({
  terms: fc.constantFrom(...TERMS),
  /** Which of the possible things happens, one after the other; used up, the rest is whatever comes first. */
  choices: fc.array(fc.nat(1_000), { maxLength: 12 }),
  /** At which steps the answer of a lost attempt arrives, and what it cost. */
  late: fc.array(fc.record({ step: fc.nat(14), cost: fc.constantFrom(0n, 1n, 599n, SMALL_NANOS, 90_000n) }), {
    maxLength: 3,
  }),
});
type Fate = typeof fates extends fc.Arbitrary<infer F> ? F : never;

async function live(fate: Fate): Promise<void> {
  const id = await acceptedJob(db.pool, { terms: fate.terms });
  let { job } = await loadedJob(db.pool, id);
  for (let step = 0; job.state !== "closed" && step < STEPS_MAX; step += 1) {
    const arriving = fate.late.filter((late) => late.step === step).map((late) => arrives(id, late.cost));
    const [moved] = await Promise.all([oneStep(job, fate.choices[step] ?? 0), ...arriving]);
    job = moved;
  }
  for (const { cost } of fate.late) await arrives(id, cost);
  expect(await revisionsOf(db.pool, id)).toEqual(Array.from({ length: job.revision }, (_, n) => n + 1));
}

async function oneStep(job: Job, choice: number): Promise<Job> {
  const possible = job.progress.inquiry === null ? STEPS[job.state] : ASKED;
  const step = possible[choice % possible.length];
  if (step === undefined) throw new Error(`nothing can happen to a job that is ${job.state}`);
  const transition = await transitionBy(db.pool, job.id, step);
  expect(await partsOf(db.pool).commit(transition)).toBe(true);
  return (await loadedJob(db.pool, job.id)).job;
}

/** The answer of an attempt that the job has given up, if there is such an attempt. */
async function arrives(jobId: JobId, cost: bigint): Promise<void> {
  const text = "SELECT id, provider, model FROM attempt WHERE job_id = $1 AND cost_state = 'presumed' LIMIT 1";
  const { rows } = await db.pool.query<{ id: AttemptId; provider: string; model: string }>(text, [jobId]);
  for (const { id, provider, model } of rows) {
    const told = { cost: nanos(cost), currency: "USD", usage: null, inputTokens: 1, outputTokens: 1 } as const;
    await bookLateCost(db.pool, { jobId, attemptId: id, provider, model, ...told });
  }
}

const JOBS = 400;
const AT_ONCE = 40;

test("whatever happens to jobs, at once and in any order, every invariant holds", async () => {
  const many = fc.array(fates, { minLength: AT_ONCE, maxLength: AT_ONCE });
  await fc.assert(
    fc.asyncProperty(many, async (fatesOfSome) => {
      await Promise.all(fatesOfSome.map(live));
      expect(await violations()).toEqual([]);
    }),
    { numRuns: JOBS / AT_ONCE, endOnFailure: true },
  );
});

async function overrunJobs(): Promise<readonly string[]> {
  const { rows } = await db.pool.query<{ id: string }>("SELECT id FROM job WHERE cost_overrun_nanos > 0");
  return rows.map((row) => row.id);
}
