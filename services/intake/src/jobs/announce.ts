/** The fast path of a job's message. Losing one costs time only: the sweeper publishes what is missing. */
import { publishNext } from "@contingent/queue/publish-next";
import type { Queues } from "@contingent/queue/queues";
import type { Log } from "@contingent/runtime/log";
import type { IntakeContext } from "../context.ts";

export interface Announcer extends AsyncDisposable {
  readonly announce: IntakeContext["announce"];
}

/** Publishes without keeping the caller waiting; disposing of it waits for what is under way. */
export function announcer(queues: Pick<Queues, "publish">, log: Log): Announcer {
  const underWay = new Set<Promise<void>>();
  return {
    announce({ job, nowMs, traceparent }) {
      const published = publishNext(queues, job, nowMs, traceparent, log);
      const publishing = published.finally(() => underWay.delete(publishing));
      underWay.add(publishing);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(underWay);
    },
  };
}
