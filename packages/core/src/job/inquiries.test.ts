/** Hazard: a verdict that waits for somebody, and a job that pays for more than it has, twice, or not at all. */
import { describe, expect, test } from "vitest";
import { nanos } from "../money.ts";
import type { Terms } from "../outcome-type.ts";
import { decide } from "./decide.ts";
import { LEASE_GRACE_MS } from "./moves.ts";
import { nextMessage } from "./messages.ts";
import {
  after,
  ask,
  askingJob,
  at,
  BORN_MS,
  BROKE,
  BUSY,
  claimOf,
  DEADLINE_MS,
  inWords,
  JUDGE_MS,
  movedBy,
  noReply,
  OTHER,
  queuedJob,
  reply,
  REVIEWED,
  SMALL_NANOS,
  termsWith,
  validatingJob,
  verdict,
} from "./job.fixture.ts";
import { attemptBudgetLeft, budgetLeft } from "./job.ts";

const NOW = at(3_000);
const validation: Terms["validation"] = { provider: "judges", name: "court", cost: nanos(70n) };

describe("an inquiry", () => {
  test("is written down with the most it may cost before anybody is asked", () => {
    const { next, effects } = movedBy(decide(validatingJob(), ask(), NOW));
    expect(next.cost).toEqual({ known: 400n, presumed: 0n, held: 300n, overrun: 0n });
    expect(effects).toMatchObject([{ type: "open_inquiry", reserve: 300n, dueAtMs: next.readyAtMs }]);
  });

  test("leaves whoever asks the time to write the reply down: no message is due before", () => {
    const job = askingJob();
    expect([job.readyAtMs, job.wakeAtMs].map((ms) => ms - NOW.nowMs)).toEqual(Array(2).fill(JUDGE_MS + LEASE_GRACE_MS));
    expect(nextMessage(job, NOW.nowMs)).toEqual({
      destination: { queue: "validate" },
      delayMs: JUDGE_MS + LEASE_GRACE_MS,
      turnAtMs: job.turnAtMs,
    });
    expect(askingJob(undefined, { asked: "person" }).readyAtMs - NOW.nowMs).toBe(JUDGE_MS);
  });

  test("that there is no room for waits one to two seconds, without a strike, a hold or an inquiry", () => {
    const job = validatingJob();
    for (const [random, waitMs] of [
      [0, 1_000],
      [0.5, 1_500],
      [0.999, 1_999],
    ] as const) {
      const { next, effects } = movedBy(decide(job, BUSY, { ...NOW, random }));
      expect(effects).toEqual([]);
      expect(next).toMatchObject({ state: "validating", cost: job.cost, progress: job.progress });
      expect(nextMessage(next, NOW.nowMs)).toMatchObject({ destination: { queue: "validate" }, delayMs: waitMs });
    }
  });

  test("is not waited for beyond the deadline", () => {
    const job = after(validatingJob(), at(DEADLINE_MS - 1), ask());
    expect([job.readyAtMs, job.wakeAtMs]).toEqual([job.deadlineAtMs, job.deadlineAtMs]);
  });

  test("fits the cap, to the nano, with what the verdict costs itself", () => {
    const opened = (costCap: bigint) =>
      inWords(decide(validatingJob(termsWith({ costCap: nanos(costCap), validation })), ask(), NOW));
    expect(opened(1_000n)).toMatch(/^validating/);
    expect([opened(400n + 300n + 70n), opened(400n + 300n + 69n)]).toEqual([
      "validating · inquiry.opened · ask model /all/1 300",
      "settling failure cost_cap · job.resolved",
    ]);
  });

  test("is the only one: while somebody is asked there is no verdict, no other question, and nothing broke", () => {
    const words = [ask({ inquiryId: "inq_9999" }), verdict("pass"), BROKE].map((fact) =>
      inWords(decide(askingJob(), fact, NOW)),
    );
    expect(words).toEqual(Array(3).fill("ignored: stale"));
  });

  test("that costs nothing holds nothing and owes nothing, whatever is reported", () => {
    const job = askingJob(undefined, { asked: "service", reserve: nanos(0n), payee: null });
    expect(job.cost.held).toBe(0n);
    const { next, effects } = movedBy(decide(job, reply(200n), NOW));
    expect(next.cost).toEqual({ known: 400n, presumed: 0n, held: 0n, overrun: 0n });
    expect(effects).toMatchObject([{ type: "end_inquiry", costState: "released", cost: 0n }]);
  });
});

describe("a reply", () => {
  test("costs what it cost, and the verdict is reached at once", () => {
    const job = after(askingJob(), at(5_000), reply(200n));
    expect(job.cost).toEqual({ known: 600n, presumed: 0n, held: 0n, overrun: 0n });
    expect([job.state, job.readyAtMs, job.progress.inquiry]).toEqual(["validating", BORN_MS + 5_000, null]);
    expect(after(job, at(5_000), verdict("pass")).resolution).toBe("success");
  });

  test("that cost more than was held for it is an overrun", () => {
    expect(after(askingJob(), NOW, reply(450n)).cost).toMatchObject({ known: 850n, held: 0n, overrun: 150n });
  });

  test("may be followed by another question", () => {
    const second = after(askingJob(), NOW, reply(), ask({ inquiryId: "inq_9999", leaf: "/all/2" }));
    expect(second.progress.inquiry?.leaf).toBe("/all/2");
  });

  test("that comes twice, or for another inquiry or attempt, changes nothing", () => {
    const job = askingJob();
    const late = "ignored: late_answer";
    expect(inWords(decide(after(job, NOW, reply()), reply(), NOW))).toBe(late);
    expect(inWords(decide(job, reply(1n, { inquiryId: "inq_9999" }), NOW))).toBe(late);
    expect(inWords(decide(job, reply(1n, { attemptId: OTHER }), NOW))).toBe(late);
  });

  test("to a job that was canceled meanwhile changes nothing: its cost is booked by whoever brings it", () => {
    const canceled = after(askingJob(), NOW, { type: "cancel" });
    expect(canceled.cost).toEqual({ known: 400n, presumed: 300n, held: 0n, overrun: 0n });
    expect(inWords(decide(canceled, reply(), NOW))).toBe("ignored: late_answer");
  });

  test("of silence is a reply like any other", () => {
    const job = askingJob(undefined, { asked: "person", reserve: nanos(0n), payee: null });
    const step = decide(job, reply(0n, { outcome: "silence" }), at(20_000));
    expect(inWords(step)).toBe("validating · inquiry.answered · silence released 0");
  });

  test("clears strikes: whoever answers is there", () => {
    const job = after(validatingJob(), NOW, BROKE, BROKE, ask(), reply(), BROKE);
    expect(job.progress).toMatchObject({ strikes: 1, inquiry: null });
  });
});

describe("an inquiry that nobody answers", () => {
  test("counts as spent, and is asked again as if the validator had broken", () => {
    const job = after(askingJob(), NOW, noReply());
    expect(job.cost).toEqual({ known: 400n, presumed: 300n, held: 0n, overrun: 0n });
    expect(job.readyAtMs - NOW.nowMs).toBe(500);
    expect(after(job, NOW, ask({ inquiryId: "inq_9999" })).cost.held).toBe(300n);
  });

  test("costs what is known of it", () => {
    expect(after(askingJob(), NOW, noReply(0n)).cost).toEqual({ known: 400n, presumed: 0n, held: 0n, overrun: 0n });
    expect(after(askingJob(), NOW, noReply(50n)).cost).toMatchObject({ known: 450n, presumed: 0n });
  });

  test("three times in a row is put before a person", () => {
    const job = after(validatingJob(), NOW, BROKE, ask(), noReply(), ask(), noReply());
    expect(job.progress.inquiry).toMatchObject({ inquiryId: REVIEWED, kind: "validator_error", asked: "person" });
  });

  test("never counts against the model", () => {
    expect(after(askingJob(), NOW, noReply()).progress.tried).toEqual([0, 0, 0]);
  });
});

describe("a claim leaves room for whoever has to be asked", () => {
  const inquiryReserve = nanos(300n);
  const capped = (costCap: bigint) => queuedJob(termsWith({ costCap: nanos(costCap), validation, inquiryReserve }));
  const granted = (costCap: bigint) => {
    const [effect] = movedBy(decide(capped(costCap), claimOf(), NOW)).effects;
    return effect?.type === "start_attempt" ? effect.outputTokensMax : null;
  };

  test("to the nano, beside the verdict itself", () => {
    expect([granted(SMALL_NANOS + 370n), granted(SMALL_NANOS + 369n)]).toEqual([100, 99]);
  });

  test("which is still there when the answer has cost all that was reserved for it", () => {
    const attempting = after(capped(SMALL_NANOS + 370n), NOW, claimOf());
    const answered = after(attempting, NOW, {
      type: "answered",
      attemptId: "att_0001",
      cost: SMALL_NANOS,
      stop: "end",
    });
    expect([budgetLeft(answered), attemptBudgetLeft(answered)]).toEqual([370n, 0n]);
    const judged = after(answered, NOW, ask(), reply(300n), verdict("fail", 0.1, "vrd_0001", nanos(70n)));
    expect(budgetLeft(judged)).toBe(0n);
  });
});
