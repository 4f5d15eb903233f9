/** One run: two customers of a database that others share, their jobs and messages, and the reference beside them. */
import assert from "node:assert/strict";
import type { CustomerId, JobId, KeyId } from "@contingent/core/ids";
import { termsWith } from "@contingent/core/job/job.fixture";
import type { Job } from "@contingent/core/job/job";
import { nextMessage } from "@contingent/core/job/messages";
import { type OutcomeTypeVersion, UNMEASURED } from "@contingent/core/outcome-type";
import { periodAfter, periodAt } from "@contingent/core/statement/period";
import type { NewJob } from "@contingent/db/accept";
import { openCommit, type Transition } from "@contingent/db/commit";
import { createCustomer } from "@contingent/db/customer-billing";
import { newId } from "@contingent/db/ids";
import { createKey } from "@contingent/db/keys";
import type { JobForSettlement } from "@contingent/db/load";
import { publishVersion } from "@contingent/db/outcome-types-published";
import { PLAIN } from "@contingent/db/payloads/payloads";
import type { Pool } from "@contingent/db/pool";
import { clockMoved } from "@contingent/testkit/customers";
import { loadedJob, partsOf } from "@contingent/testkit/jobs";
import { coreTerms, HALF_HOUR_MS, SOLD, type SoldType } from "./catalog.ts";
import { type Death, Died, dyingPool } from "./dying.ts";
import type { Operation } from "./operation.ts";
import { Reference, type RefDispute } from "./reference.ts";
import type { RefJob } from "./reference-job.ts";

/** What the runs on one database share. */
export interface Market {
  readonly pool: Pool;
  readonly versions: ReadonlyMap<string, OutcomeTypeVersion>;
  readonly operator: KeyId;
}

/** A message as a queue holds it. It may be there twice, come late or never. */
export interface Message {
  readonly queue: "attempt" | "validate" | "settle";
  readonly jobId: JobId;
  readonly revision: number;
}

/** What is bought twice is known by an Idempotency-Key, by an outcome_key, or by both. */
export interface Keys {
  readonly request: string | null;
  readonly outcome: string | null;
}

/** A worker that waits for a model's answer. */
export interface Call {
  readonly loaded: JobForSettlement;
  /** The job as the worker left it. */
  readonly job: Job;
  readonly attemptId: `att_${string}`;
}

export async function openMarket(pool: Pool): Promise<Market> {
  const versions = new Map<string, OutcomeTypeVersion>();
  for (const type of SOLD) {
    const { id } = await publishVersion(
      pool,
      type.name,
      {},
      {
        description: "What the runs sell.",
        currency: "USD",
        prompt: { system: "Answer.", user: "{{input}}" },
        inputSchema: {},
        outputSchema: {},
        validator: { all: [] },
        features: {},
        terms: termsWith(coreTerms(type)),
        quality: UNMEASURED,
        payloadRetentionDays: null,
      },
    );
    versions.set(type.name, await partsOf(pool).versions.get(id));
  }
  const { id: operator } = await createKey(pool, { kind: "operator", label: "the runs" });
  return { pool, versions, operator };
}

export class Run {
  readonly market: Market;
  readonly startMs: number;
  readonly reference: Reference;
  readonly customers: readonly [CustomerId, CustomerId];
  readonly messages: Message[] = [];
  readonly calls: Call[] = [];
  readonly disputes = new Map<RefDispute, `dsp_${string}`>();
  readonly jobs = new Map<JobId, RefJob>();
  /** What was done, for whoever has to understand a failure. */
  readonly log: string[] = [];
  readonly #requests = new Map<RefJob, NewJob>();
  readonly #openedAtMs = performance.now();
  #lastMs = 0;

  private constructor(market: Market, startMs: number, customers: readonly [CustomerId, CustomerId]) {
    this.market = market;
    this.startMs = startMs;
    this.customers = customers;
    this.reference = new Reference(startMs);
  }

  /** Opens accounts for a prepaid customer and one on account, half an hour into the first whole month after now. */
  static async open(market: Market): Promise<Run> {
    const { startMs } = periodAfter(periodAt(Date.now()));
    const customers = [newId("cus"), newId("cus")] as const;
    for (const [index, id] of customers.entries()) {
      const billing = index === 0 ? "prepaid" : "on_account";
      const settings = { billing, limit: null, alertShares: [0.8, 1], alertBelow: null, openJobsMax: null } as const;
      await createCustomer(market.pool, { id, name: `A customer ${billing}`, ...settings });
      await clockMoved(market.pool, id, { toMs: startMs + HALF_HOUR_MS });
    }
    return new Run(market, startMs, customers);
  }

  get pool(): Pool {
    return this.market.pool;
  }

  customer(index: number): CustomerId {
    return this.customers[index === 0 ? 0 : 1];
  }

  /** What the customer's clock says. */
  nowMs(index: number): number {
    const sinceMs = performance.now() - this.#openedAtMs;
    return this.startMs + this.reference.customer(index).now * HALF_HOUR_MS + sinceMs;
  }

  version(type: SoldType): OutcomeTypeVersion {
    const version = this.market.versions.get(type.name);
    if (version === undefined) throw new Error(`${type.name} is not on sale`);
    return version;
  }

  enter(job: RefJob, request: NewJob): void {
    this.#requests.set(job, request);
    this.jobs.set(request.id, job);
  }

  keysOf(job: RefJob): Keys {
    const request = this.#requests.get(job);
    return { request: request?.idempotent?.key ?? null, outcome: request?.outcomeKey ?? null };
  }

  idOf(job: RefJob): JobId {
    const id = this.#requests.get(job)?.id;
    if (id === undefined) throw new Error("the job was never accepted");
    return id;
  }

  /** The job as it is stored, which must be as the reference has it. */
  async load(id: JobId): Promise<{ readonly loaded: JobForSettlement; readonly job: RefJob }> {
    const job = this.jobs.get(id);
    if (job === undefined) throw new Error(`${id} was never accepted`);
    const loaded = await loadedJob(this.pool, id);
    this.expectAlike(loaded.job, job);
    return { loaded, job };
  }

  expectAlike({ id, revision, state, resolution, reason }: Job, job: RefJob): void {
    const { revision: refRevision, state: refState, resolution: refResolution, reason: refReason } = job;
    const expected = { revision: refRevision, state: refState, resolution: refResolution, reason: refReason };
    assert.deepEqual({ revision, state, resolution, reason }, expected, `${id} is not as the reference has it`);
  }

  publish(job: Job, index: number): void {
    const next = nextMessage(job, this.nowMs(index));
    if (next !== null) this.messages.push({ queue: next.destination.queue, jobId: job.id, revision: job.revision });
  }

  /**
   * Lets the database's clock go on by a millisecond since the last time that this was asked for: which of two things came
   * first must not depend on their ids. Hardly ever waits, for most of what happens takes longer.
   */
  async apart(): Promise<void> {
    while (performance.now() - this.#lastMs < 1.5) await new Promise((resolve) => setImmediate(resolve));
    this.#lastMs = performance.now();
  }
}

/** What became of a commit, as far as its process knows. */
export type Committed = "won" | "lost" | "died_before" | "died_after" | "repeated";

/** Whether the transition is in the database. */
export function isThere(committed: Committed): boolean {
  return committed !== "lost" && committed !== "died_before";
}

/**
 * Commits a transition as a handler does. Its process may die just before or just after that; or the answer is lost on the
 * way and it commits once more, and has to take its own transition for somebody else's.
 */
export async function commit(run: Run, transition: Transition, { fate }: Operation): Promise<Committed> {
  if (fate !== "dies_before" && fate !== "dies_after" && fate !== "repeats") {
    return (await partsOf(run.pool).commit(transition)) ? "won" : "lost";
  }
  const death: Death = { statement: 0, isAfter: fate !== "dies_before" };
  try {
    await openCommit(dyingPool(run.pool, death), PLAIN)(transition);
    throw new Error("nobody died");
  } catch (error) {
    if (!(error instanceof Died)) throw error;
  }
  if (fate === "dies_before") return "died_before";
  if (fate === "dies_after") return "died_after";
  const again = await partsOf(run.pool).commit(transition);
  assert.equal(again, false, "the same transition was committed twice");
  return "repeated";
}
