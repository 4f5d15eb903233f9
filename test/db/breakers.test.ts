/** Hazard: a fleet that goes on calling a model which fails, lets a crowd probe it, or never calls it again. */
import type { Outcome } from "@contingent/core/breaker/breaker";
import { nanos, ZERO } from "@contingent/core/money";
import { type BreakerRow, changeBreaker, exchangeTallies, forceBreaker } from "@contingent/db/breakers";
import { type BreakerChanged, type ModelGate, openModelGate, type Pass } from "@contingent/db/model-gate";
import { until } from "@contingent/testkit/until";
import { afterEach, describe, expect, test } from "vitest";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();

const CALL = { comesBack: false, durationMs: 30_000 };
const BACK = { comesBack: true, durationMs: 30_000 };
/** Processes look more often than in production, so that the tests do not wait. */
const EXCHANGE_MS = 50;
const SOON = { timeoutMs: 10_000, intervalMs: 20 };

interface Process {
  readonly gate: ModelGate;
  readonly changes: BreakerChanged[];
}

const running: ModelGate[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((gate) => gate.close()));
});

/** Processes with a gate each. */
function fleet(size: number): readonly Process[] {
  return Array.from({ length: size }, () => {
    const changes: BreakerChanged[] = [];
    const log = { warn: (fields: object, message: string) => expect.fail(`${message} ${JSON.stringify(fields)}`) };
    const gate = openModelGate(db.pool, { log, changed: (change) => changes.push(change), exchangeMs: EXCHANGE_MS });
    running.push(gate);
    return { gate, changes };
  });
}

let models = 0;
function newModel(): { readonly provider: string; readonly model: string } {
  models += 1;
  return { provider: "anthropic", model: `model-${models}` };
}

type Key = ReturnType<typeof newModel>;

async function passOf(gate: ModelGate, key: Key, call = CALL): Promise<Pass> {
  const entry = await gate.enter(key, call);
  if (entry.kind !== "pass") throw new Error(`the gate says ${entry.kind}`);
  return entry.pass;
}

async function make(gate: ModelGate, key: Key, outcome: Outcome, { times = 1, cost = 0n } = {}): Promise<void> {
  for (let i = 0; i < times; i += 1) await gate.report(await passOf(gate, key), outcome, nanos(cost));
}

async function rowOf({ model }: Key): Promise<BreakerRow> {
  const { breakers } = await exchangeTallies(db.pool, []);
  const found = breakers.find((breaker) => breaker.model === model);
  if (found === undefined) throw new Error(`${model} has no breaker`);
  return found;
}

async function untilState(key: Key, state: BreakerRow["state"]): Promise<BreakerRow> {
  return await until(
    async () => {
      const row = await rowOf(key).catch(() => null);
      return row?.state === state ? row : undefined;
    },
    { ...SOON, what: `the breaker of ${key.model} to be ${state}` },
  );
}

/** The cool-down of an open breaker is over. */
async function coolDown({ model }: Key): Promise<void> {
  await db.pool.query("UPDATE breaker SET probe_at = clock_timestamp() WHERE model = $1", [model]);
}

/** Until a process has seen of a breaker what the database has. */
async function untilKnown(gate: ModelGate, key: Key, kind: "pass" | "away"): Promise<void> {
  await until(async () => (await gate.awayAmong([key])).has(key.model) === (kind === "away"), {
    ...SOON,
    what: `${key.model} to be known as ${kind}`,
  });
}

describe("a model whose calls fail", () => {
  test("is away for the whole fleet at once, told by the calls of all, and by one change", async () => {
    const key = newModel();
    const processes = fleet(4);
    // Too few in each process: only together are they enough.
    await Promise.all(processes.map(({ gate }) => make(gate, key, "failed", { times: 5 })));
    const row = await untilState(key, "open");
    for (const { gate } of processes) await untilKnown(gate, key, "away");
    expect(row).toMatchObject({ openings: 1, because: "20 of 20 calls failed within 5 s.", forcedBy: null });
    expect(processes.flatMap(({ changes }) => changes)).toEqual([
      { ...key, from: "closed", to: "open", because: row.because },
    ]);
    expect(await processes[0]?.gate.enter(key, CALL)).toEqual({ kind: "away" });
  });

  test("is away for the money that they cost, where they are too few to tell otherwise", async () => {
    const key = newModel();
    const [process] = fleet(1);
    if (process === undefined) throw new Error("no process");
    await make(process.gate, key, "answered", { times: 6, cost: 100_000_000n });
    await make(process.gate, key, "failed", { times: 3, cost: 400_000_000n });
    expect((await untilState(key, "open")).because).toMatch(
      /^1\.20 of 1\.80 USD went to calls that failed within 5 s\.$/,
    );
  });

  test("is not away for what says nothing about it", async () => {
    const key = newModel();
    const [process] = fleet(1);
    if (process === undefined) throw new Error("no process");
    await make(process.gate, key, "unsaid", { times: 40 });
    await make(process.gate, key, "answered", { times: 2 });
    const row = await until(async () => await rowOf(key).catch(() => undefined), { ...SOON, what: "the count" });
    expect(row).toMatchObject({ state: "closed", short: { calls: 2, failures: 0 } });
  });
});

describe("when the cool-down is over", () => {
  async function opened(size: number): Promise<{ readonly key: Key; readonly processes: readonly Process[] }> {
    const key = newModel();
    const processes = fleet(size);
    const [first] = processes;
    if (first === undefined) throw new Error("no process");
    await make(first.gate, key, "failed", { times: 20 });
    await untilState(key, "open");
    // Nobody takes the probe before the test does.
    await db.pool.query("UPDATE breaker SET probe_at = now() + interval '1 hour' WHERE model = $1", [key.model]);
    for (const { gate } of processes) await untilKnown(gate, key, "away");
    return { key, processes };
  }

  async function enterAll(processes: readonly Process[], key: Key): Promise<readonly Pass[]> {
    const asked = processes.flatMap(({ gate }) => Array.from({ length: 10 }, () => gate.enter(key, CALL)));
    const entries = await Promise.all(asked);
    return entries.flatMap((entry) => (entry.kind === "pass" ? [entry.pass] : []));
  }

  test("exactly one call of the whole fleet is a probe; answered, it lets everybody in again", async () => {
    const { key, processes } = await opened(4);
    await coolDown(key);
    for (const { gate } of processes) await untilKnown(gate, key, "pass");
    const passes = await enterAll(processes, key);
    expect(passes.map(({ isProbe }) => isProbe)).toEqual([true]);
    expect((await rowOf(key)).state).toBe("half_open");
    const [probe] = passes;
    const prober = processes.find(({ changes }) => changes.some(({ to }) => to === "half_open"));
    if (probe === undefined || prober === undefined) throw new Error("no probe");
    await prober.gate.report(probe, "answered", ZERO);
    expect(await rowOf(key)).toMatchObject({
      state: "closed",
      short: { calls: 0 },
      because: "The probe was answered.",
    });
    for (const { gate } of processes) await untilKnown(gate, key, "pass");
    expect(await enterAll(processes, key)).toHaveLength(40);
  });

  test("a probe that fails keeps everybody out for longer; failures from before count no more", async () => {
    const { key, processes } = await opened(1);
    const [process] = processes;
    if (process === undefined) throw new Error("no process");
    await coolDown(key);
    await untilKnown(process.gate, key, "pass");
    const probe = await passOf(process.gate, key);
    await process.gate.report(probe, "failed", ZERO);
    const row = await rowOf(key);
    expect(row).toMatchObject({ state: "open", openings: 2, short: { calls: 0 }, long: { calls: 0 } });
    expect((row.probeAtMs ?? 0) - Date.now()).toBeGreaterThan(500);
    // Told a second time, and by somebody who was let through long ago, it changes nothing.
    await process.gate.report(probe, "answered", ZERO);
    await process.gate.report({ ...probe, isProbe: false, revision: 1 }, "failed", ZERO);
    expect(await rowOf(key)).toMatchObject({ state: "open", openings: 2, long: { calls: 0 } });
  });

  test("a probe that is given back, or whose process dies, is made by another one", async () => {
    const { key, processes } = await opened(2);
    const [first, second] = processes;
    if (first === undefined || second === undefined) throw new Error("no processes");
    await coolDown(key);
    await untilKnown(first.gate, key, "pass");
    await first.gate.giveBack(await passOf(first.gate, key));
    await untilKnown(second.gate, key, "pass");
    expect((await passOf(second.gate, key, { ...CALL, durationMs: 100 })).isProbe).toBe(true);
    // The second one is gone and never reports.
    const again = await until(
      async () => {
        const entry = await first.gate.enter(key, CALL);
        return entry.kind === "pass" ? entry.pass : undefined;
      },
      { ...SOON, what: "the probe to count as lost" },
    );
    expect(again.isProbe).toBe(true);
  });
});

test("a breaker changes only as it was seen, and is probed only when it is time by the database's clock", async () => {
  const key = newModel();
  const [process] = fleet(1);
  if (process === undefined) throw new Error("no process");
  await make(process.gate, key, "answered");
  const { revision } = await until(async () => await rowOf(key).catch(() => undefined), { ...SOON, what: "the row" });
  const probes = { state: "half_open", openings: 1, probeInMs: 1_000, because: "A test." } as const;
  const opens = { state: "open", openings: 1, probeInMs: 60_000, because: "A test." } as const;
  const open = await changeBreaker(db.pool, key, revision, opens);
  expect(open).toMatchObject({ state: "open", revision: revision + 1 });
  expect(await changeBreaker(db.pool, key, revision, { ...opens, openings: 9 }), "decided upon before").toBeNull();
  expect(await changeBreaker(db.pool, key, revision + 1, probes), "too early").toBeNull();
  await coolDown(key);
  expect(await changeBreaker(db.pool, key, revision + 1, probes)).toMatchObject({ state: "half_open" });
});

describe("an operator", () => {
  const by = "key_0001";

  test("keeps a model away for good, lets it be called whatever fails, and lets it go again", async () => {
    const key = newModel();
    const [process] = fleet(1);
    if (process === undefined) throw new Error("no process");
    const { gate } = process;
    await forceBreaker(db.pool, key, { state: "open", by, reason: "Too dear today." });
    await untilKnown(gate, key, "away");
    expect(await rowOf(key)).toMatchObject({
      state: "open",
      forcedBy: by,
      probeAtMs: null,
      because: "Too dear today.",
    });
    const before = await rowOf(key);
    await forceBreaker(db.pool, key, { state: "open", by, reason: "Too dear today." });
    expect(await rowOf(key)).toEqual(before);

    await forceBreaker(db.pool, key, { state: "closed", by, reason: "It is known." });
    await untilKnown(gate, key, "pass");
    await make(gate, key, "failed", { times: 30 });
    await until(async () => (await rowOf(key)).short.failures === 30, { ...SOON, what: "the failures to be counted" });
    await untilKnown(gate, key, "pass");
    expect(await rowOf(key)).toMatchObject({ state: "closed", forced: true });

    await forceBreaker(db.pool, key, { state: "automatic", by, reason: "Over." });
    await until(
      async () => {
        await make(gate, key, "failed", { times: 20 }).catch(() => undefined);
        return (await rowOf(key)).state === "open";
      },
      { ...SOON, intervalMs: 2 * EXCHANGE_MS, what: "the breaker to decide by itself again" },
    );
    await forceBreaker(db.pool, key, { state: "automatic", by, reason: "Again." });
    expect((await rowOf(key)).state, "letting go what nobody holds changes nothing").not.toBe("closed");
  });
});

describe("calls that come back to a model", () => {
  test("wait when there are too many, unless they are answered", async () => {
    const key = newModel();
    const [process] = fleet(1);
    if (process === undefined) throw new Error("no process");
    const { gate } = process;
    for (let i = 0; i < 100; i += 1) await gate.report(await passOf(gate, key, BACK), "answered", ZERO);
    const entries = await Promise.all(Array.from({ length: 60 }, () => gate.enter(key, BACK)));
    const kinds = new Set(entries.map(({ kind }) => kind));
    expect(kinds).toEqual(new Set(["pass", "wait"]));
    expect(entries.filter(({ kind }) => kind === "pass").length).toBeLessThan(40);
    expect((await gate.enter(key, CALL)).kind, "others are not held up").toBe("pass");
  });
});

test("a database that is away changes nothing that is known, and what was counted is told later", async () => {
  const key = newModel();
  let isAway = false;
  const warnings: string[] = [];
  const gate = openModelGate(
    {
      query: async (statement) => {
        if (isAway) throw new Error("away");
        return await db.pool.query(statement);
      },
    },
    { log: { warn: (_, message) => warnings.push(message) }, changed: () => undefined, exchangeMs: EXCHANGE_MS },
  );
  running.push(gate);
  isAway = true;
  await make(gate, key, "failed", { times: 20 });
  await until(() => warnings.length > 0, { ...SOON, what: "the trouble to be told" });
  expect((await gate.enter(key, CALL)).kind).toBe("pass");
  isAway = false;
  await untilKnown(gate, key, "away");
});
