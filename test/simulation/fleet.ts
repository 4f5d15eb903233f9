/**
 * A fleet under virtual time: a database that fences, a transport that loses, repeats, delays and forgets, and processes
 * that stop between any two of their steps, for a while or for good. Each step of anybody is a choice; choices come from
 * outside, so that the same ones make the same schedule, and nought is always what usually happens.
 */
import type { AttemptId } from "@contingent/core/ids";
import { type Effect, type Fact } from "@contingent/core/job/facts";
import type { Job } from "@contingent/core/job/job";
import { nextMessage } from "@contingent/core/job/messages";
import { must, type Setting } from "./deeds.ts";
import { HANDLERS, sweeping } from "./processes.ts";
import { type Moved, World } from "./world.ts";

/** Work of a process, step by step; each yields how long it takes until the next one, ms. */
export type Work = Generator<number, void, void>;

/** A hint that a job waits. */
export interface Message {
  readonly world: World;
  readonly revision: number;
  readonly queue: keyof typeof HANDLERS;
}

interface Activity {
  /** Null: of the transport. */
  readonly process: number | null;
  readonly what: string;
  readonly work: Work | null;
  /** What led to it, and is delivered again when its process dies. */
  readonly message: Message | null;
  atMs: number;
}

/** A call that reached the provider, by the provider's own log. */
interface Call {
  readonly bill: bigint;
  readonly reserve: bigint;
}

type Ended = Extract<Effect, { type: "end_attempt" }>;

const PROCESSES = 3;
/** After so long the transport gives a dead consumer's message to another one. */
const REDELIVERY_MS = 12_000;
/** By how much the transport's clock may differ. */
const SKEWS_MS = [0, 0, 0, 0, -1_500, -3_000, 4_000];
/** A schedule that has not come to its end by then turns in a circle. */
const STEPS_MAX = 20_000;
const TRACE_MAX = 60;

export class Fleet {
  nowMs: number;
  readonly worlds: readonly World[];
  /** What came up, for a test that wants to know whether everything did. */
  readonly seen = new Set<string>();
  readonly #choices: readonly number[];
  #chosen = 0;
  #ids = 0;
  #activities: Activity[] = [];
  readonly #waiting = new Set<string>();
  readonly #calls = new Map<AttemptId, Call>();
  readonly #booked = new Map<AttemptId, Pick<Ended, "costState" | "cost">>();
  readonly #trace: string[] = [];

  constructor(settings: readonly Setting[], choices: readonly number[]) {
    this.#choices = choices;
    this.worlds = settings.map((setting) => new World(setting));
    this.nowMs = this.worlds[0]?.nowMs ?? 0;
  }

  /** Lets everything happen until every job is closed, and looks whether it ended as it must. */
  run(): void {
    try {
      this.#start(null, "sweeper", sweeping(this), null);
      for (const world of this.worlds) this.publish(world, world.job);
      for (let steps = 0; this.worlds.some(({ job }) => job.state !== "closed"); steps += 1) {
        must(steps < STEPS_MAX, "every job closes");
        if (this.choose(12) === 11) this.#disturb();
        this.#go(this.#pick());
      }
      for (const world of this.worlds) world.checkEnd();
      this.#checkBills();
    } catch (error) {
      const told = error instanceof Error ? error.message : String(error);
      throw new Error(`${told}\n${this.#trace.slice(-TRACE_MAX).join("\n")}`, { cause: error });
    }
  }

  /** One of so many ways, 0 when nothing is left to be chosen. */
  choose(ways: number): number {
    const choice = this.#choices[this.#chosen] ?? 0;
    this.#chosen += 1;
    return choice % ways;
  }

  /** From 0 to 1. */
  share(): number {
    return this.choose(101) / 100;
  }

  newId(): string {
    this.#ids += 1;
    return String(this.#ids).padStart(4, "0");
  }

  note(what: string): void {
    this.seen.add(what);
    this.#tell(what);
  }

  /**
   * What the database does with a step that was decided at an instant. A COMMIT may be cut off after it has happened:
   * then whoever asked for it believes that somebody was faster.
   */
  commit(world: World, before: Job, fact: Fact, step: Moved, decidedAtMs: number): boolean {
    world.nowMs = decidedAtMs;
    world.facts.push(fact);
    if (!world.write(before, fact, step)) {
      this.note("fenced");
      return false;
    }
    this.#tell(`${fact.type} → ${step.event.type} (${step.next.state}, revision ${step.next.revision})`);
    for (const effect of step.effects) if (effect.type === "end_attempt") this.#booked.set(effect.attemptId, effect);
    if (this.choose(20) !== 19) return true;
    this.note("commit unconfirmed");
    return false;
  }

  /** Publishes what a job's state calls for. One that waits already is not added again. */
  publish(world: World, job: Job): void {
    const next = nextMessage(job, this.nowMs);
    if (next === null) return;
    const fate = this.choose(14);
    if (fate === 13) return this.note("message lost");
    const message = { world, revision: job.revision, queue: next.destination.queue };
    if (this.#waiting.has(this.#nameOf(message))) return;
    this.#enqueue(message, next.delayMs);
    if (fate !== 12) return;
    this.note("message repeated");
    this.#enqueue(message, next.delayMs);
  }

  /** Work that goes on in a process beside the one that began it. */
  alongside(process: number, what: string, work: Work): void {
    this.#start(process, what, work, null);
  }

  called(attemptId: AttemptId, call: Call): void {
    must(!this.#calls.has(attemptId), "an attempt is one call");
    this.#calls.set(attemptId, call);
  }

  /** An answer that the job does not wait for any more: its cost is the truth all the same. */
  bookLate(attemptId: AttemptId, cost: Ended["cost"]): void {
    const booked = this.#booked.get(attemptId);
    must(booked !== undefined, "an answer is late only where its attempt has ended");
    if (booked?.costState === "known") return;
    this.note("late cost booked");
    this.#booked.set(attemptId, { costState: "known", cost });
  }

  #nameOf({ world, revision }: Message): string {
    return `job ${this.worlds.indexOf(world)} revision ${revision}`;
  }

  #enqueue(message: Message, delayMs: number): void {
    const atMs = Math.max(this.nowMs, this.nowMs + delayMs + (SKEWS_MS[this.choose(SKEWS_MS.length)] ?? 0));
    this.#waiting.add(this.#nameOf(message));
    this.#activities.push({
      process: null,
      what: `${message.queue}: ${this.#nameOf(message)}`,
      work: null,
      message,
      atMs,
    });
  }

  #start(process: number | null, what: string, work: Work, message: Message | null): void {
    this.#activities.push({ process, what, work, message, atMs: this.nowMs });
  }

  /** Mostly what is due first; sometimes something else, and then all others come late. */
  #pick(): Activity {
    const soonest = this.#activities.reduce((first, each) => (each.atMs < first.atMs ? each : first));
    if (this.choose(6) !== 5) return soonest;
    return this.#activities[this.choose(this.#activities.length)] ?? soonest;
  }

  #go(activity: Activity): void {
    this.nowMs = Math.max(this.nowMs, activity.atMs);
    const { work, message } = activity;
    if (work === null && message !== null) {
      this.#drop(activity);
      const process = this.choose(PROCESSES);
      this.#tell(`process ${process} takes ${activity.what}`);
      // It counts as waiting for as long as somebody works on it.
      return this.#start(process, activity.what, HANDLERS[message.queue](this, process, message), message);
    }
    const went = work?.next() ?? { done: true as const, value: undefined };
    if (went.done !== true) {
      activity.atMs = this.nowMs + went.value;
      return;
    }
    this.#drop(activity);
    if (message !== null) this.#waiting.delete(this.#nameOf(message));
  }

  #drop(activity: Activity): void {
    this.#activities = this.#activities.filter((each) => each !== activity);
  }

  #disturb(): void {
    switch (this.choose(6)) {
      case 0:
      case 1:
        return this.#kill(this.choose(PROCESSES));
      case 2:
        return this.#forget();
      default:
        return this.#customer(this.choose(this.worlds.length));
    }
  }

  /** kill -9: what it was doing is gone, and the transport notices after a while. */
  #kill(process: number): void {
    const lost = this.#activities.filter((each) => each.process === process);
    this.note("process killed");
    for (const activity of lost) {
      this.#drop(activity);
      const { message } = activity;
      if (message === null) continue;
      const what = `${message.queue}, again: ${this.#nameOf(message)}`;
      this.#activities.push({ process: null, what, work: null, message, atMs: this.nowMs + REDELIVERY_MS });
    }
  }

  /** The transport loses everything that waits. */
  #forget(): void {
    this.note("all messages lost");
    for (const activity of this.#activities.filter(({ work }) => work === null)) {
      this.#drop(activity);
      if (activity.message !== null) this.#waiting.delete(this.#nameOf(activity.message));
    }
  }

  #customer(which: number): void {
    const world = this.worlds[which];
    const type = (["accepted", "rejected", "cancel"] as const)[this.choose(3)];
    if (world === undefined || type === undefined) return;
    const { job } = world;
    const step = world.decided(job, { type }, this.nowMs, this.share() * 0.999);
    if (step.kind === "moved" && this.commit(world, job, { type }, step, this.nowMs)) this.publish(world, step.next);
  }

  /** By the provider's own log: what was billed is booked, or what is booked in its place is no less. */
  #checkBills(): void {
    for (const [attemptId, { bill, reserve }] of this.#calls) {
      const booked = this.#booked.get(attemptId);
      must(booked !== undefined, "every call is in the books");
      if (booked === undefined) continue;
      const { costState, cost } = booked;
      this.seen.add(`booked ${costState}`);
      must(costState !== "known" || cost === bill, "what is known is what was billed");
      must(costState !== "presumed" || (cost === reserve && cost >= bill), "what is presumed covers the bill");
      must(costState !== "released" || bill === 0n, "only what was not billed is free");
    }
  }

  #tell(what: string): void {
    this.#trace.push(`${((this.nowMs - (this.worlds[0]?.bornMs ?? 0)) / 1_000).toFixed(3)} s: ${what}`);
  }
}
