/** Hazard: two processes that decided upon the same revision of a job, and both commit. */
import type { JobId } from "@contingent/core/ids";
import type { JobState } from "@contingent/core/job/job";
import { openCommit } from "@contingent/db/commit";
import { PLAIN } from "@contingent/db/payloads/payloads";
import { checkBooks } from "@contingent/ledger/check-books";
import {
  answer,
  callFails,
  claim,
  driveTo,
  happens,
  judge,
  loadedJob,
  partsOf,
  take,
  type TestStep,
  transitionBy,
} from "@contingent/testkit/jobs";
import { until } from "@contingent/testkit/until";
import { describe, expect, test } from "vitest";
import { databaseOfThisFile } from "./open.ts";
import { counted, revisionsOf, written } from "./written.ts";

const db = databaseOfThisFile();
const SOON = { timeoutMs: 10_000, intervalMs: 5, what: "both commits to wait for the job" };

/**
 * Lets the work begin while somebody holds the job's row, and lets the row go once so many statements wait for it, after
 * that somebody has perhaps changed it.
 */
async function whileJobIsHeld<T>(id: JobId, waiters: number, work: () => Promise<T>, change?: string): Promise<T> {
  const holder = await db.pool.connect();
  try {
    await holder.query("BEGIN");
    await holder.query("SELECT FROM job WHERE id = $1 FOR UPDATE", [id]);
    const working = work();
    await until(async () => {
      const waiting = await db.pool.query(
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      return waiting.rowCount === waiters;
    }, SOON);
    if (change !== undefined) await holder.query(change);
    await holder.query("COMMIT");
    return await working;
  } finally {
    holder.release();
  }
}

interface Race {
  readonly state: JobState;
  readonly one: string;
  readonly step: TestStep;
  readonly other: string;
  readonly against: TestStep;
  /** What the winner adds, whichever it is. */
  readonly added: Readonly<Record<string, number>>;
}

const RACES: readonly Race[] = [
  {
    state: "queued",
    one: "a claim",
    step: claim(),
    other: "another claim",
    against: claim(),
    added: { job_event: 1, attempt: 1 },
  },
  {
    state: "attempting",
    one: "the answer",
    step: answer(),
    other: "the same answer",
    against: answer(),
    added: { job_event: 1, ledger_transaction: 1, posting: 2 },
  },
  {
    state: "attempting",
    one: "the end of the lease",
    step: happens("woke"),
    other: "a lost call",
    against: callFails("timeout", true),
    added: { job_event: 1, ledger_transaction: 1, posting: 2 },
  },
  {
    state: "validating",
    one: "a pass",
    step: judge("pass"),
    other: "a fail",
    against: judge("fail"),
    added: { job_event: 1, verdict: 1 },
  },
  {
    state: "awaiting_acceptance",
    one: "an acceptance",
    step: happens("accepted"),
    other: "a rejection",
    against: happens("rejected"),
    added: { job_event: 1, acceptance_decision: 1 },
  },
  {
    state: "settling",
    one: "a settlement",
    step: happens("settled"),
    other: "another",
    against: happens("settled"),
    added: { job_event: 1, charge: 1, ledger_transaction: 1, posting: 4 },
  },
];

describe("of two transitions of one revision exactly one wins, and the other writes nothing", () => {
  test.each(RACES)("$state: $one against $other", async ({ state, step, against, added }) => {
    const id = await driveTo(db.pool, state);
    const before = await counted(db.pool, id);
    const [one, two] = [await transitionBy(db.pool, id, step), await transitionBy(db.pool, id, against)];
    const [here, there] = [openCommit(db.another(1), PLAIN), openCommit(db.another(1), PLAIN)];
    const won = await whileJobIsHeld(id, 2, () => Promise.all([here(one), there(two)]));

    expect(won.filter(Boolean)).toEqual([true]);
    const grown = Object.entries(await counted(db.pool, id)).map(([table, n]) => [table, n - (before[table] ?? 0)]);
    expect(Object.fromEntries(grown.filter(([, n]) => n !== 0))).toEqual(added);
    const { next, event } = won[0] ? one : two;
    expect((await loadedJob(db.pool, id)).job).toMatchObject({ state: next.state, revision: next.revision });
    const events = await db.pool.query("SELECT type FROM job_event WHERE job_id = $1 AND revision = $2", [
      id,
      next.revision,
    ]);
    expect(events.rows).toEqual([{ type: event.type }]);
  });

  test("the attempt and the verdict that are left are the winner's", async () => {
    const id = await driveTo(db.pool, "validating");
    const [pass, fail] = [
      await transitionBy(db.pool, id, judge("pass")),
      await transitionBy(db.pool, id, judge("fail")),
    ];
    const commit = openCommit(db.another(1), PLAIN);
    expect(await commit(fail)).toBe(true);
    const afterwards = await written(db.pool, id);
    expect(await partsOf(db.pool).commit(pass)).toBe(false);
    expect(await written(db.pool, id)).toEqual(afterwards);
  });

  test("a commit that is repeated because its answer was lost changes nothing", async () => {
    const id = await driveTo(db.pool, "settling");
    const settled = await transitionBy(db.pool, id, happens("settled"));
    expect(await partsOf(db.pool).commit(settled)).toBe(true);
    const afterwards = await written(db.pool, id);
    expect(await partsOf(db.pool).commit(settled)).toBe(false);
    expect(await written(db.pool, id)).toEqual(afterwards);
  });

  test("a commit that waits for a job finds that it has moved on meanwhile", async () => {
    const id = await driveTo(db.pool, "queued");
    const before = await counted(db.pool, id);
    const claimed = await transitionBy(db.pool, id, claim());
    const commit = openCommit(db.another(1), PLAIN);
    const move = `UPDATE job SET revision = revision + 1 WHERE id = '${id}'`;
    expect(await whileJobIsHeld(id, 1, () => commit(claimed), move)).toBe(false);
    expect(await counted(db.pool, id)).toEqual(before);
    // Back to a revision that has an event, for the books are checked at the end of this file.
    await db.pool.query("UPDATE job SET revision = revision - 1 WHERE id = $1", [id]);
  });
});

describe("many processes on the same jobs", () => {
  const JOBS = 40;
  const PROCESSES = 4;
  const PATH = [claim(), answer(), judge("fail"), claim(), answer(), judge("pass"), happens("settled")];

  test("take every job exactly once through every step, and wait for each other without a deadlock", async () => {
    const ids = await Promise.all(Array.from({ length: JOBS }, () => driveTo(db.pool, "queued")));
    const pools = Array.from({ length: PROCESSES }, () => db.another(3));
    const commits = pools.map((pool) => openCommit(pool, PLAIN));
    for (const step of PATH) {
      const transitions = await Promise.all(ids.map((id) => transitionBy(db.pool, id, step)));
      // Every process goes through the jobs in an order of its own.
      const won = await Promise.all(
        commits.map((commit, n) => {
          const order = n % 2 === 0 ? transitions : transitions.toReversed();
          return Promise.all(
            order
              .slice(n)
              .concat(order.slice(0, n))
              .map((t) => commit(t)),
          );
        }),
      );
      expect(won.flat().filter(Boolean)).toHaveLength(JOBS);
    }
    for (const id of ids) expect(await revisionsOf(db.pool, id)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    // A connection reports what it has met when it ends.
    await Promise.all(pools.map((pool) => pool.end()));
    const met = await db.pool.query("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");
    expect(met.rows).toEqual([{ deadlocks: 0n }]);
  });

  test("leave books in which every invariant holds", async () => {
    const results = await checkBooks(db.pool, partsOf(db.pool).versions);
    expect(results.filter((r) => r.violations.length > 0)).toEqual([]);
  });
});

test("a job goes on after a race it was in", async () => {
  const id = await driveTo(db.pool, "attempting");
  const lost = await transitionBy(db.pool, id, happens("woke"));
  await take(db.pool, id, answer(), judge("pass"));
  expect(await partsOf(db.pool).commit(lost)).toBe(false);
  expect((await take(db.pool, id, happens("settled"))).state).toBe("closed");
});
