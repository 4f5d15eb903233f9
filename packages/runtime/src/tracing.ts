/** Spans by hand: there is no auto-instrumentation. With telemetry off every call here ends in the API's no-op tracer. */
import { formatTraceparent, parseTraceparent } from "@contingent/contracts/messages/traceparent";
import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";

const SCOPE = "@contingent/runtime";

export interface SpanOptions {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  /** Spans that led to this one without being its parent, such as the attempt that is retried. */
  readonly links?: readonly string[];
  /** A `traceparent` to continue instead of the active span; null starts a new trace. */
  readonly parent?: string | null;
}

/**
 * Runs the work inside a new span, which is active in it. A rejection marks the span as failed, with the error's name
 * and never its text, and passes on.
 */
export async function withSpan<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T> {
  const { kind = SpanKind.INTERNAL, attributes = {}, links = [], parent } = options;
  const parentContext = parent === undefined ? context.active() : contextFrom(parent);
  const span = trace.getTracer(SCOPE).startSpan(name, { kind, attributes, links: linksTo(links) }, parentContext);
  try {
    return await context.with(trace.setSpan(parentContext, span), () => work(span));
  } catch (error) {
    failSpan(span, error);
    throw error;
  } finally {
    span.end();
  }
}

/** Marks a span as failed, with the error's name and never its text. */
export function failSpan(span: Span, error: unknown): void {
  span.setStatus({ code: SpanStatusCode.ERROR });
  span.setAttribute("error.type", error instanceof Error ? error.name : "unknown");
}

/** The span's `traceparent`, to be kept with a job or sent along; null when there is no trace. */
export function traceparentOf(span: Span | undefined = trace.getActiveSpan()): string | null {
  const spanContext = span?.spanContext();
  return spanContext === undefined || !isSpanContextValid(spanContext) ? null : formatTraceparent(spanContext);
}

/** A context whose active span is the remote one that the `traceparent` names; an empty one when there is none. */
export function contextFrom(traceparent: string | null | undefined): Context {
  const remote = parseTraceparent(traceparent);
  return remote === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true });
}

/** The id under which the trace is found, or null. */
export function traceIdOf(traceparent: string | null | undefined): string | null {
  return parseTraceparent(traceparent)?.traceId ?? null;
}

function linksTo(traceparents: readonly string[]): Link[] {
  return traceparents.flatMap((text) => {
    const remote = parseTraceparent(text);
    return remote === null ? [] : [{ context: { ...remote, isRemote: true } }];
  });
}
