/** Jobs whose verdicts are real: reached by the validators, over evidence that is stored as the services store it. */
import type { JobId } from "@contingent/core/ids";
import { type CurrentAttempt, type Job, verdictCostMax } from "@contingent/core/job/job";
import { ZERO } from "@contingent/core/money";
import { newId } from "@contingent/db/ids";
import { answer, happens, partsOf, replies, take, type TestStep, transitionBy } from "@contingent/testkit/jobs";
import { verdictOf } from "@contingent/validators/evaluate";
import { evidenceHash, judgeAnswer, type JudgedAnswer as Judged } from "@contingent/validators/judge-answer";
import { type LeafResult, runHere } from "@contingent/validators/validator";
import { type Api, claim } from "../harness.ts";

export interface JudgedAnswer {
  /** The model's answer. */
  readonly text: string;
  /** What a person says who is asked by the leaf at this place. */
  readonly said?: { readonly leaf: string; readonly result: LeafResult };
  /** What the verdict says instead of what the validators of today say. */
  readonly instead?: Partial<Pick<Judged, "decision" | "score" | "value" | "validators">>;
}

export interface JudgedJob extends JudgedAnswer {
  readonly outcomeType: string;
  readonly input: { readonly document: string };
}

/** Submits a job, lets a model answer and the validators judge it, and books it when that ends it. */
export async function judgedJob(api: Api, { outcomeType, input, ...answered }: JudgedJob): Promise<JobId> {
  const { id } = await api.customer.submit({ outcome_type: outcomeType, input });
  await judgeNext(api, id, answered);
  return id;
}

/** The next attempt of the job: an answer, and the verdict on it. */
export async function judgeNext(api: Api, id: JobId, { text, said, instead = {} }: JudgedAnswer): Promise<void> {
  await take(api.pool, id, claim());
  const answered = await transitionBy(api.pool, id, answer());
  if (answered.answer === undefined) throw new Error("an answer brings no text");
  await commit(api, { ...answered, answer: { ...answered.answer, text } });

  if (said !== undefined) await hear(api, id, said);
  const waiting = await partsOf(api.pool).loader.forValidation(id);
  if (waiting === null) throw new Error(`there is no ${id}`);
  const { version, job, input } = waiting;
  const evidence = { version, step: job.progress.step, input, text, replies: waiting.replies };
  const { output, ...reached } = verdictOf(await judgeAnswer(evidence, runHere));
  const verdict = { ...reached, ...instead };
  const judged = await transitionBy(api.pool, id, judge(verdict));
  if (judged.verdict === undefined) throw new Error("a judgement brings no verdict");
  const hash = evidenceHash(evidence, verdict.validators);
  await commit(api, { ...judged, verdict: { ...judged.verdict, ...verdict, output, evidenceHash: hash } });
  if (judged.next.state === "settling") await take(api.pool, id, happens("settled"));
}

/** Somebody is asked about the answer, and says this. */
async function hear(api: Api, id: JobId, { leaf, result }: NonNullable<JudgedAnswer["said"]>): Promise<void> {
  const inquiryId = newId("inq");
  const inquiry = { inquiryId, kind: "leaf", leaf, validator: "human@1", asked: "person", payee: null } as const;
  await take(api.pool, id, (job) => {
    const { attemptId } = currentOf(job);
    return { type: "inquired", attemptId, inquiry: { ...inquiry, reserve: ZERO }, durationMs: 60_000 };
  });
  const replied = await transitionBy(api.pool, id, replies());
  await commit(api, { ...replied, reply: { result, detail: null, repliedBy: "key_fixture" } });
}

function judge({ decision, score, value }: Pick<Judged, "decision" | "score" | "value">): TestStep {
  return (job) => {
    const { attemptId } = currentOf(job);
    const verdict = { verdictId: newId("vrd"), decision, score, value, cost: verdictCostMax(job) };
    return { type: "judged", attemptId, ...verdict };
  };
}

function currentOf({ id, progress: { current } }: Job): CurrentAttempt {
  if (current === null) throw new Error(`${id} has no answer to judge`);
  return current;
}

async function commit(api: Api, transition: Awaited<ReturnType<typeof transitionBy>>): Promise<void> {
  if (!(await partsOf(api.pool).commit(transition))) throw new Error(`${transition.before.id} moved on meanwhile`);
}
