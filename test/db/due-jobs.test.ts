/** Hazard: a job whose message is lost or whose holder is gone, that nobody looks at, or that everybody looks at at once. */
import type { JobId } from "@contingent/core/ids";
import { type DueJob, takeDueJobs } from "@contingent/db/due";
import type { Pool } from "@contingent/db/pool";
import { JOB_STATES } from "@contingent/core/job/job";
import { acceptedJob, claim, driveTo, partsOf, take } from "@contingent/testkit/jobs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();
const LIMIT = 1_000;

afterEach(async () => {
  await db.pool.query("UPDATE job SET wake_at = 'infinity'");
});

async function takeDue(pool: Pool = db.pool, limit = LIMIT): Promise<readonly DueJob[]> {
  return await takeDueJobs(pool, partsOf(db.pool).versions, limit);
}

async function makeDue(ids: readonly JobId[], changes = ""): Promise<void> {
  await db.pool.query(`UPDATE job SET wake_at = now() - interval '1 second' ${changes} WHERE id = ANY($1)`, [ids]);
}

async function severalDue(count: number): Promise<readonly JobId[]> {
  const ids = await Promise.all(Array.from({ length: count }, () => acceptedJob(db.pool)));
  await makeDue(ids);
  return ids;
}

/** In no particular order, as the database gives them. */
function idsOf(due: readonly DueJob[]): ReadonlySet<JobId> {
  return new Set(due.map(({ job }) => job.id));
}

/** Time that may pass on a slow machine between taking a job and looking at it. */
const SLACK_S = 6;

/** In how many seconds the job is due again. */
async function wakesIn(id: JobId | undefined): Promise<number> {
  const text = "SELECT extract(epoch FROM wake_at - now())::float8 AS s FROM job WHERE id = $1";
  const { rows } = await db.pool.query<{ s: number }>(text, [id]);
  return rows[0]?.s ?? Number.NaN;
}

function about(seconds: number): (waits: number) => boolean {
  return (waits) => waits <= seconds && waits > seconds - SLACK_S;
}

test("only open jobs whose time has come are taken", async () => {
  const early = await acceptedJob(db.pool);
  const due = await Promise.all(JOB_STATES.map((state) => driveTo(db.pool, state)));
  await makeDue(due);
  const taken = await takeDue();
  expect(taken.map(({ job }) => job.state).toSorted()).toEqual(JOB_STATES.filter((s) => s !== "closed").toSorted());
  expect(idsOf(taken).has(early)).toBe(false);
});

test("a taken job stands as it stood when it became due, with the database's clock", async () => {
  const id = await driveTo(db.pool, "attempting");
  await makeDue([id]);
  const [due] = await takeDue();
  expect(due?.job).toMatchObject({ id, state: "attempting", revision: 2 });
  expect(due?.nowMs).toBeGreaterThan(due?.job.wakeAtMs ?? Infinity);
  expect(await wakesIn(id)).toSatisfy(about(15));
});

describe("sweepers do not take the same job at once", () => {
  test("any number of them share the work", async () => {
    const ids = await severalDue(120);
    const pools = [1, 2, 3, 4].map(() => db.another(1));
    const taken = (await Promise.all(pools.map((pool) => takeDue(pool, 40)))).flat();
    const rest = await takeDue();
    expect(taken.length + rest.length).toBe(ids.length);
    expect(idsOf([...taken, ...rest])).toEqual(new Set(ids));
  });

  test("the next round does not take it again", async () => {
    const ids = await severalDue(3);
    expect(idsOf(await takeDue())).toEqual(new Set(ids));
    expect(await takeDue()).toEqual([]);
  });

  test("a job that somebody is changing just now is passed over, not waited for", async () => {
    const ids = await severalDue(3);
    const holder = await db.pool.connect();
    await holder.query("BEGIN");
    await holder.query("SELECT FROM job WHERE id = $1 FOR NO KEY UPDATE", [ids[1]]);
    expect(idsOf(await takeDue())).toEqual(new Set([ids[0], ids[2]]));
    await holder.query("COMMIT");
    holder.release();
    expect(idsOf(await takeDue())).toEqual(new Set([ids[1]]));
  });

  test("a round takes no more than it was asked to, the longest due first", async () => {
    const ids = await severalDue(3);
    await db.pool.query("UPDATE job SET wake_at = now() - interval '1 hour' WHERE id = $1", [ids[2]]);
    expect(idsOf(await takeDue(db.pool, 1))).toEqual(new Set([ids[2]]));
  });
});

describe("the next wake-up", () => {
  test("comes later each time, up to a bound, and soon again after a transition", async () => {
    const [id = "job_none"] = await severalDue(1);
    await db.pool.query("UPDATE job SET deadline_at = now() + interval '1 day' WHERE id = $1", [id]);
    for (const seconds of [15, 30, 60, 120, 240, ...Array<number>(9).fill(300)]) {
      await makeDue([id]);
      await takeDue();
      expect(await wakesIn(id)).toSatisfy(about(seconds));
    }
    await take(db.pool, id, claim());
    await makeDue([id]);
    await takeDue();
    expect(await wakesIn(id)).toSatisfy(about(15));
  });

  test("never sleeps through the deadline", async () => {
    const ids = await severalDue(2);
    await makeDue(ids, ", wakes = 6, deadline_at = now() + interval '7 seconds'");
    await takeDue();
    expect(await wakesIn(ids[0])).toSatisfy(about(7));
  });

  test("backs off again once the deadline is behind", async () => {
    const ids = await severalDue(1);
    await makeDue(ids, ", wakes = 1, deadline_at = now() - interval '7 seconds'");
    await takeDue();
    expect(await wakesIn(ids[0])).toSatisfy(about(30));
  });

  test("is no transition: the revision and its message stay valid", async () => {
    const [id = "job_none"] = await severalDue(1);
    await takeDue();
    const { rows } = await db.pool.query("SELECT revision, state FROM job WHERE id = $1", [id]);
    expect(rows).toEqual([{ revision: 1, state: "queued" }]);
  });
});

interface PlanNode {
  readonly "Node Type": string;
  readonly "Index Name"?: string;
  readonly "Actual Rows": number;
  readonly "Rows Removed by Filter"?: number;
  readonly Plans?: readonly PlanNode[];
}

function nodesOf(node: PlanNode): readonly PlanNode[] {
  return [node, ...(node.Plans ?? []).flatMap(nodesOf)];
}

test("history costs nothing: closed jobs are not in the index that due ones are found by", async () => {
  await Promise.all(Array.from({ length: 200 }, () => driveTo(db.pool, "closed")));
  await db.pool.query("UPDATE job SET wake_at = now() - interval '1 day' WHERE state = 'closed'");
  const ids = await severalDue(5);
  const statements = vi.spyOn(db.pool, "query");
  await takeDue();
  const [statement] = statements.mock.calls[0] ?? [];
  statements.mockRestore();
  await makeDue(ids);
  const { text, values } = statement as unknown as { readonly text: string; readonly values: unknown[] };
  const { rows } = await db.pool.query<{ "QUERY PLAN": [{ Plan: PlanNode }] }>(
    `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
    values,
  );
  const nodes = rows.flatMap((row) => nodesOf(row["QUERY PLAN"][0].Plan));
  expect(nodes.filter((node) => node["Node Type"] === "Seq Scan")).toEqual([]);
  const found = nodes.find((node) => node["Index Name"] === "job_wake");
  expect([found?.["Actual Rows"], found?.["Rows Removed by Filter"] ?? 0]).toEqual([5, 0]);
});
