import { describe, expect, it } from "vitest";
import { attemptQueue, contractOf, isTierName, jobMessageSchema, messageId } from "./catalog.ts";

const TRACEPARENT = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;

describe("a job message", () => {
  it("keeps the job, the fence and the trace", () => {
    const message = { jobId: "job_abcd", revision: 3, traceparent: TRACEPARENT };
    expect(jobMessageSchema.parse(message)).toEqual(message);
  });

  it.each([
    ["of an older version, without a trace", { jobId: "job_abcd", revision: 3 }],
    ["of a newer version, with more fields", { jobId: "job_abcd", revision: 3, priority: "high", traceparent: null }],
    ["whose trace cannot be read", { jobId: "job_abcd", revision: 3, traceparent: "00-garbage" }],
  ])("%s is understood", (_, payload) => {
    expect(jobMessageSchema.parse(payload)).toEqual({ jobId: "job_abcd", revision: 3, traceparent: null });
  });

  it.each([
    ["another kind of id", { jobId: "att_abcd", revision: 3 }],
    ["no revision", { jobId: "job_abcd" }],
    ["a revision that is no whole number", { jobId: "job_abcd", revision: 1.5 }],
    ["a text", "job_abcd"],
    ["nothing", null],
  ])("with %s is refused", (_, payload) => {
    expect(jobMessageSchema.safeParse(payload).success).toBe(false);
  });

  it("has one id per job and revision, in a form that BullMQ takes", () => {
    const id = messageId({ jobId: "job_abcd", revision: 12 });
    expect(id).toBe("job_abcd-12");
    expect(id).not.toMatch(/:|^\d+$/);
  });
});

describe("queues", () => {
  it("every tier has its own", () => {
    expect(attemptQueue("fast")).toBe("attempt.fast");
    expect(attemptQueue("fast-2")).toBe("attempt.fast-2");
  });

  it.each(["", "Fast", "a:b", "a.b", "1st", "a".repeat(33)])("%j cannot name a tier", (name) => {
    expect(isTierName(name)).toBe(false);
    expect(() => attemptQueue(name)).toThrow("lower-case letters");
  });

  it.each([attemptQueue("fast"), "validate", "settle"] as const)("%s has bounds", (queue) => {
    const { processingTimeoutMs, concurrency } = contractOf(queue);
    expect(processingTimeoutMs).toBeGreaterThanOrEqual(30_000);
    expect(concurrency).toBeGreaterThan(0);
  });
});
