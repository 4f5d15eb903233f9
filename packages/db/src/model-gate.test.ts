/** Hazard: calls that are let through by what was known long ago, and outcomes that nobody is told of. */
import { ZERO } from "@contingent/core/money";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EXCHANGE_MS, openModelGate } from "./model-gate.ts";
import type { Queryable } from "./pool.ts";

const KEY = { provider: "anthropic", model: "a-model" };
const CALL = { comesBack: false, durationMs: 30_000 };
const NOW_MS = 1_700_000_000_000;
const LATENCY_MS = 10;

const NO_CALLS = Object.fromEntries(
  ["short", "long"].flatMap((window) =>
    ["calls", "failures", "spent_nanos", "burnt_nanos"].map((figure) => [`${window}_${figure}`, 0n]),
  ),
);
const FORCED_OPEN = { ...KEY, state: "open", revision: 2, openings: 0, because: "A test.", forced_by: "key_1" };
const TIMES = { since_ms: NOW_MS, probe_at_ms: null, now_ms: NOW_MS };

/** A database whose one breaker is kept open. It takes its time, and remembers what it was told. */
function slowDatabase(): { readonly db: Queryable; readonly told: unknown[] } {
  const told: unknown[] = [];
  const query = async ({ values }: { readonly values?: readonly unknown[] }): Promise<unknown> => {
    told.push(...(JSON.parse(String(values?.[0])) as unknown[]));
    await new Promise((resolve) => setTimeout(resolve, LATENCY_MS));
    return { rows: [{ ...FORCED_OPEN, ...TIMES, ...NO_CALLS }] };
  };
  return { db: { query } as unknown as Queryable, told };
}

const log = { warn: (fields: object, message: string): void => expect.fail(`${message} ${JSON.stringify(fields)}`) };
const options = { log, changed: () => undefined };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
});
afterEach(() => {
  vi.useRealTimers();
});

test("whoever asks while breakers are being read waits for the answer", async () => {
  const { db } = slowDatabase();
  const gate = openModelGate(db, options);
  const entries = Promise.all([gate.enter(KEY, CALL), gate.enter(KEY, CALL), gate.awayAmong([KEY])]);
  await vi.advanceTimersByTimeAsync(LATENCY_MS);
  expect(await entries).toEqual([{ kind: "away" }, { kind: "away" }, new Set([KEY.model])]);
});

test("an outcome is told within half a second, also when breakers are being read just when it comes", async () => {
  const { db, told } = slowDatabase();
  const gate = openModelGate(db, options);
  const pass = { key: KEY, revision: 2, isProbe: false, comesBack: false };
  void gate.awayAmong([KEY]);
  await vi.advanceTimersByTimeAsync(LATENCY_MS);
  await gate.report(pass, "failed", ZERO);
  await vi.advanceTimersByTimeAsync(EXCHANGE_MS);
  expect(told).toHaveLength(1);
  // Another look is due about now, for what others may have told. Somebody asks at the same moment.
  await vi.advanceTimersByTimeAsync(EXCHANGE_MS + LATENCY_MS / 2);
  void gate.awayAmong([KEY]);
  await gate.report(pass, "failed", ZERO);
  await vi.advanceTimersByTimeAsync(EXCHANGE_MS);
  expect(told).toHaveLength(2);
});
