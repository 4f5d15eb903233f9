/** Hazard: jobs that are refused by a pace that nobody has measured, or accepted by one of long ago. */
import type { QueueName } from "@contingent/contracts/messages/catalog";
import type { Place } from "@contingent/core/job/admission";
import type { Queryable } from "@contingent/db/pool";
import { beforeEach, expect, test, vi } from "vitest";
import { LoadWatch, paceAfter } from "./load-watch.ts";

const PLACES: readonly Place[] = [{ ahead: 999, turnAtMs: 1 }];

/** The database's clock. This process's own plays no part. */
let nowMs = 1_700_000_000_000;
/** A tier as it is to be seen: what waits on it, and how many attempts began on it since the last look. */
let fast = { waiting: 0, begun: 0 };
let isAway = false;
let isSilent = false;

function watch(): LoadWatch {
  const queues = {
    depth: async (queue: QueueName) => {
      if (isAway) throw new Error("away");
      if (isSilent) await new Promise(() => undefined);
      return { waiting: queue === "attempt.fast" ? fast.waiting : 0, delayed: 0, active: 0 };
    },
    places: async () => PLACES,
  };
  const query = async () => ({ rows: [{ now_ms: nowMs, begun: { fast: fast.begun } }] });
  const db = { query } as unknown as Queryable;
  return new LoadWatch({ queues, db, log: { warn: () => undefined } as never });
}

beforeEach(() => {
  isAway = false;
  isSilent = false;
});

async function lookAfter(loads: LoadWatch, seconds: number, seen: typeof fast): Promise<number | null> {
  nowMs += seconds * 1_000;
  fast = seen;
  await loads.look();
  return loads.loadOf("fast")?.attemptsPerSecond ?? null;
}

/** Looks until the tier has been watched for long enough; attempts begin at a steady pace. */
async function watched(loads: LoadWatch, attemptsPerSecond: number): Promise<number | null> {
  let pace: number | null = null;
  for (let look = 0; look < 6; look += 1) {
    pace = await lookAfter(loads, 2, { waiting: 1_000, begun: attemptsPerSecond * 2 });
  }
  return pace;
}

test("nothing is known of a tier until messages have waited for ten seconds", async () => {
  const loads = watch();
  expect(await lookAfter(loads, 2, { waiting: 10, begun: 500 })).toBeNull();
  for (let look = 0; look < 5; look += 1) {
    expect(await lookAfter(loads, 2, { waiting: 1_000 + 40 * look, begun: 40 })).toBeNull();
  }
  expect(await lookAfter(loads, 2, { waiting: 1_200, begun: 40 })).toBe(20);
  expect(loads.loadOf("fast")?.places).toEqual(PLACES);
  expect(loads.loadOf("standard")).toBeNull();
});

test("a tier that stands still is said to be no slower than one attempt in the time that it was watched for", async () => {
  const loads = watch();
  expect(await watched(loads, 0)).toBe(0.1);
  for (let look = 0; look < 5; look += 1) await lookAfter(loads, 2, { waiting: 1_000, begun: 0 });
  expect(loads.loadOf("fast")?.attemptsPerSecond).toBe(0.05);
});

test("what is known is forgotten when the backlog is over", async () => {
  const loads = watch();
  expect(await watched(loads, 20)).toBe(20);
  expect(await lookAfter(loads, 2, { waiting: 50, begun: 40 })).toBeNull();
  expect(await lookAfter(loads, 2, { waiting: 1_000, begun: 1 })).toBeNull();
});

test("a pause of seconds makes the pace lower, and one of minutes ends it", async () => {
  const loads = watch();
  await watched(loads, 100);
  expect(await lookAfter(loads, 2, { waiting: 1_000, begun: 0 })).toBeGreaterThan(90);
  for (let look = 0; look < 120; look += 1) await lookAfter(loads, 2, { waiting: 1_000, begun: 0 });
  expect(loads.loadOf("fast")?.attemptsPerSecond).toBeLessThan(0.1);
});

test("what the backlog shrank by was taken up, even if no attempt was seen to begin", () => {
  const last = { atMs: 0, waiting: 1_000, pace: null };
  expect(paceAfter(last, { nowMs: 2_000, waiting: 800, begun: 0 })).toBe(100);
  expect(paceAfter(last, { nowMs: 2_000, waiting: 1_500, begun: 50 })).toBe(25);
});

test("a look that fails leaves nothing known, and ends when it is told to", async () => {
  const loads = watch();
  expect(await watched(loads, 20)).toBe(20);
  isAway = true;
  const stop = new AbortController();
  const running = loads.run(stop.signal);
  await vi.waitFor(() => expect(loads.loadOf("fast")).toBeNull());
  stop.abort();
  await running;
});

test("a look that nobody answers keeps no process from ending", async () => {
  const loads = watch();
  isSilent = true;
  const stop = new AbortController();
  const running = loads.run(stop.signal);
  stop.abort();
  await expect(running).resolves.toBeUndefined();
});
