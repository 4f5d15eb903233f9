/**
 * One span where a message is sent and one where it is processed, joined by the message's `traceparent`.
 *
 * With telemetry off the API's own no-op tracer is used. It passes a parent's context on, so that a job's trace id
 * survives a process that does not export.
 */
import { messageId, type JobMessage, type QueueName } from "@contingent/contracts/messages/catalog";
import { formatTraceparent, parseTraceparent } from "@contingent/contracts/messages/traceparent";
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Link,
  metrics,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

const SCOPE = "@contingent/queue";

function attributesOf(queue: QueueName, message: JobMessage, operation: "send" | "process"): Attributes {
  return {
    "messaging.system": "bullmq",
    "messaging.operation.type": operation,
    "messaging.operation.name": operation,
    "messaging.destination.name": queue,
    "messaging.message.id": messageId(message),
    "outcome.job.id": message.jobId,
  };
}

function remoteContext(traceparent: string | null): Context {
  const parent = parseTraceparent(traceparent);
  return parent === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...parent, isRemote: true });
}

/**
 * A job has one trace. The span's parent is the active span when that belongs to the job's trace (or the job has none
 * yet); otherwise it is the job's own context, with a link to the span that caused the sending (a sweep, a cancellation).
 */
export function startSend(queue: QueueName, message: JobMessage): { span: Span; message: JobMessage } {
  const active = trace.getActiveSpan()?.spanContext();
  const own = parseTraceparent(message.traceparent);
  const elsewhere = own !== null && active?.traceId !== own.traceId;
  const links: Link[] = elsewhere && active !== undefined && isSpanContextValid(active) ? [{ context: active }] : [];
  const span = trace
    .getTracer(SCOPE)
    .startSpan(
      `send ${queue}`,
      { kind: SpanKind.PRODUCER, attributes: attributesOf(queue, message, "send"), links },
      elsewhere ? remoteContext(message.traceparent) : context.active(),
    );
  const sent = span.spanContext();
  return { span, message: isSpanContextValid(sent) ? { ...message, traceparent: formatTraceparent(sent) } : message };
}

/** Ends a span as failed, with the error's class and never its text. */
export function failSpan(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute("error.type", error instanceof Error ? error.name : "unknown");
}

/** Runs the work inside the span of processing the message, whose parent is the span that sent it. */
export async function withProcess(queue: QueueName, message: JobMessage, work: () => Promise<void>): Promise<void> {
  const parent = remoteContext(message.traceparent);
  const span = trace
    .getTracer(SCOPE)
    .startSpan(
      `process ${queue}`,
      { kind: SpanKind.CONSUMER, attributes: attributesOf(queue, message, "process") },
      parent,
    );
  try {
    await context.with(trace.setSpan(parent, span), work);
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Why a message was dropped: nobody can read it, or its handler failed. */
export type DropCause = "malformed" | "failed";

/** Counts messages that were dropped. Made after telemetry has started, as the recorder of waits is. */
export function dropCounter(queue: QueueName): (cause: DropCause) => void {
  const counter = metrics.getMeter(SCOPE).createCounter("outcome.queue.dropped", {
    unit: "{message}",
    description: "Messages that could not be read, or whose handler failed; the sweeper publishes what is missing.",
  });
  return (cause) => {
    counter.add(1, { "messaging.destination.name": queue, "outcome.drop.cause": cause });
  };
}

/** Records how long messages waited. Made after telemetry has started: a meter taken earlier stays a no-op. */
export function queueWaitRecorder(queue: QueueName): (waitMs: number) => void {
  const histogram = metrics.getMeter(SCOPE).createHistogram("outcome.queue.wait", {
    unit: "ms",
    description:
      "From publishing a message to the start of its processing, without the delay that it was published with.",
  });
  const attributes = { "messaging.destination.name": queue };
  return (waitMs) => {
    histogram.record(waitMs, attributes);
  };
}
