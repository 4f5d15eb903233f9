/** Hazard: a breaker that opens for nothing, or never, or lets a crowd in as soon as it doubts. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { nanos, ZERO } from "../money.ts";
import {
  admission,
  afterProbe,
  type Breaker,
  BURNT_CALLS_MIN,
  type Change,
  COOL_DOWN_FIRST_MS,
  COOL_DOWN_MAX_MS,
  coolDownMs,
  LONG_WINDOW_MS,
  probing,
  type Tally,
  THRESHOLDS,
  trip,
} from "./breaker.ts";

const { callsMin: CALLS_MIN, burntMin: BURNT_MIN } = THRESHOLDS;
const NOW_MS = 1_700_000_000_000;
const CLOSED: Breaker = {
  state: "closed",
  forced: false,
  revision: 1,
  sinceMs: NOW_MS - 600_000,
  openings: 0,
  probeAtMs: null,
};
const NONE: Tally = { calls: 0, failures: 0, spent: ZERO, burnt: ZERO };

function tally(calls: number, failures: number, spent = 0n, burnt = 0n): Tally {
  return { calls, failures, spent: nanos(spent), burnt: nanos(burnt) };
}

function changed(breaker: Breaker, change: Change | null, nowMs: number): Breaker {
  if (change === null) throw new Error("nothing changed");
  const { state, openings, probeInMs } = change;
  const probeAtMs = probeInMs === null ? null : nowMs + probeInMs;
  return { ...breaker, state, openings, probeAtMs, revision: breaker.revision + 1, sinceMs: nowMs };
}

describe("a closed breaker", () => {
  test.each([
    ["half of enough calls", tally(CALLS_MIN, CALLS_MIN / 2), "10 of 20 calls failed within 5 s."],
    ["all calls", tally(CALLS_MIN, CALLS_MIN), "20 of 20 calls failed within 5 s."],
    ["fewer than half", tally(CALLS_MIN, CALLS_MIN / 2 - 1), null],
    ["all of too few", tally(CALLS_MIN - 1, CALLS_MIN - 1), null],
    [
      "half of the money",
      tally(10, BURNT_CALLS_MIN, 2n * BURNT_MIN, BURNT_MIN),
      "1.00 of 2.00 USD went to calls that failed within 5 s.",
    ],
    ["less than half of the money", tally(10, BURNT_CALLS_MIN, 2n * BURNT_MIN + 1n, BURNT_MIN), null],
    ["all of little money", tally(10, BURNT_CALLS_MIN, BURNT_MIN - 1n, BURNT_MIN - 1n), null],
    ["much money of too few calls", tally(2, BURNT_CALLS_MIN - 1, 9n * BURNT_MIN, 9n * BURNT_MIN), null],
  ])("opens when that is lost: %s", (_, short, because) => {
    expect(trip(CLOSED, { short, long: NONE }, NOW_MS)?.because ?? null).toBe(because);
  });

  test("opens at what an operator says is too much", () => {
    const strict = { callsMin: 5, burntMin: nanos(10n), lostPercent: 20 };
    const opens = (short: Tally): boolean => trip(CLOSED, { short, long: NONE }, NOW_MS, strict) !== null;
    expect([tally(5, 1), tally(6, 1), tally(4, 4)].map(opens)).toEqual([true, false, false]);
    expect([tally(4, 3, 50n, 10n), tally(4, 3, 51n, 10n), tally(4, 3, 9n, 9n)].map(opens)).toEqual([
      true,
      false,
      false,
    ]);
  });

  test("looks at a minute too, so that it opens where calls are rare", () => {
    const long = tally(CALLS_MIN, CALLS_MIN);
    expect(trip(CLOSED, { short: tally(2, 2), long }, NOW_MS)).toMatchObject({
      state: "open",
      because: "20 of 20 calls failed within 60 s.",
    });
  });

  test("lets every call through, and an open one none until its cool-down is over", () => {
    expect(admission(CLOSED, NOW_MS)).toBe("call");
    const open = changed(CLOSED, trip(CLOSED, { short: tally(20, 20), long: NONE }, NOW_MS), NOW_MS);
    expect(admission(open, NOW_MS + COOL_DOWN_FIRST_MS - 1)).toBe("away");
    expect(admission(open, NOW_MS + COOL_DOWN_FIRST_MS)).toBe("probe");
  });
});

describe("a probe", () => {
  const open = changed(CLOSED, trip(CLOSED, { short: tally(20, 20), long: NONE }, NOW_MS), NOW_MS);
  const halfOpen = changed(open, probing(open, 30_000), NOW_MS + 1_000);

  test("is the only one, until it is lost", () => {
    expect(admission(halfOpen, NOW_MS + 30_999)).toBe("away");
    expect(admission(halfOpen, NOW_MS + 31_000)).toBe("probe");
  });

  test("that is answered closes the breaker; one that fails makes the cool-down longer; one that says nothing is made again", () => {
    expect(afterProbe(halfOpen, "answered")).toMatchObject({ state: "closed", probeInMs: null });
    expect(afterProbe(halfOpen, "failed")).toMatchObject({ state: "open", openings: 2, probeInMs: 2_000 });
    expect(afterProbe(halfOpen, "unsaid")).toMatchObject({ state: "open", openings: 1, probeInMs: 0 });
  });

  test("that was answered by chance does not make the next cool-down short again", () => {
    const third = changed(halfOpen, afterProbe({ ...halfOpen, openings: 3 }, "answered"), NOW_MS);
    const lost = { short: tally(20, 20), long: NONE };
    expect(trip(third, lost, NOW_MS + LONG_WINDOW_MS - 1)).toMatchObject({ openings: 4, probeInMs: 8_000 });
    expect(trip(third, lost, NOW_MS + LONG_WINDOW_MS)).toMatchObject({ openings: 1, probeInMs: COOL_DOWN_FIRST_MS });
  });

  test("comes after a second, two, four, and never more than a minute", () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map(coolDownMs)).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((s) => s * 1_000));
    expect(coolDownMs(1_000_000)).toBe(COOL_DOWN_MAX_MS);
  });
});

describe("a breaker that an operator has forced", () => {
  test("open stays open for good", () => {
    const forced: Breaker = { ...CLOSED, state: "open", forced: true };
    expect(admission(forced, NOW_MS + 1_000 * LONG_WINDOW_MS)).toBe("away");
  });

  test("closed stays closed, whatever is lost", () => {
    const forced: Breaker = { ...CLOSED, forced: true };
    expect(trip(forced, { short: tally(99, 99), long: tally(99, 99) }, NOW_MS)).toBeNull();
  });
});

/** Processes of a fleet that see the breaker late and change it by its number, as the database lets them. */
class Fleet {
  nowMs = NOW_MS;
  row = CLOSED;
  readonly #seen = Array.from({ length: 4 }, () => CLOSED);
  /** Which probe each process is making. */
  readonly #making = new Map<number, number>();
  /** Until when each probe that has not ended may still be made. */
  readonly #untilMs = new Map<number, number>();

  look(who: number): void {
    this.#seen[who] = this.row;
  }

  call(who: number): void {
    const known = this.#seen[who] ?? CLOSED;
    // The statement that takes a probe asks the row, and not what the process has seen of it.
    if (admission(known, this.nowMs) !== "probe" || admission(this.row, this.nowMs) !== "probe") return;
    if (!this.#change(who, probing(known, PROBE_MS))) return;
    if ([...this.#untilMs.values()].some((untilMs) => untilMs > this.nowMs)) throw new Error("two probes at a time");
    this.#making.set(who, this.row.revision);
    this.#untilMs.set(this.row.revision, this.nowMs + PROBE_MS);
  }

  end(who: number, fails: boolean): void {
    const known = this.#seen[who] ?? CLOSED;
    const probe = this.#making.get(who);
    this.#making.delete(who);
    if (probe === undefined) return;
    this.#untilMs.delete(probe);
    if (probe === known.revision) this.#change(who, afterProbe(known, fails ? "failed" : "answered"));
  }

  /** Another process takes its place; its probe is lost. */
  die(who: number): void {
    this.#making.delete(who);
    this.#seen[who] = CLOSED;
  }

  count(who: number, fails: boolean): void {
    const lost = tally(20, fails ? 20 : 0);
    this.#change(who, trip(this.#seen[who] ?? CLOSED, { short: lost, long: NONE }, this.nowMs));
  }

  #change(who: number, change: Change | null): boolean {
    if (change === null || this.#seen[who]?.revision !== this.row.revision) return false;
    this.row = changed(this.row, change, this.nowMs);
    this.#seen[who] = this.row;
    return true;
  }
}

const PROBE_MS = 5_000;

describe("a fleet", () => {
  const deed = fc.record({
    afterMs: fc.integer({ min: 0, max: 1_500 }),
    who: fc.nat(3),
    does: fc.constantFrom("look" as const, "call" as const, "end" as const, "die" as const, "count" as const),
    fails: fc.boolean(),
  });

  test("makes one probe at a time, and closes the breaker once the provider is back", () => {
    let probes = 0;
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 200, size: "max" }), (deeds) => {
        const fleet = new Fleet();
        for (const { afterMs, who, does, fails } of deeds) {
          fleet.nowMs += afterMs;
          const before = fleet.row.state;
          fleet[does](who, fails);
          if (before === "open" && fleet.row.state === "half_open") probes += 1;
        }
        for (let round = 0; round < 3 && fleet.row.state !== "closed"; round += 1) {
          fleet.nowMs += COOL_DOWN_MAX_MS;
          fleet.look(0);
          fleet.call(0);
          fleet.end(0, false);
        }
        expect(fleet.row.state).toBe("closed");
      }),
    );
    expect(probes, "probes that were made").toBeGreaterThan(0);
  });
});
