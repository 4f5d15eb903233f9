/** The services' handlers, as they are: load, decide, commit, publish; and the call in the middle. Each yield is a place to stop at. */
import type { AttemptId, InquiryId, VerdictId } from "@contingent/core/ids";
import type { Effect, Fact } from "@contingent/core/job/facts";
import { currentModel, type Job, type OpenInquiry, verdictCostMax } from "@contingent/core/job/job";
import { nanos, ZERO } from "@contingent/core/money";
import type { Fleet, Message, Work } from "./fleet.ts";
import { questionOf } from "./inquiries.ts";
import type { Moved, World } from "./world.ts";

type Started = Extract<Effect, { type: "start_attempt" }>;

/** A statement, or a hop of a message. */
const HOP_MS = 2;
/** A message that comes earlier than that is dropped; a little early, it is waited for. */
const EARLY_MAX_MS = 2_000;
const SWEEP_MS = 1_000;
/** How soon the sweeper looks at a job again that it found waiting. */
const SWEEP_AGAIN_MS = 15_000;

export const HANDLERS = { attempt: attempting, validate: validating, settle: settling };

function* attempting(fleet: Fleet, _process: number, message: Message): Work {
  const { world } = message;
  const job = yield* loaded(message);
  if (job === null) return;
  const earlyMs = job.readyAtMs - fleet.nowMs;
  if (earlyMs > EARLY_MAX_MS) return fleet.note("message too early");
  if (earlyMs > 0) yield earlyMs;
  const started = yield* advance(fleet, world, job, claimOf(fleet, world, job));
  if (started === null) return;
  const attempt = started.effects.find((effect) => effect.type === "start_attempt");
  if (attempt === undefined) return fleet.publish(world, started.next);
  const fact = yield* calling(fleet, attempt);
  const recorded = yield* advance(fleet, world, started.next, fact);
  if (recorded !== null) fleet.publish(world, recorded.next);
  else if (fact.type === "answered") fleet.bookLate(attempt.attemptId, fact.cost);
}

/** Some models are known to be away, or have enough of jobs that come back. */
function claimOf(fleet: Fleet, world: World, job: Job): Fact {
  const models = job.terms.cascade.flatMap((step) => step.models);
  const away = new Set(fleet.choose(4) === 3 ? models.filter(() => fleet.choose(2) === 1) : []);
  const mustWait = fleet.choose(16) === 15;
  if (away.has(currentModel(job))) fleet.note("model away");
  const attemptId: AttemptId = `att_${fleet.newId()}`;
  const inputTokens = world.setting.inputTokens;
  return { type: "claim", attemptId, inputTokens, exact: true, rates: world.rates, away, mustWait };
}

/** What the provider makes of a call. It bills what it has done, whether anybody hears of it or not. */
function* calling(fleet: Fleet, { attemptId, reserve, timeoutMs }: Started): Generator<number, Fact, void> {
  const how = fleet.choose(10);
  const used = nanos((reserve * BigInt(fleet.choose(101))) / 100n);
  const mayHaveBeenBilled = how < 6 || fleet.choose(2) === 1;
  fleet.called(attemptId, { bill: mayHaveBeenBilled ? used : ZERO, reserve });
  const failure = (["unavailable", "timeout", "rate_limited", "rejected"] as const)[how - 6];
  yield failure === "timeout" ? timeoutMs : Math.round(timeoutMs * 0.9 * fleet.share());
  yield HOP_MS;
  if (failure === undefined) {
    const stop = how === 4 ? "truncated" : how === 5 ? "refused" : "end";
    return { type: "answered", attemptId, cost: used, stop };
  }
  const retryAfterMs = fleet.choose(2) === 0 ? null : fleet.choose(20) * 1_000;
  return { type: "call_failed", attemptId, failure, mayHaveBeenBilled, retryAfterMs };
}

function* validating(fleet: Fleet, process: number, message: Message): Work {
  const { world } = message;
  const job = yield* loaded(message);
  const attemptId = job?.progress.current?.attemptId;
  if (job === null || attemptId === undefined) return;
  const open = job.progress.inquiry;
  const fact = open === null ? judgement(fleet, job, attemptId) : silence(fleet, open, attemptId);
  if (open !== null) {
    const earlyMs = job.readyAtMs - fleet.nowMs;
    if (earlyMs > EARLY_MAX_MS) return;
    if (earlyMs > 0) yield earlyMs;
  }
  const advanced = yield* advance(fleet, world, job, fact);
  if (advanced === null) return;
  const asked = advanced.next.progress.inquiry;
  if (fact.type !== "inquired" || asked === null || asked.asked === "person")
    return fleet.publish(world, advanced.next);
  fleet.alongside(process, "asking", asking(fleet, world, advanced.next, asked));
}

function* asking(fleet: Fleet, world: World, job: Job, inquiry: OpenInquiry): Work {
  const attemptId = job.progress.current?.attemptId ?? "att_none";
  yield Math.round(60_000 * fleet.share());
  const { inquiryId, reserve } = inquiry;
  const cost = nanos((reserve * BigInt(fleet.choose(101))) / 100n);
  const fact: Fact =
    fleet.choose(4) === 3
      ? {
          type: "unanswered",
          attemptId,
          inquiryId,
          cost: fleet.choose(2) === 1 ? cost : null,
          reviewId: inquiryIdOf(fleet),
        }
      : { type: "replied", attemptId, inquiryId, outcome: "replied", cost };
  const advanced = yield* advance(fleet, world, job, fact);
  if (advanced !== null) fleet.publish(world, advanced.next);
}

function judgement(fleet: Fleet, job: Job, attemptId: AttemptId): Fact {
  const how = fleet.choose(8);
  if (how === 3) return { type: "validator_broke", attemptId, reviewId: inquiryIdOf(fleet) };
  if (how === 4) return { type: "put_off", attemptId, delayMs: 1_000 };
  if (how > 5) {
    const said = { share: fleet.share(), random: fleet.share() * 0.999, yes: fleet.choose(2) === 1 };
    return questionOf(job, inquiryIdOf(fleet), attemptId, said);
  }
  const verdictId: VerdictId = `vrd_${fleet.newId()}`;
  const decision = how === 1 ? "fail" : how === 2 ? "partial" : "pass";
  const score = how === 1 ? 0 : how === 2 ? 0.5 : 1;
  const cost = nanos((verdictCostMax(job) * BigInt(fleet.choose(101))) / 100n);
  return { type: "judged", attemptId, verdictId, decision, score, value: nanos(5_000n), cost };
}

function silence(fleet: Fleet, { inquiryId, asked, reserve }: OpenInquiry, attemptId: AttemptId): Fact {
  const isPerson = asked === "person";
  if (fleet.choose(2) === 0) {
    return { type: "unanswered", attemptId, inquiryId, cost: isPerson ? ZERO : null, reviewId: inquiryIdOf(fleet) };
  }
  return { type: "replied", attemptId, inquiryId, outcome: "silence", cost: isPerson ? ZERO : reserve };
}

function* settling(fleet: Fleet, _process: number, message: Message): Work {
  const job = yield* loaded(message);
  if (job === null) return;
  const settled = yield* advance(fleet, message.world, job, { type: job.state === "settling" ? "settled" : "woke" });
  if (settled !== null) fleet.publish(message.world, settled.next);
}

/** The slow path: looks at what is due, takes its next step, or publishes its message again. */
export function* sweeping(fleet: Fleet): Work {
  const lookAgain = new Map<World, { readonly revision: number; readonly atMs: number }>();
  for (;;) {
    for (const world of fleet.worlds) {
      const { job } = world;
      const again = lookAgain.get(world);
      const rests = again !== undefined && again.revision === job.revision && fleet.nowMs < again.atMs;
      if (job.state === "closed" || fleet.nowMs < job.wakeAtMs || rests) continue;
      const againAtMs = fleet.nowMs + SWEEP_AGAIN_MS;
      const overdueAtMs = job.deadlineAtMs > fleet.nowMs ? Math.min(againAtMs, job.deadlineAtMs) : againAtMs;
      lookAgain.set(world, { revision: job.revision, atMs: overdueAtMs });
      const woken = yield* advance(fleet, world, job, { type: "woke" });
      if (woken !== null) fleet.note("sweeper took a step");
      fleet.publish(world, woken?.next ?? job);
    }
    const next = fleet.worlds.flatMap(({ job }) => (job.state === "closed" ? [] : [job.wakeAtMs - fleet.nowMs]));
    yield Math.max(SWEEP_MS, Math.min(SWEEP_AGAIN_MS, ...next));
  }
}

/** The job as it was loaded; null: the message is for another revision of it. */
function* loaded({ world, revision }: Message): Generator<number, Job | null, void> {
  const { job } = world;
  yield HOP_MS;
  return job.revision === revision ? job : null;
}

/** Decides, and commits what was decided. @returns the step; null: there was none, or somebody was faster */
function* advance(fleet: Fleet, world: World, job: Job, fact: Fact): Generator<number, Moved | null, void> {
  const decidedAtMs = fleet.nowMs;
  const step = world.decided(job, fact, decidedAtMs, fleet.share() * 0.999);
  if (step.kind !== "moved") return null;
  yield HOP_MS;
  const won = fleet.commit(world, job, fact, step, decidedAtMs);
  yield HOP_MS;
  return won ? step : null;
}

function inquiryIdOf(fleet: Fleet): InquiryId {
  return `inq_${fleet.newId()}`;
}
