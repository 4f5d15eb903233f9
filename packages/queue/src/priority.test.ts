/** Hazard: priorities that begin again, so that what is overdue waits behind what was accepted weeks later. */
import { TURN_BACKLOG_MAX_MS } from "@contingent/core/job/turn";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { mayBeMisplaced, priorityOf } from "./priority.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
/** When the priorities begin again for the 800th time: in the year 2023. */
const NEXT_ROUND_MS = 800 * (2 ** 21 - 1) * 1_000;

const instant = fc.integer({ min: 1_700_000_000_000, max: 4_000_000_000_000 });
/** A turn as a job has it that was accepted at most 20 days ago. */
const turnBefore = (nowMs: number): fc.Arbitrary<number> =>
  fc.integer({ min: nowMs - 20 * DAY_MS, max: nowMs + TURN_BACKLOG_MAX_MS });

test("a priority is one that BullMQ takes, and never that of a message without a turn", () => {
  fc.assert(
    fc.property(
      instant.chain((nowMs) => fc.tuple(fc.constant(nowMs), turnBefore(nowMs))),
      ([nowMs, turnAtMs]) => {
        const priority = priorityOf(turnAtMs, nowMs);
        expect(priority).toBeGreaterThanOrEqual(1);
        expect(priority).toBeLessThanOrEqual(2 ** 21 - 1);
        expect(Number.isInteger(priority)).toBe(true);
      },
    ),
  );
});

test("of two turns the earlier one never goes later, whenever that is looked at", () => {
  const both = instant.chain((nowMs) => fc.tuple(fc.constant(nowMs), turnBefore(nowMs), turnBefore(nowMs)));
  fc.assert(
    fc.property(both, ([nowMs, one, other]) => {
      const [earlier, later] = one <= other ? [one, other] : [other, one];
      expect(priorityOf(earlier, nowMs)).toBeLessThanOrEqual(priorityOf(later, nowMs));
    }),
  );
});

describe("when priorities begin again", () => {
  const before = NEXT_ROUND_MS - 60_000;
  const after = NEXT_ROUND_MS + 60_000;

  test("what was overdue goes first, and what had its turn put off beyond that goes where it belongs", () => {
    expect(priorityOf(before, after)).toBe(1);
    expect(priorityOf(after, before)).toBe(2 ** 21 - 1);
    expect(priorityOf(after, after)).toBe(61);
  });

  test("every message that stands in the wrong place then is one that may", () => {
    const published = fc.integer({ min: NEXT_ROUND_MS - 20 * DAY_MS, max: NEXT_ROUND_MS + 2 * DAY_MS });
    const waiting = published.chain((publishedMs) =>
      fc.record({
        publishedMs: fc.constant(publishedMs),
        turnAtMs: fc.integer({ min: publishedMs, max: publishedMs + TURN_BACKLOG_MAX_MS }),
        nowMs: fc.integer({ min: publishedMs, max: publishedMs + 4 * DAY_MS }),
      }),
    );
    fc.assert(
      fc.property(waiting, ({ publishedMs, turnAtMs, nowMs }) => {
        if (priorityOf(turnAtMs, publishedMs) === priorityOf(turnAtMs, nowMs)) return;
        expect(mayBeMisplaced(turnAtMs, nowMs)).toBe(true);
      }),
    );
  });

  test("none is suspected in the two weeks between", () => {
    expect(mayBeMisplaced(NEXT_ROUND_MS + 8 * DAY_MS, NEXT_ROUND_MS + 22 * DAY_MS)).toBe(false);
  });
});
