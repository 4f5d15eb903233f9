/** W3C Trace Context, `traceparent` only: how a trace crosses a queue or is kept in a job's row. */

export interface TraceContext {
  /** 32 hex digits, not all zero. */
  readonly traceId: string;
  /** 16 hex digits, not all zero. */
  readonly spanId: string;
  /** Bit 0: the trace is recorded. */
  readonly traceFlags: number;
}

/** Later versions may append fields, which are ignored; version ff is forbidden. */
const TRACEPARENT = /^(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** Reads a `traceparent`; null when there is none or it is malformed (then the trace starts anew). */
export function parseTraceparent(text: string | null | undefined): TraceContext | null {
  if (text === null || text === undefined) return null;
  const match = TRACEPARENT.exec(text);
  if (match === null) return null;
  const [, version, traceId = "", spanId = "", flags = "00", rest] = match;
  if (version === "00" && rest !== undefined) return null;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) };
}

export function formatTraceparent(trace: TraceContext): string {
  return `00-${trace.traceId}-${trace.spanId}-${trace.traceFlags.toString(16).padStart(2, "0")}`;
}
