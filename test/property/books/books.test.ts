/**
 * Hazard: anything that can happen to customers' money, in any order, twice, or halfway. Random operations on the real
 * statements of the services, held after each step, and to the nano at the end, against books in memory that know no
 * database (reference.ts); then all invariants.
 *
 * `RUNS` and `OPERATIONS` make it longer, `FC_SEED` repeats it: run n has the seed `FC_SEED + n`.
 */
import { describe, expect, test } from "vitest";
import { operationsOf } from "./operation.ts";
import { onFreshMarket, RunFailed, runOnce, shrunk, violations } from "./runs.ts";

const IS_CI = process.env["CI"] === "true";
/** Under CI the ones that notice each mutant (README): more of them would be the same ones every time. */
const RUNS = Number(process.env["RUNS"] ?? (IS_CI ? 50 : 500));
const OPERATIONS = Number(process.env["OPERATIONS"] ?? 200);
/** Under CI the same runs every time, so that what fails there is the change; elsewhere others each time, to find more. */
const ANY_SEED = IS_CI ? 1 : Math.floor(Math.random() * 2 ** 31);
const SEED = Number(process.env["FC_SEED"] ?? ANY_SEED);
/** Runs that share a database, and its batches: what one statement carries belongs to many customers. */
const TOGETHER = 50;
const TIMEOUT_MS = 3_600_000;

/** Runs the runs from the n-th on; what is wrong with them, or null. */
async function failureOfGroup(first: number): Promise<string | null> {
  const seeds = Array.from({ length: Math.min(TOGETHER, RUNS - first) }, (_, n) => SEED + first + n);
  const failed = await onFreshMarket(async (market) => {
    const results = await Promise.allSettled(seeds.map((seed) => runOnce(market, operationsOf(seed, OPERATIONS))));
    const errors = results.flatMap((each, n) => (each.status === "rejected" ? [[seeds[n], each.reason] as const] : []));
    if (errors.length > 0) return errors[0];
    const broken = await violations(market.pool);
    return broken.length === 0 ? null : ([seeds[0], broken.join("\n")] as const);
  });
  if (failed === null || failed === undefined) return null;
  const [seed, reason] = failed as readonly [number, unknown];
  const smallest = reason instanceof RunFailed ? await shrunk(reason.operations) : null;
  const told = smallest ?? reason;
  return `FC_SEED=${seed} RUNS=1 OPERATIONS=${OPERATIONS} repeats it.\n${String(told)}`;
}

describe(`${RUNS} runs of ${OPERATIONS} operations, seed ${SEED}`, () => {
  test(
    "leave the books as a reference has them that knows no database, and every invariant holds",
    async () => {
      const startMs = performance.now();
      let done = 0;
      for (; done < RUNS; done += TOGETHER) {
        const failure = await failureOfGroup(done);
        // As an error and not as a comparison: that would show the beginning of it only.
        if (failure !== null) throw new Error(failure);
      }
      expect(done).toBeGreaterThanOrEqual(RUNS);
      const seconds = (performance.now() - startMs) / 1000;
      process.stdout.write(
        `books: ${RUNS} runs, ${RUNS * OPERATIONS} operations in ${seconds.toFixed(1)} s, seed ${SEED}\n`,
      );
    },
    TIMEOUT_MS,
  );
});
