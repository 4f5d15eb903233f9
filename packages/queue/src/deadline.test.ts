import { describe, expect, it, vi } from "vitest";
import { DeadlineError, withDeadline } from "./deadline.ts";

describe("work with a deadline", () => {
  it("that ends in time is not touched", async () => {
    vi.useFakeTimers();
    try {
      let seen: AbortSignal | undefined;
      await withDeadline(50, async (signal) => {
        seen = signal;
      });
      vi.advanceTimersByTime(80);
      expect(seen?.aborted).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it("that never ends is abandoned, and its signal fires", async () => {
    let seen: AbortSignal | undefined;
    const working = withDeadline(20, (signal) => {
      seen = signal;
      return new Promise(() => undefined);
    });
    await expect(working).rejects.toThrow(DeadlineError);
    expect(seen?.aborted).toBe(true);
  });

  it("that fails, fails as it does", async () => {
    await expect(withDeadline(50, () => Promise.reject(new RangeError("no")))).rejects.toThrow(RangeError);
  });

  it("that fails after it was abandoned bothers nobody", async () => {
    const late = withDeadline(10, async (signal) => {
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      throw new RangeError("late");
    });
    await expect(late).rejects.toThrow(DeadlineError);
  });
});
