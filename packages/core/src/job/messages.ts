/** The state is the outbox: from a job one can compute which message should be on which queue. */
import { currentStep, type Job } from "./job.ts";

/** A queue, apart from its transport. */
export type Destination =
  | { readonly queue: "attempt"; readonly tier: string }
  | { readonly queue: "validate" | "settle" };

export interface NextMessage {
  readonly destination: Destination;
  /** How long the message should wait before it is delivered. */
  readonly delayMs: number;
  /** Which of those that wait goes first: the one whose turn is the earliest. Null: the one that came first. */
  readonly turnAtMs: number | null;
}

/** The message that should exist for a job in this state, or null: somebody holds the job, or it is closed. */
export function nextMessage(job: Job, nowMs: number): NextMessage | null {
  const delayMs = Math.max(0, job.readyAtMs - nowMs);
  switch (job.state) {
    case "queued":
      return { destination: { queue: "attempt", tier: currentStep(job).tier }, delayMs, turnAtMs: job.turnAtMs };
    case "validating":
      return { destination: { queue: "validate" }, delayMs, turnAtMs: job.turnAtMs };
    case "awaiting_acceptance":
    case "settling":
      return { destination: { queue: "settle" }, delayMs, turnAtMs: null };
    case "attempting":
    case "closed":
      return null;
  }
}
