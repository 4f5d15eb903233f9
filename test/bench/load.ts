/** The two loads: everything at once, for throughput; and a steady stream at half of that, for latency. */
import { setTimeout as delay } from "node:timers/promises";
import { type Contender, type Sample, wallMs } from "./contender.ts";
import { cpuSecondsOfChildren } from "./cpu.ts";

export interface Throughput {
  readonly jobsPerSecond: number;
  readonly statementsPerJob: number | null;
  /** Processor time of everything but the load, ms; null where it cannot be told. */
  readonly cpuMsPerJob: number | null;
}

let runs = 0;

/** Submits jobs as fast as they are taken, and counts from the first submission to the last finish. */
export async function throughput(contender: Contender, jobs: number, inFlight: number): Promise<Throughput> {
  const keys = keysOf(jobs);
  const statementsBefore = await contender.statements();
  const cpuBefore = cpuSecondsOfChildren();
  const startMs = wallMs();
  const queue = keys.values();
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      for (const key of queue) await contender.submit(key);
    }),
  );
  const finished = await contender.finished(keys);
  const cpuAfter = cpuSecondsOfChildren();
  const statementsAfter = await contender.statements();
  const endMs = Math.max(...finished.values());
  const statements =
    statementsBefore === null || statementsAfter === null ? null : (statementsAfter - statementsBefore) / jobs;
  const cpuMsPerJob = cpuBefore === null || cpuAfter === null ? null : ((cpuAfter - cpuBefore) / jobs) * 1_000;
  return { jobsPerSecond: (jobs / (endMs - startMs)) * 1_000, statementsPerJob: statements, cpuMsPerJob };
}

/** Submits jobs at random instants (a Poisson process from a seed) and says when each began and ended. */
export async function steadyStream(
  contender: Contender,
  jobsPerSecond: number,
  seconds: number,
  random: () => number,
): Promise<readonly Sample[]> {
  const keys = keysOf(Math.max(50, Math.round(jobsPerSecond * seconds)));
  const starts = new Map<string, number>();
  const pending: Promise<void>[] = [];
  let dueMs = wallMs();
  for (const key of keys) {
    dueMs += (-Math.log(1 - random()) / jobsPerSecond) * 1_000;
    const waitMs = dueMs - wallMs();
    if (waitMs >= 1) await delay(waitMs);
    // From when it was due: a late generator must not flatter the system (coordinated omission).
    starts.set(key, Math.min(dueMs, wallMs()));
    pending.push(contender.submit(key));
  }
  await Promise.all(pending);
  const finished = await contender.finished(keys);
  return keys.map((key) => ({ startMs: starts.get(key) ?? 0, endMs: finished.get(key) ?? 0 }));
}

function keysOf(jobs: number): readonly string[] {
  runs += 1;
  return Array.from({ length: jobs }, (_, i) => `bench-${process.pid}-${runs}-${i}`);
}

/** The value below which a share of the sorted values lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** A small generator that gives the same numbers for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}
