import { describe, expect, it } from "vitest";
import { ServiceError } from "./errors.ts";
import { createLog } from "./log.ts";

const CANARY = "CANARY-a-customer-wrote-this";

function logged(fields: object): { text: string; line: Record<string, unknown> } {
  let text = "";
  const write = (line: string): void => {
    text += line;
  };
  createLog({ service: "test", instance: "test-1", level: "info", destination: { write } }).info(fields, "event");
  return { text, line: JSON.parse(text) as Record<string, unknown> };
}

describe("the log", () => {
  it("writes JSON lines with the service, the ids and the time", () => {
    const { line } = logged({ jobId: "job_1", revision: 3 });
    expect(line).toMatchObject({ level: "info", service: "test", jobId: "job_1", revision: 3, msg: "event" });
    expect(line["time"]).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it.each([
    ["in a field that holds texts", { input: CANARY }],
    ["deeper", { request: { prompt: CANARY } }],
    ["deepest", { a: { b: { c: { d: { e: CANARY } } } } }],
    ["in a list", { calls: [{ output: CANARY }] }],
    ["as a long text under an innocent name", { note: CANARY.repeat(20) }],
    ["in the message of an error", { err: new Error(CANARY) }],
    ["in a message that looks like a stack", { err: new Error(`x\n    at ${CANARY} (file.ts:1:1)`) }],
    ["in an error's cause", { err: new ServiceError("internal", "ours", { cause: new Error(CANARY) }) }],
    ["in an error's own fields", { err: Object.assign(new Error("x"), { detail: CANARY }) }],
  ])("does not write what a customer wrote: %s", (_, fields) => {
    expect(logged(fields).text).not.toContain("CANARY");
  });

  it("does not write what JSON.parse complains about", () => {
    let error: unknown;
    try {
      JSON.parse(CANARY);
    } catch (caught) {
      error = caught;
    }
    const { text, line } = logged({ err: error });
    expect(text).not.toContain("CANARY");
    expect(line["err"]).toMatchObject({ type: "SyntaxError", stack: expect.stringContaining("log.test") as string });
  });

  it("writes the texts of our own errors and of the operating system's", () => {
    expect(logged({ err: new ServiceError("queue_unavailable", "Redis is away.") }).line["err"]).toMatchObject({
      type: "ServiceError",
      code: "queue_unavailable",
      message: "Redis is away.",
    });
    const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), {
      code: "ECONNREFUSED",
      syscall: "connect",
    });
    expect(logged({ err: refused }).line["err"]).toMatchObject({ message: "connect ECONNREFUSED 127.0.0.1:1" });
  });
});
