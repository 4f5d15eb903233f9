import { answer, happens, judge, take } from "@contingent/testkit/jobs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, claim } from "../harness.ts";
import {
  accept,
  awaiting,
  decideOn,
  decisionsOf,
  DELIVER,
  endWindow,
  jobOf,
  REASON,
  reject,
  startApiWithAcceptance,
} from "./awaiting.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithAcceptance();
});
afterAll(() => api[Symbol.asyncDispose]());

describe("400: a decision that is none", () => {
  test.each<[string, unknown, "invalid_field" | "missing_field" | "unknown_field", string]>([
    ["no decision", {}, "invalid_field", "/decision"],
    ["another word", { decision: "maybe" }, "invalid_field", "/decision"],
    ["a rejection without a reason", { decision: "reject" }, "missing_field", "/reason"],
    ["a rejection with an empty reason", { decision: "reject", reason: "" }, "invalid_field", "/reason"],
    ["a reason that says nothing", { decision: "reject", reason: " \n " }, "invalid_field", "/reason"],
    ["a reason too long to be shown", { decision: "reject", reason: "x".repeat(2_001) }, "invalid_field", "/reason"],
    ["an empty reason to accept", { decision: "accept", reason: "" }, "invalid_field", "/reason"],
    ["a verdict that is no id", { decision: "accept", verdict: "first" }, "invalid_field", "/verdict"],
    ["a field that there is not", { decision: "accept", why: "x" }, "unknown_field", "/why"],
    ["a list", [], "invalid_field", ""],
  ])("%s", async (_, body, code, param) => {
    const id = await awaiting(api);
    expectError(await decideOn(api, id, body), code, param);
    expect(await jobOf(api, id)).toMatchObject({ state: "awaiting_acceptance" });
    expect(await decisionsOf(api, id)).toEqual([]);
  });

  test("a reason may be as long as it is shown", async () => {
    expect((await reject(api, await awaiting(api), "x".repeat(2_000))).status).toBe(200);
  });
});

test("404: another customer's job does not exist, and goes on waiting", async () => {
  const id = await awaiting(api);
  expectError(await decideOn(api, id, { decision: "accept" }, api.otherCustomer), "job_not_found", "id");
  expect(await jobOf(api, id)).toMatchObject({ state: "awaiting_acceptance" });
});

describe("409: there is nothing to decide on", () => {
  test.each([
    ["queued", []],
    ["attempting", [claim()]],
    ["validating", [claim(), answer()]],
  ])("a job that is %s", async (state, steps) => {
    const { id } = await api.customer.submit({ outcome_type: "reviewed", input: { document: "x" } });
    await take(api.pool, id, ...steps);
    for (const answered of [await accept(api, id), await reject(api, id)]) {
      expect(expectError(answered, "job_not_awaiting_acceptance", "id").message).toContain(state);
    }
    expect(await jobOf(api, id)).toMatchObject({ state });
  });

  test("a job that failed by itself", async () => {
    const { id } = await api.customer.submit({ outcome_type: "reviewed", input: { document: "x" } });
    await take(api.pool, id, claim(), answer(), judge("fail"), happens("woke"), happens("settled"));
    expect(expectError(await accept(api, id), "job_not_awaiting_acceptance").message).toContain("deadline");
  });

  test.each(["accept", "reject"])("a job whose window is over, though nobody has come by: %s", async (decision) => {
    const id = await awaiting(api);
    await endWindow(api, id);
    const { message } = expectError(
      await decideOn(api, id, { decision, reason: REASON }),
      "job_not_awaiting_acceptance",
      "id",
    );
    expect(message).toMatch(/was over at 20/);
    expect(await decisionsOf(api, id)).toEqual([]);
    await take(api.pool, id, happens("woke"), happens("settled"));
    expect(await jobOf(api, id)).toMatchObject({ reason: "accepted_by_silence", billable: true });
    expectError(await decideOn(api, id, { decision, reason: REASON }), "job_not_awaiting_acceptance", "id");
  });
});

describe("409: it was decided otherwise", () => {
  test("rejecting what was accepted, booked or not", async () => {
    const id = await awaiting(api);
    await accept(api, id);
    expect(expectError(await reject(api, id), "job_not_awaiting_acceptance", "id").message).toContain("accepted");
    await take(api.pool, id, happens("settled"));
    expectError(await reject(api, id), "job_not_awaiting_acceptance", "id");
    expect(await jobOf(api, id)).toMatchObject({ billable: true });
  });

  test("accepting what was rejected", async () => {
    const id = await awaiting(api);
    await reject(api, id);
    expect(expectError(await accept(api, id), "job_not_awaiting_acceptance", "id").message).toContain("rejected");
  });

  test("accepting what is being reworked", async () => {
    const id = await awaiting(api, "reworked");
    await reject(api, id);
    expectError(await accept(api, id), "job_not_awaiting_acceptance", "id");
    expect(await jobOf(api, id)).toMatchObject({ state: "queued" });
  });
});

describe("409: after a rework", () => {
  test("an outcome named by the verdict of the one before it", async () => {
    const id = await awaiting(api, "reworked");
    const verdict = (await jobOf(api, id)).verdict?.id;
    await reject(api, id);
    await take(api.pool, id, ...DELIVER);
    expectError(await decideOn(api, id, { decision: "accept", verdict }), "job_not_awaiting_acceptance", "id");
    const other = "vrd_01kb0c3v5q8w2e4r6t7y9u1i3o";
    expectError(
      await decideOn(api, id, { decision: "accept", verdict: other }),
      "job_not_awaiting_acceptance",
      "/verdict",
    );
    expect(await jobOf(api, id)).toMatchObject({ state: "awaiting_acceptance" });
  });

  test("a rejection that comes when silence has accepted the second outcome", async () => {
    const id = await awaiting(api, "reworked");
    await reject(api, id);
    await take(api.pool, id, ...DELIVER);
    await endWindow(api, id);
    expectError(await reject(api, id), "job_not_awaiting_acceptance", "id");
    await take(api.pool, id, happens("woke"), happens("settled"));
    expectError(await reject(api, id), "job_not_awaiting_acceptance", "id");
    expect(await jobOf(api, id)).toMatchObject({ billable: true, reason: "accepted_by_silence" });
  });
});
