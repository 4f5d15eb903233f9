import { describe, expect, it } from "vitest";
import { ProgressWatch } from "./progress.ts";

const PATIENCE_MS = 30_000;

describe("a consumer is stuck", () => {
  const look = (watch: ProgressWatch, nowMs: number, waiting = 1): boolean =>
    watch.isStuck({ waiting, concurrency: 2, nowMs });

  it("when messages wait at every look and it takes none", () => {
    const watch = new ProgressWatch(PATIENCE_MS);
    expect([0, 10_000, 20_000, 30_000, 30_001].map((nowMs) => look(watch, nowMs))).toEqual([
      false,
      false,
      false,
      false,
      true,
    ]);
  });

  it("not when it takes one from time to time, however many wait", () => {
    const watch = new ProgressWatch(PATIENCE_MS);
    for (let nowMs = 0; nowMs < 200_000; nowMs += 20_000) {
      expect(look(watch, nowMs)).toBe(false);
      watch.taken();
      watch.ended();
    }
  });

  it("not when the queue was empty in between", () => {
    const watch = new ProgressWatch(PATIENCE_MS);
    look(watch, 0);
    look(watch, 20_000, 0);
    expect(look(watch, 40_000)).toBe(false);
  });

  it("not when it has no room for another message", () => {
    const watch = new ProgressWatch(PATIENCE_MS);
    watch.taken();
    watch.taken();
    expect([0, 50_000].map((nowMs) => look(watch, nowMs))).toEqual([false, false]);
    watch.ended();
    expect([60_000, 100_000].map((nowMs) => look(watch, nowMs))).toEqual([false, true]);
  });
});
