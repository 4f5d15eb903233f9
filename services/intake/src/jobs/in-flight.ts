/** Keeps the rows of idempotent requests alive that this process is still serving: without a sign of life others take them over. */
import { IN_FLIGHT_LEASE_MS } from "@contingent/db/accept";
import { keepAlive, type RequestKey } from "@contingent/db/idempotency";
import type { Pool } from "@contingent/db/pool";
import type { Tenants } from "@contingent/db/tenants";
import type { Log } from "@contingent/runtime/log";

const SIGN_OF_LIFE_INTERVAL_MS = IN_FLIGHT_LEASE_MS / 4;

export class InFlightRequests implements Disposable {
  readonly #requests = new Set<RequestKey>();
  readonly #timer: NodeJS.Timeout;

  constructor(pool: Pool | Tenants, log: Log) {
    this.#timer = setInterval(() => {
      keepAlive(pool, [...this.#requests]).catch((error: unknown) => {
        log.warn({ err: error }, "could not keep waiting requests alive");
      });
    }, SIGN_OF_LIFE_INTERVAL_MS);
    this.#timer.unref();
  }

  /** Does the work while the request counts as being served. */
  async during<T>(request: RequestKey, work: () => Promise<T>): Promise<T> {
    this.#requests.add(request);
    try {
      return await work();
    } finally {
      this.#requests.delete(request);
    }
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
