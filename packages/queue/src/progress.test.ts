import { describe, expect, it } from "vitest";
import { type Progress, ProgressWatch } from "./progress.ts";

const PATIENCE = { provenMs: 10_000, waitingMs: 30_000, silentMs: 600_000 };
const ROOM = 2;

function watch(): ProgressWatch {
  return new ProgressWatch(PATIENCE, 0);
}

function looks(of: ProgressWatch, waiting: number | null, ...instantsMs: readonly number[]): readonly Progress[] {
  return instantsMs.map((nowMs) => of.look({ waiting, concurrency: ROOM, nowMs }));
}

function takes(of: ProgressWatch, nowMs: number): void {
  of.taken(nowMs);
  of.ended();
}

describe("a consumer is stuck", () => {
  it("when messages wait at every look and it takes none", () => {
    expect(looks(watch(), 1, 0, 9_999, 30_000, 30_001)).toEqual(["fine", "fine", "unproven", "stuck"]);
  });

  it("not when it takes one from time to time, however many wait", () => {
    const working = watch();
    for (let nowMs = 0; nowMs < 200_000; nowMs += 20_000) {
      takes(working, nowMs);
      expect(looks(working, 5, nowMs + 5_000)).toEqual(["fine"]);
    }
  });

  it("not when the queue was empty in between", () => {
    expect(looks(watch(), 1, 0, 20_000)).not.toContain("stuck");
    const relieved = watch();
    looks(relieved, 1, 0, 20_000);
    looks(relieved, 0, 25_000);
    expect(looks(relieved, 1, 40_000, 55_000)).toEqual(["unproven", "unproven"]);
  });

  it("not when it has no room for another message", () => {
    const full = watch();
    full.taken(0);
    full.taken(0);
    expect(looks(full, 1, 0, 50_000)).toEqual(["fine", "fine"]);
    full.ended();
    expect(looks(full, 1, 60_000, 90_001)).toEqual(["unproven", "stuck"]);
  });

  it("not while its queue is paused or the transport is away, nor for as long again afterwards", () => {
    const paused = watch();
    looks(paused, 1, 0, 29_000);
    expect(looks(paused, null, 31_000, 700_000)).toEqual(["fine", "fine"]);
    expect(looks(paused, 1, 705_000, 735_000)).toEqual(["fine", "unproven"]);
  });
});

describe("a consumer with nothing to take", () => {
  it("is asked for a proof as soon as the last one is old, and until it gives another", () => {
    const idle = watch();
    expect(looks(idle, 0, 5_000, 10_000, 15_000)).toEqual(["fine", "unproven", "unproven"]);
    takes(idle, 16_000);
    expect(looks(idle, 0, 20_000, 26_000)).toEqual(["fine", "unproven"]);
  });

  it("is silent when others have taken every proof for long, once each time", () => {
    const idle = watch();
    expect(looks(idle, 0, 600_000, 600_001, 605_000)).toEqual(["unproven", "silent", "fine"]);
  });
});
