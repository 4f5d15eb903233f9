/**
 * Waiting for jobs to move. One poller per process asks for the positions of all watched jobs in one statement, as long as
 * somebody watches. LISTEN/NOTIFY would be quicker by some milliseconds and take a global lock at every commit.
 */
import type { CustomerId, JobId } from "@contingent/core/ids";
import { type JobPosition, jobPositions } from "@contingent/db/job-views-events";
import type { Pool } from "@contingent/db/pool";
import type { Tenants } from "@contingent/db/tenants";
import { ApiError } from "../http/api-error.ts";

const POLL_INTERVAL_MS = 50;
/** Between polls while the database does not answer. */
const POLL_BACKOFF_MS = 1_000;
/** Requests that may wait in one process. */
const WATCHERS_MAX = 5_000;
const RETRY_AFTER_S = "5";

/** A job, and whose it is. */
export interface Watched {
  readonly id: JobId;
  readonly customerId: CustomerId;
}

interface Watch {
  readonly job: Watched;
  readonly isReached: (position: JobPosition) => boolean;
  readonly end: (reached: boolean) => void;
}

export class JobWatcher {
  readonly #pool: Pool | Tenants;
  readonly #watches = new Set<Watch>();
  #polling = false;

  constructor(pool: Pool | Tenants) {
    this.#pool = pool;
  }

  /**
   * Resolves when the job's position fits, the time is over or the signal is aborted.
   * @returns whether the position was reached
   * @throws ApiError too_many_waiting
   */
  until(
    job: Watched,
    isReached: (position: JobPosition) => boolean,
    options: { readonly timeoutMs?: number; readonly signal: AbortSignal },
  ): Promise<boolean> {
    if (options.signal.aborted) return Promise.resolve(false);
    if (this.#watches.size >= WATCHERS_MAX) {
      const message = "Too many requests wait at this moment. Ask without waiting, or try again in some seconds.";
      throw new ApiError("too_many_waiting", message, { headers: { "Retry-After": RETRY_AFTER_S } });
    }
    return new Promise((resolve) => {
      const giveUp = (): void => watch.end(false);
      const timer = options.timeoutMs === undefined ? undefined : setTimeout(giveUp, options.timeoutMs);
      const watch: Watch = {
        job,
        isReached,
        end: (reached) => {
          clearTimeout(timer);
          options.signal.removeEventListener("abort", giveUp);
          this.#watches.delete(watch);
          resolve(reached);
        },
      };
      options.signal.addEventListener("abort", giveUp, { once: true });
      this.#watches.add(watch);
      if (!this.#polling) void this.#poll();
    });
  }

  async #poll(): Promise<void> {
    this.#polling = true;
    while (this.#watches.size > 0) {
      const answered = await this.#look();
      await new Promise((resolve) => setTimeout(resolve, answered ? POLL_INTERVAL_MS : POLL_BACKOFF_MS));
    }
    this.#polling = false;
  }

  /** @returns false when the database did not answer: those who wait go on waiting. */
  async #look(): Promise<boolean> {
    const jobs = new Map(Array.from(this.#watches, ({ job }) => [job.id, job]));
    let positions: readonly JobPosition[];
    try {
      positions = await jobPositions(this.#pool, [...jobs.values()]);
    } catch {
      return false;
    }
    const byId = new Map(positions.map((position) => [position.id, position]));
    for (const watch of this.#watches) {
      const position = byId.get(watch.job.id);
      if (position !== undefined && watch.isReached(position)) watch.end(true);
    }
    return true;
  }
}

/** There is a result: the job is over, or its outcome awaits acceptance. */
export function isDelivered(position: Pick<JobPosition, "state">): boolean {
  return isClosed(position) || position.state === "awaiting_acceptance";
}

/** The job is over: nothing about it changes any more. */
export function isClosed(position: Pick<JobPosition, "state">): boolean {
  return position.state === "closed";
}
