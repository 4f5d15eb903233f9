/** Hazard: who decides that an outcome is the customer's, and what silence means. */
import { describe, expect, test } from "vitest";
import { settlementOf } from "../books/settlement.ts";
import type { Acceptance } from "../outcome-type.ts";
import { decide } from "./decide.ts";
import {
  after,
  answer,
  at,
  awaitingJob,
  BORN_MS,
  cascadeStep,
  inWords,
  movedBy,
  termsWith,
  validatingJob,
  verdict,
  WINDOW_MS,
} from "./job.fixture.ts";
import { nextMessage } from "./messages.ts";

const VERDICT_MS = 3_000;
const END_MS = VERDICT_MS + WINDOW_MS;

describe("automatic acceptance", () => {
  test("settles a success at once, and names the verdict that it is charged for", () => {
    const { next, event } = movedBy(decide(validatingJob(), verdict("pass"), at(VERDICT_MS)));
    expect([next.state, next.resolution, next.reason]).toEqual(["settling", "success", "verified"]);
    expect(event.data).toEqual({ resolution: "success", reason: "verified", verdict: "vrd_0001" });
    expect(settlementOf(next)).toEqual({ kind: "capture", price: 500n, verdictId: "vrd_0001" });
  });
});

describe.each(["window", "explicit"] as const)("acceptance by %s", (mode) => {
  const acceptance = (onSilence: "accept" | "release"): Acceptance => ({ mode, durationMs: WINDOW_MS, onSilence });
  const waiting = awaitingJob(termsWith({ acceptance: acceptance("accept") }));

  test("hands the outcome over and waits for the customer until the window ends", () => {
    expect(waiting).toMatchObject({ state: "awaiting_acceptance", resolution: "success", reason: null });
    expect([waiting.readyAtMs, waiting.wakeAtMs]).toEqual([BORN_MS + END_MS, BORN_MS + END_MS]);
    expect(nextMessage(waiting, BORN_MS + VERDICT_MS)).toEqual({
      destination: { queue: "settle" },
      delayMs: WINDOW_MS,
      turnAtMs: null,
    });
  });

  test("charges what the customer accepts", () => {
    const { next, event } = movedBy(decide(waiting, { type: "accepted" }, at(END_MS - 1)));
    expect([next.state, next.resolution, next.reason]).toEqual(["settling", "success", "accepted"]);
    expect(event.data["verdict"]).toBe("vrd_0001");
    expect(settlementOf(next).kind).toBe("capture");
  });

  test("charges nothing for what the customer rejects", () => {
    const rejected = after(waiting, at(END_MS - 1), { type: "rejected" });
    expect([rejected.state, rejected.resolution, rejected.reason]).toEqual(["settling", "failure", "rejected"]);
    expect(settlementOf(rejected)).toEqual({ kind: "void" });
  });

  test("takes silence for consent where the type says so, once the window is over", () => {
    expect(inWords(decide(waiting, { type: "woke" }, at(END_MS - 1)))).toBe("ignored: still_waiting");
    const silent = after(waiting, at(END_MS), { type: "woke" });
    expect([silent.resolution, silent.reason, settlementOf(silent).kind]).toEqual([
      "success",
      "accepted_by_silence",
      "capture",
    ]);
  });

  test("takes silence for refusal where the type says so", () => {
    const job = awaitingJob(termsWith({ acceptance: acceptance("release") }));
    const silent = after(job, at(END_MS), { type: "woke" });
    expect([silent.resolution, silent.reason, settlementOf(silent).kind]).toEqual(["failure", "lapsed", "void"]);
  });

  test.each(["accepted", "rejected"] as const)(
    "hears no answer after the window, however late the wake-up: %s",
    (type) => {
      expect(inWords(decide(waiting, { type }, at(END_MS)))).toBe("ignored: stale");
    },
  );

  test("of a partial outcome charges it as partial", () => {
    const terms = termsWith({
      cascade: [cascadeStep("fast", ["small"], { attemptsMax: 1 })],
      acceptance: acceptance("accept"),
    });
    const delivered = after(validatingJob(terms), at(VERDICT_MS), verdict("partial", 0.6));
    expect(delivered).toMatchObject({ state: "awaiting_acceptance", resolution: "partial" });
    for (const fact of ["accepted", "woke"] as const) {
      const settling = after(delivered, at(fact === "woke" ? END_MS : END_MS - 1), { type: fact });
      expect(settling.resolution).toBe("partial");
      expect(settlementOf(settling).kind).toBe("capture");
    }
  });

  test("does not begin for an outcome that failed", () => {
    const terms = termsWith({
      cascade: [cascadeStep("fast", ["small"], { attemptsMax: 1 })],
      acceptance: acceptance("accept"),
    });
    expect(after(validatingJob(terms), at(VERDICT_MS), verdict("fail")).state).toBe("settling");
  });

  test("has no attempt that could still answer", () => {
    expect(waiting.progress.current).toBeNull();
    expect(inWords(decide(waiting, answer(), at(VERDICT_MS)))).toBe("ignored: late_answer");
  });
});
