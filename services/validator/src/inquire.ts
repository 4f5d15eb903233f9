/**
 * Asks somebody about an answer: opens the inquiry, which holds what it may cost, asks, and records the reply. The message
 * is done with once the inquiry is open, so that no other job waits behind whoever is asked. Opening and recording are each
 * a transition of the job. What follows from the reply is the next message's business, so that nothing of it depends on
 * this process still being there.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { InquiryId } from "@contingent/core/ids";
import type { Fact } from "@contingent/core/job/facts";
import type { Job, OpenInquiry } from "@contingent/core/job/job";
import { letGoOf } from "@contingent/db/holders";
import { newId } from "@contingent/db/ids";
import { insist } from "@contingent/db/insist";
import type { InquiryReply } from "@contingent/db/inquiries";
import { storableJson } from "@contingent/db/storable";
import { failpoint } from "@contingent/runtime/failpoints";
import { insistOnSoundness } from "@contingent/validators/evaluate";
import type { Means, Question, Reply } from "@contingent/validators/inquiry";
import { ValidatorError } from "@contingent/validators/validator";
import type { Ask } from "./asking.ts";
import type { ValidatorContext } from "./context.ts";
import { errorText, type ToAsk } from "./judge.ts";
import { noteFault } from "./fault.ts";
import { advance, announce, type Judging, putOff } from "./judging.ts";
import { bookLate } from "./late.ts";
import { meansFor } from "./means.ts";
import { inInquirySpan } from "./tracing.ts";

/** Nobody is waited for longer than this; a reply that takes longer comes by itself. */
const ASK_MS_MAX = 10 * 60_000;
/** How long the database may be away until it is told that a reply comes by itself. */
const LET_GO_MS = 60_000;
/** How much longer than its time an inquiry may take to notice that the time is over. */
const GIVE_UP_MS = 2_000;

/** Resolves once the inquiry is open, or is not to be: the asking goes on by itself. */
export async function inquire(context: ValidatorContext, judging: Judging, toAsk: ToAsk): Promise<void> {
  const { job, answer } = judging;
  const { attemptId } = answer;
  const prepared = await prepare(context, judging, toAsk);
  if ("error" in prepared) {
    context.log.error({ job: job.id, leaf: toAsk.leaf.path, error: prepared.error }, "nobody can be asked");
    await noteFault(context, judging, "validator_error", prepared.error);
    const broke: Fact = { type: "validator_broke", attemptId, reviewId: newId("inq") };
    return announce(context, judging, await advance(context, judging, job, broke));
  }
  const delayMs = await context.asking.start(prepared.target, () => open(context, judging, toAsk, prepared));
  if (delayMs !== null) await putOff(context, judging, delayMs);
}

/** @returns what is left to do: to ask, and to record the reply; null: nothing was opened */
async function open(
  context: ValidatorContext,
  judging: Judging,
  { leaf }: ToAsk,
  { question, means, inquiry, limitMs }: Prepared,
): Promise<Ask | null> {
  const { validator, options } = leaf;
  const { attemptId } = judging.answer;
  const inquired: Fact = { type: "inquired", attemptId, inquiry, durationMs: validator.durationMs(options) };
  // A person replies when this process may be long gone.
  const holder = inquiry.asked === "person" ? undefined : context.holder;
  const opened = await advance(context, judging, judging.job, inquired, { holder });
  await failpoint("validator.inquired");
  // It did not fit the cap or the deadline, or somebody was faster.
  if (opened === null || opened.progress.inquiry === null) {
    await announce(context, judging, opened);
    return null;
  }
  return async () => {
    const ask = (): Promise<Reply> => inTime(validator.ask(question, options, means), limitMs);
    const reply = await inInquirySpan(judging, inquiry, ask);
    await failpoint("validator.replied");
    await record(context, judging, opened, reply);
  };
}

interface Prepared {
  readonly question: Question;
  readonly means: Means;
  readonly inquiry: OpenInquiry;
  readonly target: string | null;
  readonly limitMs: number;
}

/** Decides what will be asked and what it may cost, before anything is held or sent. */
async function prepare(
  context: ValidatorContext,
  judging: Judging,
  { leaf, subject }: ToAsk,
): Promise<Prepared | { readonly error: string }> {
  const { job, clock } = judging;
  const { path, validator: inquiry, options } = leaf;
  const dueMs = Math.min(inquiry.durationMs(options), ASK_MS_MAX);
  const limitMs = Math.max(0, Math.min(dueMs, job.deadlineAtMs - clock()));
  const { stopped } = context.asking;
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(Math.ceil(limitMs))]);
  const question = questionAbout(judging, subject, newId("inq"));
  const time = { signal, limitMs, cutShort: () => stopped.aborted || limitMs < dueMs };
  const means = await meansFor(context.models, time, clock());
  try {
    const { reserve, payee, target } = await inquiry.plan(question, options, means);
    const validator = `${inquiry.name}@${inquiry.version}`;
    const said = { inquiryId: question.inquiryId, kind: "leaf", leaf: path, validator, asked: inquiry.asked } as const;
    return { question, means, inquiry: { ...said, reserve, payee }, target, limitMs };
  } catch (error) {
    if (error instanceof ValidatorError) return { error: errorText(error) };
    throw error;
  }
}

/** Writes down what came of asking; nothing yet where the reply comes by itself, or the time is over. */
async function record(context: ValidatorContext, judging: Judging, opened: Job, reply: Reply): Promise<void> {
  const { inquiry } = opened.progress;
  if (inquiry === null) return;
  const { attemptId } = judging.answer;
  const { inquiryId } = inquiry;
  if (reply.kind === "pending") {
    // One that was given up because this process ends is nobody's silence.
    const comesByItself = inquiry.asked !== "person" && !context.asking.stopped.aborted;
    if (comesByItself) await insist(() => letGoOf(context.pool, inquiryId), performance.now() + LET_GO_MS);
    return announce(context, judging, opened);
  }
  const fact: Fact =
    reply.kind === "answered"
      ? { type: "replied", attemptId, inquiryId, outcome: "replied", cost: reply.cost }
      : { type: "unanswered", attemptId, inquiryId, cost: reply.cost, reviewId: newId("inq") };
  if (reply.kind === "broke")
    context.log.error({ job: opened.id, inquiry: inquiryId, error: reply.error }, "no reply that is of use");
  const next = await advance(context, judging, opened, fact, { reply: stored(reply) });
  if (next === null && reply.cost !== null) await bookLate(context, judging, inquiryId, reply.cost);
  await announce(context, judging, next);
}

function questionAbout({ job, version, answer }: Judging, subject: ToAsk["subject"], inquiryId: InquiryId): Question {
  const { name, version: number, description, terms } = version;
  const deliversFrom = terms.partialAt ?? terms.successAt;
  const outcomeType = { name, version: number, description, deliversFrom };
  // The id is random and is kept: what was drawn from it can be told afterwards.
  return { ...subject, inquiryId, jobId: job.id, outcomeType, producer: answer.producer, seed: inquiryId };
}

/** What came of it in its time. Who asks must not reject and must mind the signal: where it does not, that is its defect. */
async function inTime(asking: Promise<Reply>, limitMs: number): Promise<Reply> {
  const over = new AbortController();
  const late: Reply = { kind: "broke", error: "it did not end when its time was over", cost: null };
  const givenUp = delay(limitMs + GIVE_UP_MS, late, { signal: over.signal });
  try {
    return soundOrBroken(await Promise.race([asking, givenUp]));
  } catch (error) {
    return { kind: "broke", error: errorText(error), cost: null };
  } finally {
    over.abort();
    givenUp.catch(() => undefined);
  }
}

function soundOrBroken(reply: Reply): Reply {
  if (reply.kind !== "answered") return reply;
  try {
    insistOnSoundness("the reply", reply.result);
    return reply;
  } catch (error) {
    return { kind: "broke", error: errorText(error), cost: reply.cost };
  }
}

function stored(reply: Exclude<Reply, { kind: "pending" }>): InquiryReply {
  if (reply.kind === "broke") return { result: null, detail: storableJson({ error: reply.error }), repliedBy: null };
  const { score, findings } = reply.result;
  const kept = storableJson(findings.map((f) => ({ ...f }))) as unknown as typeof findings;
  return { result: { score, findings: kept }, detail: storableJson(reply.detail), repliedBy: null };
}
