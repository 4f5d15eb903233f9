import { describe, expect, it } from "vitest";
import { formatTraceparent, parseTraceparent } from "./traceparent.ts";

const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const SPAN_ID = "b7ad6b7169203331";

describe("traceparent", () => {
  it.each([0, 1, 255])("with flags %i is read as it was written", (traceFlags) => {
    const trace = { traceId: TRACE_ID, spanId: SPAN_ID, traceFlags };
    expect(parseTraceparent(formatTraceparent(trace))).toEqual(trace);
  });

  it("of a later version is read by its first four fields", () => {
    expect(parseTraceparent(`cc-${TRACE_ID}-${SPAN_ID}-01-what-the-future-holds`)?.traceId).toBe(TRACE_ID);
  });

  it.each([
    null,
    undefined,
    "",
    "00",
    `00-${"0".repeat(32)}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${"0".repeat(16)}-01`,
    `ff-${TRACE_ID}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${SPAN_ID}-01-extra`,
    `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`,
    ` 00-${TRACE_ID}-${SPAN_ID}-01`,
  ])("%j is none", (text) => {
    expect(parseTraceparent(text)).toBeNull();
  });
});
