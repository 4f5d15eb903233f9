import { trace } from "@opentelemetry/api";
import { describe, expect, it } from "vitest";
import { contextFrom, traceIdOf, traceparentOf, withSpan } from "./tracing.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

/** With telemetry off, as here, spans record nothing; what they must still do is pass a trace on. */
describe("spans without telemetry", () => {
  it("give back what the work gives back", async () => {
    await expect(withSpan("work", {}, async () => 7)).resolves.toBe(7);
  });

  it("pass the work's failure on", async () => {
    const failing = withSpan("work", {}, async () => {
      throw new RangeError("no");
    });
    await expect(failing).rejects.toThrow(RangeError);
  });

  it("carry a trace that began elsewhere", async () => {
    await expect(withSpan("work", { parent: TRACEPARENT }, async (span) => traceparentOf(span))).resolves.toBe(
      TRACEPARENT,
    );
    expect(trace.getSpan(contextFrom(TRACEPARENT))?.spanContext()).toMatchObject({ isRemote: true });
  });

  it("have no trace where none began", async () => {
    await expect(withSpan("work", { parent: null }, async (span) => traceparentOf(span))).resolves.toBeNull();
    expect(traceparentOf()).toBeNull();
    expect(traceIdOf("garbage")).toBeNull();
    expect(traceIdOf(TRACEPARENT)).toBe("0af7651916cd43dd8448eb211c80319c");
  });
});
