/**
 * A world for one job, with a clock of its own: workers, validators, customers and sweepers that send facts in any order,
 * twice, late, or never. After every step it checks what must hold whatever happens.
 */
import { settlementOf } from "@contingent/core/books/settlement";
import type { Rate } from "@contingent/core/cost";
import type { AttemptId, InquiryId, VerdictId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import { holdFor } from "@contingent/core/pricing/price";
import { newJob } from "@contingent/core/job/accept";
import { decide } from "@contingent/core/job/decide";
import type { Effect, Fact, Step } from "@contingent/core/job/facts";
import { budgetLeft, type Job, verdictCostMax, verdictReserve } from "@contingent/core/job/job";
import { nextMessage } from "@contingent/core/job/messages";
import { LEASE_GRACE_MS } from "@contingent/core/job/moves";
import { type Deed, must, type Setting } from "./deeds.ts";
import { costsSomething, truthOf, usesUp } from "./truths.ts";
import { Inquiries, questionOf, type Told } from "./inquiries.ts";

type EffectOf<T extends Effect["type"]> = Extract<Effect, { type: T }>;
type Ended = EffectOf<"end_attempt">;
/** A step that moves its job. */
export type Moved = Extract<Step, { kind: "moved" }>;

/** What takes no more than a word. Only the ledger can say `settled`, and only of a job that it has just settled: elsewhere it is a fact gone astray. */
const SAID = { cancel: "cancel", accept: "accepted", reject: "rejected", wake: "woke", settle: "settled" } as const;

/** How often the sweeper looks at a job that it found waiting for nothing overdue. */
const SWEEP_AGAIN_MS = 30_000;
/** Moves that a job may make after its deadline: lost or answered, out of the queue, delivered, resolved, booked. */
const MOVES_AFTER_DEADLINE = 5;
const BIRTH_MS = 1_700_000_000_000;

export class World {
  nowMs = BIRTH_MS;
  readonly bornMs = BIRTH_MS;
  job: Job;
  readonly moves: Moved[] = [];
  readonly reserves = new Map<AttemptId, bigint>();
  readonly ended = new Set<AttemptId>();
  /** Sums of what the effects said. */
  private readonly told: Told = { known: 0n, presumed: 0n, released: 0n, open: 0n, overrun: 0n };
  private readonly inquiries = new Inquiries(this.told);
  readonly verdictsAtMs = new Map<VerdictId, number>();
  /** Verdicts of outcomes that the customer sent back. */
  private readonly rejected = new Set<VerdictId>();
  readonly facts: Fact[] = [];
  readonly setting: Setting;
  readonly rates: ReadonlyMap<string, Rate>;
  /** Models that workers know to be unavailable. */
  away: ReadonlySet<string> = new Set();
  private sweptAtMs = -Infinity;
  /** Attempts that were used up, by step. */
  private readonly used = new Map<number, number>();

  constructor(setting: Setting) {
    this.setting = setting;
    this.rates = new Map(setting.rates.map((r) => [r.model, r]));
    this.job = newJob("job_0001", setting.terms, BIRTH_MS);
    this.checkJob();
  }

  /** Lets the clock run; a sweeper that is there looks after the job meanwhile. */
  advance(durationMs: number): void {
    const untilMs = this.nowMs + durationMs;
    if (this.setting.sweepLagMs !== null) this.sweepUntil(untilMs, this.setting.sweepLagMs);
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  /** Does something, and says what came of it. */
  act(deed: Deed): void {
    this.advance(deed.afterMs);
    const fact = this.factOf(deed);
    if (fact !== null) this.meet(fact, deed.random);
  }

  /** The job meets a fact; everything that must hold is checked. */
  meet(fact: Fact, random = 0.5): Step {
    this.facts.push(fact);
    const step = decide(this.job, fact, { nowMs: this.nowMs, random });
    if (step.kind === "moved") this.write(this.job, fact, step);
    return step;
  }

  /** What follows for a job, as whoever loaded it sees it. */
  decided(job: Job, fact: Fact, nowMs: number, random: number): Step {
    return decide(job, fact, { nowMs, random });
  }

  /**
   * Writes a step down, as the database does: only where the job is still the one that it was decided for.
   * @returns whether it was
   */
  write(before: Job, fact: Fact, step: Moved): boolean {
    if (before.revision !== this.job.revision) return false;
    must(before.state !== "closed", "a closed job stays as it is");
    must(step.next.revision === before.revision + 1, "a move raises the revision by one");
    this.moves.push(step);
    this.job = step.next;
    if (fact.type === "judged") this.verdictsAtMs.set(fact.verdictId, this.nowMs);
    if (usesUp(fact)) this.checkUsed(before);
    this.checkEffects(before, fact, step.effects);
    if (fact.type === "cancel") {
      must(this.job.resolution === "failure", "nothing is sold to a customer who does not want it");
    }
    if (fact.type === "rejected") this.checkRejected(before);
    this.checkJob();
    return true;
  }

  /** Nobody is left but a sweeper and the ledger: the job must close, and in time. */
  end(): void {
    const lagMs = this.setting.sweepLagMs ?? 0;
    const { acceptance } = this.setting.terms;
    const windowMs = acceptance.mode === "automatic" ? 0 : acceptance.durationMs;
    const overMs =
      Math.max(this.job.deadlineAtMs + LEASE_GRACE_MS, this.nowMs) + windowMs + MOVES_AFTER_DEADLINE * lagMs;
    if (this.job.state !== "closed") this.sweepUntil(overMs, lagMs);
    must(this.job.state === "closed", `a job closes after its deadline and its window (it is ${this.job.state})`);
    this.checkEnd();
  }

  private sweepUntil(untilMs: number, lagMs: number): void {
    for (;;) {
      const again = this.sweptAtMs + SWEEP_AGAIN_MS;
      const { wakeAtMs, deadlineAtMs, state } = this.job;
      const dueMs =
        this.sweptAtMs < wakeAtMs ? wakeAtMs : this.sweptAtMs < deadlineAtMs ? Math.min(again, deadlineAtMs) : again;
      const comesAtMs = Math.max(this.nowMs, dueMs + lagMs);
      const settles = state === "settling" && this.nowMs + lagMs <= untilMs;
      if (state === "closed" || (!settles && comesAtMs > untilMs)) return;
      this.nowMs = settles ? this.nowMs + lagMs : comesAtMs;
      const step = this.meet({ type: settles ? "settled" : "woke" });
      this.sweptAtMs = step.kind === "moved" ? -Infinity : this.nowMs;
    }
  }

  private factOf(deed: Deed): Fact | null {
    const ids = [...this.reserves.keys()];
    const attemptId = ids[deed.who % Math.max(1, ids.length)] ?? "att_none";
    switch (deed.does) {
      case "its turn":
        return this.turn(deed);
      case "claim":
        return this.claim(deed.yes);
      case "answer":
        return this.answer(attemptId, deed);
      case "fail":
        return this.failure(attemptId, deed);
      case "judge":
        return this.judgement(attemptId, deed);
      case "break":
        return { type: "validator_broke", attemptId, reviewId: this.newInquiryId() };
      case "inquire":
        return questionOf(this.job, this.newInquiryId(), attemptId, deed);
      case "put off":
        return { type: "put_off", attemptId, delayMs: Math.round(deed.share * 2_000) };
      case "reply":
      case "lose":
        return this.inquiries.endOf(this.job, this.newInquiryId(), attemptId, deed, this.setting.overruns);
      case "cancel":
      case "accept":
      case "reject":
      case "wake":
      case "settle":
        return { type: SAID[deed.does] };
      case "repeat":
        return this.repeated(deed);
    }
  }

  /** A fact from before, once more. Who claims or inquires again makes a new id for it. */
  private repeated(deed: Deed): Fact | null {
    const fact = this.facts[deed.who % Math.max(1, this.facts.length)];
    const made = fact?.type === "claim" || fact?.type === "inquired";
    return fact === undefined || made || this.job.state === "closed" ? null : fact;
  }

  /** What whoever holds the job does next, when its message is due. */
  private turn(deed: Deed): Fact | null {
    // A customer who answers does not wait for the end of the window; everybody else waits for the message.
    const answers = this.job.state === "awaiting_acceptance" && deed.share > 0.3;
    const message = answers ? null : nextMessage(this.job, this.nowMs);
    if (message !== null) this.advance(message.delayMs);
    const { state, progress } = this.job;
    const attemptId = progress.current?.attemptId ?? "att_none";
    switch (state) {
      case "queued":
        return this.claim(deed.yes);
      case "attempting":
        return deed.yes ? this.answer(attemptId, deed) : this.failure(attemptId, deed);
      case "validating":
        return this.validation(attemptId, deed);
      case "awaiting_acceptance":
        if (!answers) return { type: "woke" };
        return { type: deed.yes ? "accepted" : "rejected" };
      case "settling":
        return { type: "settled" };
      case "closed":
        return null;
    }
  }

  claim(exact: boolean): Fact {
    const attemptId: AttemptId = `att_${this.facts.length}`;
    const inputTokens = exact ? this.setting.inputTokens : this.setting.inputTokens * 2;
    const { rates, away } = this;
    return { type: "claim", attemptId, inputTokens, exact, rates, away, mustWait: false };
  }

  private answer(attemptId: AttemptId, { share, stop, random }: Deed): Fact {
    const reserve = this.reserves.get(attemptId) ?? 0n;
    const used = (reserve * BigInt(Math.round(share * 1_000))) / 1_000n;
    const beyond = this.setting.overruns && random > 0.8 ? reserve : 0n;
    return { type: "answered", attemptId, cost: nanos(used + beyond), stop };
  }

  private failure(attemptId: AttemptId, { failure, share, yes }: Deed): Fact {
    const retryAfterMs = share < 0.3 ? null : Math.round(share * 20_000);
    return { type: "call_failed", attemptId, failure, mayHaveBeenBilled: yes, retryAfterMs };
  }

  private judgement(attemptId: AttemptId, { decision, share, random }: Deed): Fact {
    const value = random < 0.2 ? null : nanos(BigInt(Math.round((random - 0.5) * 10_000)));
    const reserve = verdictCostMax(this.job);
    const used = (reserve * BigInt(Math.round(share * 1_000))) / 1_000n;
    const cost = nanos(this.setting.overruns && random > 0.8 ? used + reserve : used);
    return { type: "judged", attemptId, verdictId: `vrd_${this.facts.length}`, decision, score: share, value, cost };
  }

  /** What the validator service does with an answer: it asks, hears the reply, breaks, or judges. */
  private validation(attemptId: AttemptId, deed: Deed): Fact {
    if (this.job.progress.inquiry !== null)
      return this.inquiries.endOf(this.job, this.newInquiryId(), attemptId, deed, this.setting.overruns);
    if (deed.share > 0.8) return { type: "validator_broke", attemptId, reviewId: this.newInquiryId() };
    return deed.share > 0.6
      ? questionOf(this.job, this.newInquiryId(), attemptId, deed)
      : this.judgement(attemptId, deed);
  }

  private newInquiryId(): InquiryId {
    return `inq_${this.facts.length}`;
  }

  /** What was rejected is over; what comes instead is paid from the same cap and counts as further attempts. */
  private checkRejected(before: Job): void {
    const { job } = this;
    const outcome = before.progress.best;
    if (outcome !== null) this.rejected.add(outcome.verdictId);
    must(job.cost === before.cost && job.attempts === before.attempts, "a rejection gives nothing back");
    must(job.progress.tried === before.progress.tried, "a rejection does not make attempts undone");
    if (job.state === "settling") {
      must(job.resolution === "failure" && job.reason === "rejected", "a rejection without rework is the end");
      return;
    }
    must(job.terms.rework && job.state === "queued", "only a type with rework takes a job back to work");
    must(job.progress.best === null, "nothing is left in hand of what was rejected");
    must(job.deadlineAtMs === this.nowMs + job.terms.deadlineMs, "a rework has a whole deadline");
  }

  /** Counted here, and not by what the job says of itself. */
  private checkUsed({ progress, terms }: Job): void {
    const { step } = progress;
    this.used.set(step, (this.used.get(step) ?? 0) + 1);
    must((this.used.get(step) ?? 0) <= (terms.cascade[step]?.attemptsMax ?? 0), "a tier has its attempts and no more");
    const all = [...this.used.values()].reduce((a, b) => a + b, 0);
    must(all <= terms.attemptsMax, "a job has its attempts and no more");
  }

  private checkEffects(before: Job, fact: Fact, effects: readonly Effect[]): void {
    must(new Set(effects.map((e) => e.type)).size === effects.length, "a step has at most one effect of a kind");
    for (const effect of effects) {
      if (effect.type === "start_attempt") this.checkStart(before, effect);
      if (effect.type === "end_attempt") this.checkEnded(effect, fact);
      if (effect.type === "pay_verdict") this.checkPaid(before, effect, fact);
      if (effect.type === "open_inquiry") this.inquiries.open(before, effect, this.nowMs);
      if (effect.type === "end_inquiry") this.inquiries.end(effect, fact);
    }
    const paid = effects.some((effect) => effect.type === "pay_verdict");
    must(paid === costsSomething(before, fact), "a verdict that cost something is paid, and nothing else is");
  }

  private checkPaid(before: Job, effect: EffectOf<"pay_verdict">, fact: Fact): void {
    const { validation } = before.terms;
    must(fact.type === "judged" && fact.verdictId === effect.verdictId, "what is paid is the verdict that was reached");
    must(fact.type === "judged" && effect.cost === fact.cost, "a verdict costs what it cost");
    must(validation?.provider === effect.provider && validation.name === effect.name, "the one who judged is paid");
    this.told.known += effect.cost;
    if (effect.cost > effect.reserve) this.told.overrun += effect.cost - effect.reserve;
  }

  private checkEnded(effect: Ended, fact: Fact): void {
    const reserve = this.reserves.get(effect.attemptId);
    const [costState, cost] = truthOf(fact, reserve ?? 0n);
    must(
      effect.costState === costState && effect.cost === cost,
      "a cost is the truth, or the worst case where it is unknown",
    );
    must(reserve !== undefined, "only an attempt that was written down ends");
    must(!this.ended.has(effect.attemptId), "an attempt ends once");
    this.ended.add(effect.attemptId);
    this.told[effect.costState] += effect.cost;
    this.told.open -= reserve ?? 0n;
    if (effect.cost > (reserve ?? 0n)) this.told.overrun += effect.cost - (reserve ?? 0n);
  }

  private checkStart(before: Job, effect: EffectOf<"start_attempt">): void {
    const { min, max } = before.terms.outputTokens;
    const timeLeftMs = before.deadlineAtMs - this.nowMs;
    must(!this.reserves.has(effect.attemptId), "an attempt starts once");
    must(
      effect.reserve + verdictReserve(before) <= budgetLeft(before),
      "no attempt starts that does not fit what may be spent, with the verdict on it",
    );
    must(effect.outputTokensMax >= min && effect.outputTokensMax <= max, "the output limit stays within its bounds");
    must(effect.timeoutMs > 0 && effect.timeoutMs <= timeLeftMs, "no call outlasts the deadline");
    must(effect.number === this.reserves.size + 1, "attempts are numbered without gaps");
    this.reserves.set(effect.attemptId, effect.reserve);
    this.told.open += effect.reserve;
  }

  private checkJob(): void {
    const { job, setting } = this;
    const { terms, progress, cost, state } = job;
    const held = state === "attempting" || state === "validating";
    must(cost.known + cost.presumed + cost.held - cost.overrun <= terms.costCap, "the cost cap holds");
    must(
      !held || verdictCostMax(job) <= budgetLeft(job) + cost.overrun,
      "there is room for the verdict until it is reached",
    );
    must(
      state !== "attempting" || verdictReserve(job) <= budgetLeft(job) + cost.overrun,
      "there is room for whoever has to be asked about the answer under way",
    );
    must(cost.overrun >= 0n && (setting.overruns || cost.overrun === 0n), "what was reserved is enough");
    must(
      cost.held === (state === "attempting" ? progress.current?.reserve : (progress.inquiry?.reserve ?? 0n)),
      "held is the reserve of the call in flight, or of the open inquiry",
    );
    must(progress.inquiry === null || state === "validating", "only a verdict waits for an inquiry");
    must(this.inquiries.areOpen === (progress.inquiry === null ? 0 : 1), "every inquiry but the open one has ended");
    must(held === (progress.current !== null), "a job has a current attempt just while it is attempted or validated");
    must(
      (nextMessage(job, this.nowMs) === null) === (state === "attempting" || state === "closed"),
      "a message should exist",
    );
    must(
      (job.resolution !== null) === (state === "awaiting_acceptance" || state === "settling" || state === "closed"),
      "resolved",
    );
    must((job.reason !== null) === (state === "settling" || state === "closed"), "a reason is given when it is final");
    must(Number.isFinite(job.readyAtMs) && Number.isFinite(job.wakeAtMs), "times are numbers");
    must(state === "closed" || job.wakeAtMs <= this.latestWakeMs(), "somebody looks at the job before it is too late");
    must(job.attempts === this.reserves.size, "every attempt is counted");
    this.checkCosts();
  }

  private latestWakeMs(): number {
    const { state, deadlineAtMs, readyAtMs } = this.job;
    if (state === "queued" || state === "validating") return deadlineAtMs;
    return state === "attempting" ? deadlineAtMs + LEASE_GRACE_MS : readyAtMs + 15_000;
  }

  /** What the effects said adds up to what the job says. */
  private checkCosts(): void {
    const { known, presumed, held, overrun } = this.job.cost;
    const { told } = this;
    must(told.known === known && told.presumed === presumed && told.released === 0n, "costs add up to the job's");
    must(told.open === held, "reserves that are open are held");
    must(told.overrun === overrun, "an overrun is what exceeded its own reserve");
  }

  /** What must hold of a job that is closed. */
  checkEnd(): void {
    const { job } = this;
    must(this.reserves.size === this.ended.size, "every attempt of a closed job has ended");
    must(this.inquiries.areOpen === 0, "every inquiry of a closed job has ended");
    const settlement = settlementOf(job);
    const { best } = job.progress;
    if (job.resolution === "failure") must(settlement.kind === "void", "a failure is free");
    if (settlement.kind === "capture") {
      const verdictAtMs = best === null ? undefined : this.verdictsAtMs.get(best.verdictId);
      must(best !== null && best.verdictId === settlement.verdictId, "a charge names the verdict in hand");
      must(!this.rejected.has(settlement.verdictId), "no charge is made for an outcome that was rejected");
      must(
        best?.decision === (job.resolution === "success" ? "pass" : "partial"),
        "a charge says what the verdict says",
      );
      must(
        verdictAtMs !== undefined && verdictAtMs < job.deadlineAtMs,
        "a charge has a verdict from before the deadline",
      );
      must(settlement.price > 0n && settlement.price <= holdFor(job.terms.price), "a price is within its hold");
    }
    for (const fact of this.facts)
      must(decide(job, fact, { nowMs: this.nowMs, random: 0 }).kind === "ignored", "closed is closed");
  }
}
