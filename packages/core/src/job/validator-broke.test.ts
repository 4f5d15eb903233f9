/** Hazard: a poison job, which breaks whatever validates it. */
import { describe, expect, test } from "vitest";
import { settlementOf } from "../books/settlement.ts";
import { decide } from "./decide.ts";
import {
  after,
  answer,
  at,
  attemptingJob,
  BORN_MS,
  BROKE,
  claimOf,
  DEADLINE_MS,
  FIRST,
  inWords,
  LOST,
  movedBy,
  noReply,
  partialInHand,
  reply,
  REVIEWED,
  reviewedJob,
  termsWith,
  validatingJob,
  verdict,
} from "./job.fixture.ts";
import { REVIEW_TIME_MIN_MS } from "./inquire.ts";

const NOW = at(3_000);

describe("a validator that breaks", () => {
  test("is asked again after half a second, then after two", () => {
    const once = after(validatingJob(), NOW, BROKE);
    const twice = after(once, NOW, BROKE);
    expect([once.state, twice.state]).toEqual(["validating", "validating"]);
    expect([once.readyAtMs, twice.readyAtMs].map((ms) => ms - BORN_MS - 3_000)).toEqual([500, 2_000]);
  });

  test("and one that dies with its process count alike, so that an answer which kills whatever judges it does so three times at most", () => {
    const struck = after(validatingJob(), NOW, LOST, BROKE);
    expect(struck.progress.strikes).toBe(2);
    expect(inWords(movedBy(decide(struck, LOST, NOW)))).toBe("validating · inquiry.opened · ask person  0");
    const late = termsWith({ deadlineMs: 20_000 });
    const end = movedBy(decide(after(validatingJob(late), NOW, LOST, LOST), LOST, NOW));
    expect(inWords(end)).toMatch(/^settling failure validator_error/);
    expect(settlementOf(end.next)).toEqual({ kind: "void" });
  });

  test("three times is put before a person, who has until the deadline", () => {
    const job = after(validatingJob(), NOW, BROKE, BROKE);
    const step = movedBy(decide(job, BROKE, NOW));
    expect(inWords(step)).toBe("validating · inquiry.opened · ask person  0");
    expect(step.next.progress.inquiry).toMatchObject({ inquiryId: REVIEWED, kind: "validator_error", leaf: "" });
    expect([step.next.readyAtMs, step.next.wakeAtMs]).toEqual([job.deadlineAtMs, job.deadlineAtMs]);
  });

  test("and a person who is silent end the job for that reason, not by the deadline, and the customer pays nothing", () => {
    for (const silence of [{ type: "woke" }, noReply(null, REVIEWED)] as const) {
      const end = movedBy(decide(reviewedJob(), silence, at(DEADLINE_MS)));
      expect(inWords(end)).toMatch(/^settling failure validator_error/);
      expect(settlementOf(end.next)).toEqual({ kind: "void" });
    }
  });

  test("ends the job at once where a person would hardly have time to read the answer", () => {
    const short = termsWith({ deadlineMs: 3_000 + REVIEW_TIME_MIN_MS });
    const [last, late] = [NOW, at(3_001)].map((now) =>
      decide(after(validatingJob(short), NOW, BROKE, BROKE), BROKE, now),
    );
    expect([last, late].map((step) => step && inWords(step))).toEqual([
      "validating · inquiry.opened · ask person  0",
      "settling failure validator_error · job.resolved",
    ]);
  });

  test("is replaced by what the person decides", () => {
    const decided = after(reviewedJob(), at(60_000), reply(0n, { inquiryId: REVIEWED }));
    expect([decided.state, decided.readyAtMs]).toEqual(["validating", at(60_000).nowMs]);
    expect(after(decided, at(60_000), verdict("pass")).resolution).toBe("success");
  });

  test("never counts against the model", () => {
    const job = after(validatingJob(), NOW, BROKE, BROKE, BROKE);
    expect(job.progress.tried).toEqual([0, 0, 0]);
    expect(job.attempts).toBe(1);
  });

  test("keeps the answer for when it works again", () => {
    const job = after(validatingJob(), NOW, BROKE);
    expect(job.progress.current?.attemptId).toBe(FIRST);
    expect(after(job, NOW, verdict("pass")).resolution).toBe("success");
  });

  test("does not add to the strikes of workers that vanished before", () => {
    const lostTwice = after(attemptingJob(termsWith({ deadlineMs: 600_000 })), at(36_000), { type: "woke" }, claimOf());
    const answered = after(after(lostTwice, at(72_000), { type: "woke" }, claimOf()), at(73_000), answer());
    expect(inWords(decide(answered, BROKE, at(74_000)))).toBe("validating · job.waited validator_error");
  });

  test("is forgiven by a verdict: the next answer has three tries of its own", () => {
    const judged = after(validatingJob(), NOW, BROKE, BROKE, verdict("fail"));
    const next = after({ ...judged, readyAtMs: 0 }, NOW, claimOf(), answer());
    expect(after(next, NOW, BROKE, BROKE).state).toBe("validating");
  });

  test("does not take away what another verdict has found before", () => {
    const job = after(partialInHand(), NOW, claimOf(), answer(), BROKE, BROKE, BROKE);
    expect(inWords(decide(job, { type: "woke" }, at(DEADLINE_MS)))).toMatch(/^settling partial verified/);
  });

  test("is not asked beyond the deadline", () => {
    const job = after(validatingJob(), at(DEADLINE_MS - 100), BROKE);
    expect(job.wakeAtMs).toBe(job.deadlineAtMs);
    expect(inWords(decide(job, BROKE, at(DEADLINE_MS)))).toBe("settling failure deadline · job.resolved");
  });
});
