import { describe, expect, it } from "vitest";
import { databaseClock, databaseClockNotBehind } from "./clock.ts";

describe("the database's clock", () => {
  it("goes on from the database's time by the monotonic counter", () => {
    let monotonicMs = 500;
    const now = databaseClock(1_700_000_000_000, () => monotonicMs);
    expect(now()).toBe(1_700_000_000_000);
    monotonicMs += 1_250;
    expect(now()).toBe(1_700_000_001_250);
  });

  it("is not behind where that would cost money, however long the answer was on its way", () => {
    let monotonicMs = 500;
    const askedAtMs = monotonicMs;
    monotonicMs += 3_000;
    const now = databaseClockNotBehind(1_700_000_000_000, askedAtMs, () => monotonicMs);
    expect(now()).toBe(1_700_000_003_000);
  });
});
