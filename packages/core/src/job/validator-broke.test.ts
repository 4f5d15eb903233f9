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
  claimOf,
  DEADLINE_MS,
  FIRST,
  inWords,
  movedBy,
  partialInHand,
  termsWith,
  validatingJob,
  verdict,
} from "./job.fixture.ts";
import type { Fact } from "./facts.ts";

const BROKE: Fact = { type: "validator_broke", attemptId: FIRST };
const NOW = at(3_000);

describe("a validator that breaks", () => {
  test("is asked again after half a second, then after two", () => {
    const once = after(validatingJob(), NOW, BROKE);
    const twice = after(once, NOW, BROKE);
    expect([once.state, twice.state]).toEqual(["validating", "validating"]);
    expect([once.readyAtMs, twice.readyAtMs].map((ms) => ms - BORN_MS - 3_000)).toEqual([500, 2_000]);
  });

  test("three times ends the job, and the customer pays nothing", () => {
    const job = after(validatingJob(), NOW, BROKE, BROKE);
    const end = movedBy(decide(job, BROKE, NOW));
    expect(inWords(end)).toBe("settling failure validator_error · job.resolved");
    expect(settlementOf(end.next)).toEqual({ kind: "void" });
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
    const job = after(partialInHand(), NOW, claimOf(), answer(), BROKE, BROKE);
    expect(inWords(decide(job, BROKE, NOW))).toBe("settling partial verified · job.resolved");
  });

  test("is not asked beyond the deadline", () => {
    const job = after(validatingJob(), at(DEADLINE_MS - 100), BROKE);
    expect(job.wakeAtMs).toBe(job.deadlineAtMs);
    expect(inWords(decide(job, BROKE, at(DEADLINE_MS)))).toBe("settling failure deadline · job.resolved");
  });
});
