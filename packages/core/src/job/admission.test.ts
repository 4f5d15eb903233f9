/** Hazard: jobs that are accepted, held for and queued although nobody will come to them in time. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { congestionOf, type Place, type TierLoad, waitBefore } from "./admission.ts";
import { termsWith } from "./job.fixture.ts";

const NOW_MS = 1_700_000_000_000;
/** Of the fixture: two minutes, of which the fast tier needs two seconds. */
const TERMS = termsWith();
const IDLE = { terms: TERMS, turnAtMs: NOW_MS, openJobs: 0, openJobsMax: 10, load: null } as const;

/** A backlog of one customer that came all at once: a message for each second from now on. */
function backlog(waiting: number, attemptsPerSecond: number): TierLoad {
  const places = [0, 1, 10, 100, 1_000, 10_000, 100_000].filter((ahead) => ahead < waiting - 1);
  const all = [...places, waiting - 1];
  return { attemptsPerSecond, places: all.map((ahead) => ({ ahead, turnAtMs: NOW_MS + ahead * 1_000 })) };
}

describe("a job is refused", () => {
  test("when its customer has as many open as they may, and not before", () => {
    expect(congestionOf({ ...IDLE, openJobs: 9 })).toBeNull();
    expect(congestionOf({ ...IDLE, openJobs: 10 })).toEqual({ because: "open_jobs", open: 10, max: 10 });
    expect(congestionOf({ ...IDLE, openJobsMax: 0 })).toEqual({ because: "open_jobs", open: 0, max: 0 });
  });

  test("when it could not be done by its deadline, with the time after which it could", () => {
    const job = { ...IDLE, turnAtMs: NOW_MS + 20_000_000 };
    expect(congestionOf({ ...job, load: backlog(1_180, 10) })).toBeNull();
    expect(congestionOf({ ...job, load: backlog(1_200, 10) })).toEqual({
      because: "deadline",
      tier: "fast",
      waitMs: 120_000,
      lateByMs: 2_000,
    });
  });

  test("while nothing is taken up at all", () => {
    expect(congestionOf({ ...IDLE, turnAtMs: NOW_MS + 5_000, load: backlog(1_000, 0) })).toMatchObject({
      because: "deadline",
      waitMs: Number.POSITIVE_INFINITY,
    });
  });
});

describe("a job is not refused", () => {
  test("for what others have waiting whose turns are later", () => {
    expect(congestionOf({ ...IDLE, turnAtMs: NOW_MS + 100, load: backlog(100_000, 10) })).toBeNull();
  });

  test("while nobody knows how fast the tier goes", () => {
    expect(congestionOf({ ...IDLE, turnAtMs: NOW_MS + 1_000_000_000, load: null })).toBeNull();
  });

  test("when nothing goes before it, even while nothing is taken up", () => {
    expect(congestionOf({ ...IDLE, turnAtMs: NOW_MS - 1, load: backlog(1_000, 0) })).toBeNull();
    expect(congestionOf({ ...IDLE, load: { attemptsPerSecond: 0, places: [] } })).toBeNull();
  });
});

test("a later turn never waits for less, whatever places are known", () => {
  const places = fc
    .uniqueArray(fc.tuple(fc.nat(10_000), fc.nat(1_000_000)), { selector: ([ahead]) => ahead, maxLength: 12 })
    .map((pairs) => {
      const turns = pairs.map(([, turnAtMs]) => turnAtMs).toSorted((a, b) => a - b);
      const aheads = pairs.map(([ahead]) => ahead).toSorted((a, b) => a - b);
      return aheads.map((ahead, n): Place => ({ ahead, turnAtMs: turns[n] ?? 0 }));
    });
  fc.assert(
    fc.property(places, fc.nat(1_000_000), fc.nat(1_000_000), (known, one, other) => {
      const load = { attemptsPerSecond: 1, places: known };
      expect(waitBefore(load, Math.min(one, other))).toBeLessThanOrEqual(waitBefore(load, Math.max(one, other)));
    }),
  );
});
