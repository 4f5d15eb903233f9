import { randomBytes } from "node:crypto";
import { formatTraceparent } from "@contingent/contracts/messages/traceparent";

/**
 * A trace context for a job when telemetry is off: its id correlates logs, answers and a later import, and its flags say
 * that nothing was recorded.
 */
export function unrecordedTraceparent(): string {
  return formatTraceparent({
    traceId: randomBytes(16).toString("hex"),
    spanId: randomBytes(8).toString("hex"),
    traceFlags: 0,
  });
}
