/** Hazard: one service or model that does not answer, and every verdict of the house waits with it. */
import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type Ask, ASKED_AT_ONCE_PER_TARGET, Asking } from "./asking.ts";

const SLOW = "https://slow.example.com";

/** Somebody who replies when told to. */
function whoever(): { readonly ask: Ask; readonly reply: () => void; readonly fail: () => void } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { ask: () => promise, reply: resolve, fail: () => reject(new Error("a defect")) };
}

function asking(atOnce?: number): { readonly set: Asking; readonly errors: unknown[] } {
  const errors: unknown[] = [];
  return { set: new Asking({ error: (fields: unknown) => errors.push(fields) } as never, atOnce), errors };
}

afterEach(() => vi.useRealTimers());

describe("asking", () => {
  test("is not waited for, and holds up nobody who asks somebody else", async () => {
    const { set } = asking();
    const open = async (): Promise<Ask> => whoever().ask;
    for (let i = 0; i < ASKED_AT_ONCE_PER_TARGET; i += 1) expect(await set.start(SLOW, open)).toBeNull();
    expect(await set.start(SLOW, open)).not.toBeNull();
    expect(await set.start("https://quick.example.com", open)).toBeNull();
    expect(await set.start(null, open)).toBeNull();
  });

  test("opens nothing while there is no room, and there is again once somebody has replied or nothing was opened", async () => {
    const { set, errors } = asking(1);
    const [first, second] = [whoever(), whoever()];
    const opened = vi.fn<() => Promise<Ask>>(async () => second.ask);
    await set.start(SLOW, async () => first.ask);
    expect(await set.start(SLOW, opened)).not.toBeNull();
    expect(opened).not.toHaveBeenCalled();
    first.fail();
    await vi.waitFor(() => expect(errors).toHaveLength(1));
    expect(await set.start(SLOW, async () => null)).toBeNull();
    await expect(set.start(SLOW, () => Promise.reject(new Error("away")))).rejects.toThrow("away");
    expect(await set.start(SLOW, opened)).toBeNull();
  });

  test("sends a thousand who find no room back to look at most 200 times a second, the first of them after a second", async () => {
    const { set } = asking(0);
    const waits: number[] = [];
    for (let i = 0; i < 1_000; i += 1) waits.push((await set.start(SLOW, async () => null)) ?? 0);
    expect(waits[0]).toBe(1_000);
    expect(waits[999]).toBeGreaterThan(4_900);
    expect(waits[999]).toBeLessThanOrEqual(6_000);
  });

  test("stays in the trace of the job that it is about", async () => {
    const { set } = asking();
    const traces = new AsyncLocalStorage<string>();
    const { promise: seen, resolve: see } = Promise.withResolvers<string | undefined>();
    const open = async (): Promise<Ask> => async () => see(traces.getStore());
    await traces.run("the job's", () => set.start(SLOW, open));
    expect(await seen).toBe("the job's");
  });

  test("ends before the process does, and is given up when the time of the drain is over", async () => {
    vi.useFakeTimers();
    const { set } = asking();
    const [quick, slow] = [whoever(), whoever()];
    set.stopped.addEventListener("abort", slow.reply);
    await set.start(SLOW, async () => quick.ask);
    await set.start(SLOW, async () => slow.ask);
    let closed = false;
    const closing = set.close().then(() => (closed = true));
    quick.reply();
    await vi.advanceTimersByTimeAsync(19_000);
    expect([closed, set.stopped.aborted]).toEqual([false, false]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(set.stopped.aborted).toBe(true);
    await closing;
  });
});
