/** Hazard: transitions that share a statement, and pay for each other's faults. */
import type { JobId } from "@contingent/core/ids";
import type { Json } from "@contingent/core/json";
import { add, nanos } from "@contingent/core/money";
import { openCommit, type Transition } from "@contingent/db/commit";
import { PLAIN } from "@contingent/db/payloads/payloads";
import type { Pool } from "@contingent/db/pool";
import { acceptedJob, answer, claim, driveTo, happens, judge, partsOf, transitionBy } from "@contingent/testkit/jobs";
import { expect, test, vi } from "vitest";
import { databaseOfThisFile } from "./open.ts";
import { written } from "./written.ts";

const db = databaseOfThisFile();

/** Commits all at once, on a pool of their own, and says how each went and how many statements that took. */
async function together(transitions: readonly Transition[], pool: Pool = db.another()) {
  const statements = vi.spyOn(pool, "query");
  const commit = openCommit(pool, PLAIN);
  const results = await Promise.allSettled(transitions.map((t) => commit(t)));
  return { results, statements: statements.mock.calls.length };
}

const WON = { status: "fulfilled", value: true };
const LOST = { status: "fulfilled", value: false };

function refusedBy(constraint: string): unknown {
  return { status: "rejected", reason: expect.objectContaining({ constraint }) as unknown };
}

async function several(count: number): Promise<readonly JobId[]> {
  return await Promise.all(Array.from({ length: count }, () => acceptedJob(db.pool)));
}

test("two hundred transitions at once take a handful of statements", async () => {
  const ids = await several(200);
  for (const step of [claim(), answer(), judge("pass"), happens("settled")]) {
    const transitions = await Promise.all(ids.map((id) => transitionBy(db.pool, id, step)));
    const { results, statements } = await together(transitions);
    expect(results).toEqual(ids.map(() => WON));
    expect(statements).toBeLessThanOrEqual(2);
  }
});

test("a transition that comes alone does not wait for company", async () => {
  const [id = "job_none"] = await several(1);
  expect(await together([await transitionBy(db.pool, id, claim())])).toEqual({ results: [WON], statements: 1 });
});

test("of two transitions for one revision in one batch the first wins", async () => {
  const [id = "job_none"] = await several(1);
  const [first, second] = [await transitionBy(db.pool, id, claim()), await transitionBy(db.pool, id, claim())];
  expect(await together([first, second])).toEqual({ results: [WON, LOST], statements: 1 });
  const { rows } = await db.pool.query("SELECT id FROM attempt WHERE job_id = $1", [id]);
  expect(rows).toEqual([{ id: first.next.progress.current?.attemptId }]);
});

test("a stale transition does not take a current one of the same job down with it", async () => {
  const [id = "job_none"] = await several(1);
  const stale = await transitionBy(db.pool, id, claim());
  const commit = openCommit(db.pool, PLAIN);
  expect(await commit(await transitionBy(db.pool, id, claim()))).toBe(true);
  const current = await transitionBy(db.pool, id, answer());
  expect(await together([stale, current])).toEqual({ results: [LOST, WON], statements: 1 });
});

/** A transition that the database must refuse, made from a good one. */
interface Spoiled {
  readonly why: string;
  readonly spoil: (good: Transition) => Transition;
  readonly refused: unknown;
}

function nested(depth: number): Json {
  let value: Json = [];
  for (let n = 0; n < depth; n += 1) value = [value];
  return value;
}

const FAR_TOO_DEEP = 100_000;

const SPOILED: readonly Spoiled[] = [
  {
    why: "costs more than the cap",
    spoil: (good) => ({ ...good, next: { ...good.next, cost: { ...good.next.cost, held: nanos(2_000_000n) } } }),
    refused: refusedBy("job_cost_cap"),
  },
  {
    why: "ends an attempt that there is not",
    spoil: (good) => ({ ...good, effects: good.effects.map((e) => ({ ...e, attemptId: "att_unknown" as const })) }),
    refused: refusedBy("must_hold"),
  },
  {
    why: "takes back a cost that there never was",
    spoil: (good) => ({ ...good, next: { ...good.next, cost: { ...good.next.cost, known: nanos(-1n) } } }),
    refused: refusedBy("job_cost_sign"),
  },
  {
    why: "has an answer that cannot even be written out",
    spoil: (good) => ({
      ...good,
      answer: {
        text: null,
        responseId: null,
        inputTokens: 1,
        outputTokens: 1,
        error: null,
        usage: { deep: nested(FAR_TOO_DEEP) },
      },
    }),
    refused: { status: "rejected", reason: expect.any(RangeError) as unknown },
  },
];

test.each(SPOILED.map((spoiled) => [spoiled.why, spoiled] as const))(
  "a transition that %s fails alone",
  async (_, spoiled) => {
    const { spoil, refused } = spoiled;
    const ids = await several(5);
    await together(await Promise.all(ids.map((id) => transitionBy(db.pool, id, claim()))));
    const transitions = await Promise.all(ids.map((id) => transitionBy(db.pool, id, answer())));
    const [bad = "job_none"] = ids.slice(2, 3);
    const before = await written(db.pool, bad);
    const { results } = await together(transitions.map((t, n) => (n === 2 ? spoil(t) : t)));
    expect(results).toEqual([WON, WON, refused, WON, WON]);
    expect(await written(db.pool, bad)).toEqual(before);
  },
);

test("a verdict on an attempt that there is not fails alone", async () => {
  const ids = await Promise.all([1, 2, 3].map(() => driveTo(db.pool, "validating")));
  const transitions = await Promise.all(ids.map((id) => transitionBy(db.pool, id, judge("pass"))));
  const [first, second, third] = transitions;
  if (first === undefined || third === undefined || second?.verdict === undefined) throw new Error("no verdict");
  const bad = { ...second, verdict: { ...second.verdict, attemptId: "att_unknown" } };
  const { results } = await together([first, bad, third]);
  expect(results).toEqual([WON, refusedBy("verdict_attempt_id_fkey"), WON]);
});

test("an attempt cannot end twice, nor a hold", async () => {
  const id = await driveTo(db.pool, "attempting");
  const answered = await transitionBy(db.pool, id, answer());
  const commit = partsOf(db.pool).commit;
  expect(await commit(answered)).toBe(true);
  await expect(commit({ ...answered, ...oneFurther(answered) })).rejects.toMatchObject({
    constraint: "attempt_ends_once",
  });

  const settling = await driveTo(db.pool, "settling");
  const settled = await transitionBy(db.pool, settling, happens("settled"));
  expect(await commit(settled)).toBe(true);
  const before = await written(db.pool, settling);
  await expect(commit({ ...settled, ...oneFurther(settled) })).rejects.toMatchObject({ constraint: "hold_ends_once" });
  const silent = {
    ...settled,
    ...oneFurther(settled),
    transactions: [],
    settled: settled.settled && { ...settled.settled, charge: null },
  };
  await expect(commit(silent)).rejects.toMatchObject({ constraint: "hold_ends_once" });
  expect(await written(db.pool, settling)).toEqual(before);
});

/** The same once more, from where the first one led: what a fence would let through. */
function oneFurther({ next }: Transition): Pick<Transition, "before" | "next"> {
  return { before: next, next: { ...next, revision: next.revision + 1 } };
}

test("a job without a hold cannot be closed", async () => {
  const id = await driveTo(db.pool, "settling");
  await db.pool.query("DELETE FROM hold WHERE job_id = $1", [id]);
  const settled = await transitionBy(db.pool, await driveTo(db.pool, "settling"), happens("settled"));
  const { rows } = await db.pool.query<{ revision: number }>("SELECT revision FROM job WHERE id = $1", [id]);
  const revision = rows[0]?.revision ?? 0;
  const other = {
    ...settled,
    before: { ...settled.before, id, revision },
    next: { ...settled.next, id, revision: revision + 1 },
  };
  const homeless = { ...other, transactions: [], settled: settled.settled && { ...settled.settled, charge: null } };
  await expect(partsOf(db.pool).commit(homeless)).rejects.toMatchObject({ constraint: "must_hold" });
});

test("while the database is away all of a batch learn of it, and nobody tries one by one", async () => {
  const ids = await several(3);
  const transitions = await Promise.all(ids.map((id) => transitionBy(db.pool, id, claim())));
  const pool = db.another(1);
  await pool.query("SELECT set_config('statement_timeout', '1', false)");
  const holder = await db.pool.connect();
  await holder.query("BEGIN");
  await holder.query("SELECT FROM job WHERE id = $1 FOR UPDATE", [ids[1]]);
  const { results, statements } = await together(transitions, pool);
  await holder.query("ROLLBACK");
  holder.release();
  expect(results.map((r) => r.status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(statements).toBe(1);
});

test("costs move by differences, so that what was added between load and commit stays", async () => {
  const id = await driveTo(db.pool, "attempting");
  const answered = await transitionBy(db.pool, id, answer(400n));
  await db.pool.query(
    "UPDATE job SET cost_presumed_nanos = 7, cost_known_nanos = 11, cost_overrun_nanos = 3 WHERE id = $1",
    [id],
  );
  expect(await openCommit(db.pool, PLAIN)(answered)).toBe(true);
  const text =
    "SELECT cost_known_nanos k, cost_presumed_nanos p, cost_held_nanos h, cost_overrun_nanos o FROM job WHERE id = $1";
  expect((await db.pool.query(text, [id])).rows).toEqual([{ k: add(nanos(400n), nanos(11n)), p: 7n, h: 0n, o: 3n }]);
});

test("a statement is prepared once on every connection of a pool, whoever uses it", async () => {
  const pool = db.another(3);
  const commits = [1, 2, 3].map(() => openCommit(pool, PLAIN));
  for (let round = 0; round < 3; round += 1) {
    const ids = await several(3);
    const transitions = await Promise.all(ids.map((id) => transitionBy(db.pool, id, claim())));
    const won = await Promise.all(transitions.map(async (t, n) => await commits[n]?.(t)));
    expect(won).toEqual([true, true, true]);
  }
});
