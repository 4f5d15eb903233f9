import { parseArgs } from "node:util";

export interface BenchOptions {
  /** Jobs of one throughput run. */
  readonly jobs: number;
  /** How often each contender is measured; they take turns. */
  readonly rounds: number;
  /** Requests under way at once while submitting. */
  readonly inFlight: number;
  /** Length of the latency run at half load, seconds. */
  readonly latencySeconds: number;
  readonly redis: boolean;
  /** Whether the system is compared with itself without row-level security and limits. */
  readonly guards: boolean;
}

/** Reads `npm run bench -- --jobs 800 --rounds 3`. Throws a sentence for what it does not know. */
export function benchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      jobs: { type: "string", default: "1000" },
      rounds: { type: "string", default: "3" },
      "in-flight": { type: "string", default: "32" },
      "latency-seconds": { type: "string", default: "6" },
      "no-redis": { type: "boolean", default: false },
      guards: { type: "boolean", default: false },
    },
  });
  return {
    jobs: positive("jobs", values.jobs),
    rounds: positive("rounds", values.rounds),
    inFlight: positive("in-flight", values["in-flight"]),
    latencySeconds: positive("latency-seconds", values["latency-seconds"]),
    redis: !values["no-redis"],
    guards: values.guards,
  };
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new Error(`--${name} takes a whole number above 0, not "${text}"`);
}
