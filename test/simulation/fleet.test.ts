/**
 * Jobs in tens of thousands of schedules: messages lost, repeated, late and out of order, processes killed and frozen, commits
 * that nobody hears of. A failure prints the seed and path that repeat it, and what happened, made as short as it gets.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import { setting } from "./arbitraries.ts";
import { Fleet } from "./fleet.ts";

const RUNS = 10_000;
/** Seconds on an idle machine; a busy one may take its time. */
const PATIENCE = { timeout: 240_000 };

const choices = fc.array(fc.nat(255), { maxLength: 200, size: "max" });
/** An hour of waiting in vain is as good as a minute. */
const DEADLINE_MAX_MS = 60_000;
/** Whoever sweeps is one of the fleet, and providers charge what they may. */
const settings = fc.array(
  setting.map(({ terms, ...each }) => {
    const deadlineMs = Math.min(terms.deadlineMs, DEADLINE_MAX_MS);
    return { ...each, terms: { ...terms, deadlineMs }, sweepLagMs: null, overruns: false };
  }),
  { minLength: 1, maxLength: 2 },
);

const DISTURBANCES = [
  "message lost",
  "message repeated",
  "message too early",
  "all messages lost",
  "process killed",
  "fenced",
  "commit unconfirmed",
  "late cost booked",
  "sweeper took a step",
  "model away",
  "booked known",
  "booked presumed",
  "booked released",
];

test(
  "whatever the schedule, every job closes, pays for what was billed, and charges what it may once",
  PATIENCE,
  () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(settings, choices, (settings, choices) => {
        const fleet = new Fleet(settings, choices);
        fleet.run();
        for (const what of fleet.seen) seen.add(what);
        for (const { job } of fleet.worlds) seen.add(`${job.resolution}`);
      }),
      { numRuns: RUNS, includeErrorInReport: true },
    );
    // Schedules in which nothing goes wrong would prove nothing.
    expect([...DISTURBANCES, "success", "partial", "failure"].filter((what) => !seen.has(what))).toEqual([]);
  },
);
