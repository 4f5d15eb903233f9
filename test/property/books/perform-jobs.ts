/** What happens to jobs: each as the service does it that it happens in, load, decide, commit, publish. */
import assert from "node:assert/strict";
import type { Fact } from "@contingent/core/job/facts";
import { verdictCostMax } from "@contingent/core/job/job";
import { RATES } from "@contingent/core/job/job.fixture";
import { nanos } from "@contingent/core/money";
import { type NewJob, openAccept } from "@contingent/db/accept";
import type { Transition } from "@contingent/db/commit";
import { newId } from "@contingent/db/ids";
import { PLAIN } from "@contingent/db/payloads/payloads";
import { bookLateCost } from "@contingent/ledger/late-cost";
import { partsOf, transitionOf, WITHOUT_LIMITS } from "@contingent/testkit/jobs";
import type { SoldType } from "./catalog.ts";
import { Died, dyingPool, surviving } from "./dying.ts";
import { type Operation, pick, pickEarly } from "./operation.ts";
import { soldAt } from "./reference.ts";
import type { RefBest, RefFact, RefJob } from "./reference-job.ts";
import { type Call, commit, type Committed, isThere, type Keys, type Message, type Run } from "./run.ts";

const TRACEPARENT = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

/** Prepaid customers buy more. */
function buyer({ at }: Operation): number {
  return at % 5 < 2 ? 1 : 0;
}

function newKeys({ how }: Operation): Keys {
  const [request, outcome] = [newId("req"), newId("req")];
  return { request: how % 3 === 0 ? null : request, outcome: how % 3 === 1 ? null : outcome };
}

function requestFor(run: Run, index: number, type: SoldType, { request, outcome }: Keys): NewJob {
  return {
    id: newId("job"),
    customerId: run.customer(index),
    version: run.version(type),
    outcomeKey: outcome,
    input: {},
    metadata: {},
    traceparent: TRACEPARENT,
    idempotent: request === null ? null : { key: request, fingerprint: request, answer: { status: 202, body: {} } },
  };
}

/** A customer asks for a job. Intake may die at it; then the customer asks again. */
export async function submit(run: Run, operation: Operation): Promise<boolean> {
  const [index, type] = [buyer(operation), soldAt(operation.how)];
  const keys = newKeys(operation);
  const first = requestFor(run, index, type, keys);
  const { fate } = operation;
  if (fate !== "lives") {
    // Which of its statements it dies at: from the beginning to the commit.
    const death = { statement: operation.how % 5, isAfter: fate === "dies_after" };
    await openAccept(
      dyingPool(run.pool, death),
      WITHOUT_LIMITS,
      PLAIN,
    )(first).catch((error: unknown) => {
      if (!(error instanceof Died)) throw error;
    });
    const isThereNow = (await partsOf(run.pool).loader.forSettlement(first.id)) !== null;
    if (isThereNow) await expectRefused(run, index, type, keys);
    await expectSubmitted(run, index, type, first, isThereNow);
    return true;
  }
  await expectSubmitted(run, index, type, first, false);
  return true;
}

async function expectSubmitted(
  run: Run,
  index: number,
  type: SoldType,
  request: NewJob,
  isAccepted: boolean,
): Promise<void> {
  const expected = run.reference.submit(index, type);
  const result = isAccepted ? ({ kind: "accepted" } as const) : await partsOf(run.pool).accept(request);
  if (expected.kind === "refused") {
    assert.deepEqual(result, { kind: "refused", shortage: expected.shortage }, "the reference refuses the job");
    return;
  }
  assert.equal(
    result?.kind,
    "accepted",
    JSON.stringify(result, (_, v: unknown) => String(v)),
  );
  run.enter(expected.job, request);
  const { job } = (await run.load(request.id)).loaded;
  run.publish(job, index);
}

/** The same request once more: nothing is accepted, and nothing held. */
async function expectRefused(run: Run, index: number, type: SoldType, keys: Keys): Promise<void> {
  const again = requestFor(run, index, type, keys);
  const result = await partsOf(run.pool).accept(again);
  assert.notEqual(result?.kind, "accepted", `${JSON.stringify(keys)} were accepted twice`);
  assert.equal(await partsOf(run.pool).loader.forSettlement(again.id), null);
}

/** Asks for an outcome that was bought before, by the same keys; often beside a request for another one, of the same batch. */
export async function resubmit(run: Run, operation: Operation): Promise<boolean> {
  const job = pick(run.reference.jobs, operation.at);
  if (job === undefined) return false;
  const { customer: index, type } = job;
  const isRefused = expectRefused(run, index, type, run.keysOf(job));
  const other = soldAt(operation.how);
  const request = requestFor(run, index, other, newKeys(operation));
  if (operation.how % 3 !== 0) await expectSubmitted(run, index, other, request, false);
  await isRefused;
  return true;
}

/** Two requests for one outcome at the same time: one is accepted, or neither fits. */
export async function race(run: Run, operation: Operation): Promise<boolean> {
  const [index, type] = [buyer(operation), soldAt(operation.how)];
  const keys = newKeys(operation);
  const requests = [requestFor(run, index, type, keys), requestFor(run, index, type, keys)] as const;
  const results = await Promise.all(requests.map((request) => partsOf(run.pool).accept(request)));
  const accepted = requests.filter((_, at) => results[at]?.kind === "accepted");
  const expected = run.reference.submit(index, type);
  const wanted = expected.kind === "accepted" ? 1 : 0;
  assert.equal(accepted.length, wanted, `of two equal requests ${accepted.length} were accepted, not ${wanted}`);
  const [winner] = accepted;
  if (expected.kind !== "accepted" || winner === undefined) return true;
  run.enter(expected.job, winner);
  const { job } = (await run.load(winner.id)).loaded;
  run.publish(job, index);
  return true;
}

/** A fact in the words of both sides. */
interface Happening {
  readonly fact: Fact;
  readonly refFact: RefFact | "settled";
}

const VERDICTS: readonly (RefBest | null)[] = [
  { isWhole: true, score: 900_000, value: 3_333_333_333n },
  { isWhole: true, score: 955_555, value: 17_000_000_001n },
  { isWhole: true, score: 1_000_000, value: 200_000_000_000n },
  { isWhole: true, score: 930_001, value: 0n },
  { isWhole: true, score: 987_654, value: 29_999_999_999n },
  { isWhole: true, score: 999_999, value: 8_888_888_888n },
  { isWhole: false, score: 500_000, value: 60_000_000_000n },
  { isWhole: false, score: 777_777, value: 1n },
  null,
  null,
];

function judged(call: Message, how: number, loaded: Call["loaded"]): Happening {
  const attemptId = loaded.job.progress.current?.attemptId ?? `att_of_${call.jobId}`;
  if (how % 19 === 0) {
    return {
      fact: { type: "validator_broke", attemptId, reviewId: newId("inq") },
      refFact: { type: "validator_broke" },
    };
  }
  const verdict = pick(VERDICTS, how) ?? null;
  const decision = verdict === null ? "fail" : verdict.isWhole ? "pass" : "partial";
  const fact = {
    type: "judged",
    attemptId,
    verdictId: newId("vrd"),
    decision,
    score: verdict === null ? 0.1 : verdict.score / 1_000_000,
    value: verdict === null ? null : nanos(verdict.value),
    cost: verdictCostMax(loaded.job),
  } as const;
  return { fact, refFact: { type: "judged", verdict } };
}

function happeningFor(message: Message, how: number, loaded: Call["loaded"]): Happening {
  switch (message.queue) {
    case "attempt": {
      const attemptId = newId("att");
      const call = { inputTokens: 100, exact: true, rates: RATES, away: new Set<string>(), mustWait: false };
      const fact = { type: "claim", attemptId, ...call } as const;
      return { fact, refFact: { type: "claim", attempt: attemptId } };
    }
    case "validate":
      return judged(message, how, loaded);
    case "settle":
      return loaded.job.state === "settling"
        ? { fact: { type: "settled" }, refFact: "settled" }
        : { fact: { type: "woke" }, refFact: { type: "woke" } };
  }
}

/** Lets the reference do what was committed, and holds the two jobs and the charge against each other. */
function follow(run: Run, job: RefJob, transition: Transition, refFact: Happening["refFact"]): void {
  if (refFact === "settled") {
    const charge = run.reference.settle(job);
    assert.equal(transition.settled?.charge?.price ?? null, charge?.amount ?? null, "the prices differ");
  } else assert.ok(run.reference.happens(job, refFact), `the reference ignores ${refFact.type}`);
  run.expectAlike(transition.next, job);
}

/** What a handler would commit for a message; null where it has nothing to do. */
async function prepared(
  run: Run,
  message: Message,
  how: number,
): Promise<
  (Happening & { readonly transition: Transition; readonly loaded: Call["loaded"]; readonly job: RefJob }) | null
> {
  const { loaded, job } = await run.load(message.jobId);
  if (message.revision !== job.revision) return null;
  const happening = happeningFor(message, how, loaded);
  const { fact, refFact } = happening;
  const transition = transitionOf(loaded, fact, loaded.nowMs);
  if (transition === null) {
    assert.ok(refFact !== "settled" && !run.reference.happens(job, refFact), `${fact.type} is ignored`);
    return null;
  }
  return { ...happening, transition, loaded, job };
}

/** After a commit whose process lives: the next message, and the call to the model. */
function goOn(run: Run, { next, effects }: Transition, loaded: Call["loaded"], job: RefJob): void {
  const started = effects.find((effect) => effect.type === "start_attempt");
  if (started !== undefined) run.calls.push({ loaded, job: next, attemptId: started.attemptId });
  run.publish(next, job.customer);
}

/** A message is delivered. When its handler dies before it is done, it stays in the queue. */
export async function deliver(run: Run, operation: Operation, keeps = false): Promise<boolean> {
  const message = pickEarly(run.messages, operation.at);
  if (message === undefined) return false;
  const work = await prepared(run, message, operation.how);
  let committed: Committed | null = null;
  if (work !== null) {
    if (work.refFact === "settled") await run.apart();
    committed = await commit(run, work.transition, operation);
    assert.notEqual(committed, "lost", "nobody else was there");
    if (isThere(committed)) follow(run, work.job, work.transition, work.refFact);
    if (committed === "won") goOn(run, work.transition, work.loaded, work.job);
  }
  const stays = keeps || committed === "died_before" || committed === "died_after";
  if (!stays) run.messages.splice(run.messages.indexOf(message), 1);
  return true;
}

/** Two handlers have the same message in hand at the same time: one of them moves the job. */
export async function twins(run: Run, { at, how }: Operation): Promise<boolean> {
  const message = pickEarly(run.messages, at);
  if (message === undefined) return false;
  const works = [await prepared(run, message, how), await prepared(run, message, how + 1)].filter((w) => w !== null);
  await run.apart();
  const won = await Promise.all(works.map(({ transition }) => partsOf(run.pool).commit(transition)));
  assert.equal(won.filter(Boolean).length, works.length === 0 ? 0 : 1, "of two equal messages one moves the job");
  const winner = works[won.indexOf(true)];
  if (winner !== undefined) {
    follow(run, winner.job, winner.transition, winner.refFact);
    goOn(run, winner.transition, winner.loaded, winner.job);
  }
  run.messages.splice(run.messages.indexOf(message), 1);
  return true;
}

const COSTS = [400n, 1n, 600n, 617n, 5_000n] as const;

/** A model answers, or its call fails. When nobody waits for the answer any more its cost is booked all the same. */
export async function answer(run: Run, operation: Operation): Promise<boolean> {
  const call = pickEarly(run.calls, operation.at);
  if (call === undefined) return false;
  run.calls.splice(run.calls.indexOf(call), 1);
  const { attemptId, loaded } = call;
  const job = run.jobs.get(call.job.id);
  if (job === undefined) throw new Error("an answer for nobody's job");
  const { how } = operation;
  const cost = COSTS[how % COSTS.length] ?? COSTS[0];
  const stop = how % 23 === 0 ? "truncated" : how % 29 === 0 ? "refused" : "end";
  const isTimeout = how % 37 === 0;
  const fact: Fact = isTimeout
    ? { type: "call_failed", attemptId, failure: "timeout", mayHaveBeenBilled: true, retryAfterMs: null }
    : { type: "answered", attemptId, cost: nanos(cost), stop };
  const transition = transitionOf({ ...loaded, job: call.job }, fact, run.nowMs(job.customer));
  if (transition === null) throw new Error(`${fact.type} does not move a job under way`);
  const isWaitedFor = job.revision === call.job.revision;
  const committed = isWaitedFor
    ? await commit(run, transition, operation)
    : await commit(run, transition, { ...operation, fate: "lives" });
  assert.equal(committed === "lost", !isWaitedFor, "the fence");
  if (isThere(committed)) {
    follow(run, job, transition, isTimeout ? { type: "timeout" } : { type: "answered", stop, cost });
  }
  if (committed === "won") run.publish(transition.next, job.customer);
  if ((committed === "lost" || committed === "repeated") && !isTimeout) await late(run, call, job, cost, operation);
  return true;
}

async function late(run: Run, call: Call, job: RefJob, cost: bigint, { fate, at }: Operation): Promise<void> {
  const answered = {
    jobId: call.job.id,
    attemptId: call.attemptId,
    provider: "anthropic",
    model: "small",
    cost: nanos(cost),
    currency: "USD",
    usage: null,
    inputTokens: 100,
    outputTokens: 60,
  } as const;
  const death = fate === "lives" ? null : { statement: at % 6, isAfter: fate !== "dies_before" };
  const isBooked = await surviving(run.pool, death, (pool) => bookLateCost(pool, answered));
  const expected = run.reference.correctCost(job, call.attemptId, cost, true);
  if (death === null) assert.equal(isBooked, expected, "a late cost");
}

/** The sweeper looks at every open job: what is overdue takes its next step, what has lost its message gets another one. */
export async function sweep(run: Run): Promise<boolean> {
  const open = run.reference.jobs.filter((job) => job.state !== "closed");
  const looked = await Promise.all(open.map((job) => run.load(run.idOf(job))));
  for (const { loaded, job } of looked) {
    const transition = transitionOf(loaded, { type: "woke" }, loaded.nowMs);
    if (transition === null) {
      assert.ok(!run.reference.happens(job, { type: "woke" }), "the reference wakes up");
      const isKnown = run.messages.some(({ jobId, revision }) => jobId === loaded.job.id && revision === job.revision);
      if (!isKnown) run.publish(loaded.job, job.customer);
      continue;
    }
    assert.ok(await partsOf(run.pool).commit(transition));
    follow(run, job, transition, { type: "woke" });
    run.publish(transition.next, job.customer);
  }
  return true;
}

/** A customer accepts, rejects or cancels: mostly a job where that means something. */
export async function says(run: Run, type: "accepted" | "rejected" | "cancel", operation: Operation): Promise<boolean> {
  const waiting = run.reference.jobs.filter(({ state }) =>
    type === "cancel" ? state !== "closed" : state === "awaiting_acceptance",
  );
  const job = pick(operation.how % 10 === 0 ? run.reference.jobs : waiting, operation.at);
  if (job === undefined) return false;
  const { loaded } = await run.load(run.idOf(job));
  const transition = transitionOf(loaded, { type }, loaded.nowMs);
  if (transition === null) {
    assert.ok(!run.reference.happens(job, { type }), `${type} is ignored`);
    return true;
  }
  const committed = await commit(run, transition, operation);
  if (isThere(committed)) follow(run, job, transition, { type });
  if (committed === "won") run.publish(transition.next, job.customer);
  return true;
}
