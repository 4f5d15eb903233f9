/**
 * The queues and what travels on them. A message is a hint, never the truth: it names a job and the revision it was
 * written for, and a consumer that finds the job at another revision drops it. Losing or repeating one changes latency
 * and nothing else.
 */
import { isId, type JobId } from "@contingent/core/ids";
import { z } from "zod";
import { parseTraceparent } from "./traceparent.ts";

/** `attempt.<tier>` once per tier, and one queue each for judging and for settling. */
export type QueueName = `attempt.${string}` | "validate" | "settle";

/** Where messages lie that nobody takes: by them it is told whether the transport has kept what it was given. */
export const CANARY_QUEUE = "canary";

/** Names become part of Redis keys and of BullMQ's own syntax, which both reserve the colon. */
const TIER = /^[a-z][a-z0-9-]{0,31}$/;

/**
 * Old payloads stay parseable: a field that is added later must be optional here, and keys that this version does not
 * know are ignored, so that old and new processes can run side by side.
 */
export const jobMessageSchema = z.object({
  jobId: z.custom<JobId>((value) => typeof value === "string" && isId("job", value), "is not a job id"),
  /** The fence: the job's revision that this message was written for. */
  revision: z.int().min(1),
  /** W3C trace context of the span that sent the message; one that cannot be read is worth no lost message. */
  traceparent: z
    .string()
    .nullish()
    .transform((text) => (parseTraceparent(text) === null ? null : (text ?? null))),
});

export type JobMessage = z.output<typeof jobMessageSchema>;

/** What a publisher gives: `traceparent` is the job's own trace context, if it has one. */
export type OutgoingMessage = Readonly<z.input<typeof jobMessageSchema>>;

export interface QueueContract {
  /** A handler that runs longer is abandoned: its slot is freed and its abort signal fires. Above every timeout inside it. */
  readonly processingTimeoutMs: number;
  /** Messages that one process works on at the same time unless its configuration says otherwise. */
  readonly concurrency: number;
}

/** One entry per kind of queue. */
const CONTRACTS = {
  /** Waiting for a model takes nearly all of the time, so a process holds many. */
  attempt: { processingTimeoutMs: 15 * 60_000, concurrency: 64 },
  /**
   * What computes is one at a time by nature, or waits for a process of the sandbox. Whoever is asked about an answer is
   * not waited for here.
   */
  validate: { processingTimeoutMs: 15 * 60_000, concurrency: 64 },
  /** One short transaction each; concurrent ones are committed together. */
  settle: { processingTimeoutMs: 30_000, concurrency: 64 },
} as const satisfies Record<string, QueueContract>;

/** Whether the text may name a tier, and so be part of a queue's name. */
export function isTierName(text: string): boolean {
  return TIER.test(text);
}

/**
 * The queue of a tier's attempts.
 * @throws RangeError when the text cannot be a tier's name.
 */
export function attemptQueue(tier: string): QueueName {
  if (!isTierName(tier)) {
    throw new RangeError(
      `"${tier}" cannot name a tier: use 1 to 32 lower-case letters, digits and hyphens, a letter first.`,
    );
  }
  return `attempt.${tier}`;
}

/** Bounds and defaults of a queue. */
export function contractOf(queue: QueueName): QueueContract {
  return queue === "validate" || queue === "settle" ? CONTRACTS[queue] : CONTRACTS.attempt;
}

/** Identity of a message while it waits: publishing the same one again is a no-op. No colon, and never a bare number. */
export function messageId(message: Pick<JobMessage, "jobId" | "revision">): string {
  return `${message.jobId}-${message.revision}`;
}

/**
 * A message that names no job. Whoever takes it has shown that it takes messages, and has nothing else to do; an earlier
 * version looks for the job and finds none.
 */
export const CANARY_MESSAGE: JobMessage = { jobId: "job_canary", revision: 1, traceparent: null };
