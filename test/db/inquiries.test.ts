/** Hazard: somebody is asked twice, or answers twice, and nobody can tell what a verdict rests on. */
import { nanos } from "@contingent/core/money";
import type { JobId } from "@contingent/core/ids";
import {
  acceptedJob,
  answer,
  claim,
  driveTo,
  happens,
  inquires,
  isUnanswered,
  judge,
  partsOf,
  replies,
  take,
  transitionBy,
  validatorBreaks,
} from "@contingent/testkit/jobs";
import { describe, expect, test } from "vitest";
import { databaseOfThisFile } from "./open.ts";
import { counted, written } from "./written.ts";

const db = databaseOfThisFile();

async function inquiriesOf(id: JobId): Promise<readonly Record<string, unknown>[]> {
  const text = `
    SELECT kind, asked, provider, name, reserve_nanos AS reserve, cost_state AS state, cost_nanos AS cost, outcome, score,
           findings, detail, replied_by AS by, ended_at IS NOT NULL AS is_over
      FROM inquiry WHERE job_id = $1 ORDER BY opened_at`;
  return (await db.pool.query<Record<string, unknown>>(text, [id])).rows;
}

/** What the database says to a statement by somebody who goes past core: the constraint that it breaks. */
async function refusal(text: string, id: JobId): Promise<string | undefined> {
  const error: unknown = await db.pool.query(text, [id]).catch((refused: unknown) => refused);
  return error instanceof Error && "constraint" in error ? String(error.constraint) : undefined;
}

describe("an inquiry", () => {
  test("stands there before anybody is asked, with what is held for it", async () => {
    const id = await driveTo(db.pool, "validating");
    await take(db.pool, id, inquires());
    expect(await inquiriesOf(id)).toMatchObject([
      { kind: "leaf", provider: "anthropic", name: "medium", reserve: 300n, state: "held", is_over: false },
    ]);
  });

  test("ends with its reply, who gave it and what it cost, and the cost is in the books", async () => {
    const id = await driveTo(db.pool, "validating");
    await take(db.pool, id, inquires(), replies(200n));
    expect(await inquiriesOf(id)).toMatchObject([
      { state: "known", cost: 200n, outcome: "replied", score: 1, findings: [], by: "key_fixture", is_over: true },
    ]);
    const text = "SELECT key FROM ledger_transaction WHERE job_id = $1 AND key LIKE 'cost:inq%'";
    const { rows } = await db.pool.query<{ key: string }>(text, [id]);
    expect(rows.map(({ key }) => key.replace(/inq_\w+/, "inq"))).toEqual(["cost:inq:reported"]);
  });

  test.each([
    ["is lost", isUnanswered(), { state: "presumed", cost: 300n, outcome: "broke" }],
    ["is known to have cost less", isUnanswered(50n), { state: "known", cost: 50n, outcome: "broke" }],
    ["is not waited for any more", happens("cancel"), { state: "presumed", cost: 300n, outcome: "dropped" }],
  ])("that %s has no result, and the cost that is certain", async (_, end, row) => {
    const id = await driveTo(db.pool, "validating");
    await take(db.pool, id, inquires(), end);
    expect(await inquiriesOf(id)).toMatchObject([{ ...row, score: null, findings: null, is_over: true }]);
  });

  test("that was asked for the third time in vain makes way for a person's, in one step", async () => {
    const id = await driveTo(db.pool, "validating");
    await take(db.pool, id, validatorBreaks(), validatorBreaks(), inquires(), isUnanswered());
    expect(await inquiriesOf(id)).toMatchObject([
      { kind: "leaf", outcome: "broke" },
      { kind: "validator_error", asked: "person", state: "held", outcome: null },
    ]);
  });

  test("of a transition that lost the race is not written", async () => {
    const id = await driveTo(db.pool, "validating");
    const [first, second] = [await transitionBy(db.pool, id, inquires()), await transitionBy(db.pool, id, inquires())];
    const { commit } = partsOf(db.pool);
    expect([await commit(first), await commit(second)]).toEqual([true, false]);
    expect(await counted(db.pool, id)).toMatchObject({ inquiry: 1 });
  });
});

describe("a validator is told what was replied", () => {
  test("about the answer under way, in the order in which it came, until there is a verdict", async () => {
    const id = await driveTo(db.pool, "validating");
    const { loader } = partsOf(db.pool);
    await take(db.pool, id, inquires(), replies(200n), inquires(0n), replies(0n, "silence"), inquires());
    const loaded = await loader.forValidation(id);
    expect(loaded?.replies).toMatchObject([
      { leaf: "/all/3", validator: "fixture@1", outcome: "replied", score: 1, repliedBy: "key_fixture" },
      { leaf: "/all/5", outcome: "silence", findings: [], repliedBy: null },
    ]);
    for (const { durationMs } of loaded?.replies ?? []) expect(durationMs).toBeGreaterThan(0);
    expect(loaded?.job.progress.inquiry).toMatchObject({ asked: "model", reserve: nanos(300n) });
    await take(db.pool, id, replies(), judge("fail"), claim(), answer());
    expect((await loader.forValidation(id))?.replies).toEqual([]);
  });
});

describe("the database itself refuses", () => {
  const AGAIN = (changes: string): string => `
    INSERT INTO inquiry SELECT (jsonb_populate_record(q, jsonb_build_object('id', q.id || 'x') || '${changes}')).*
      FROM inquiry q WHERE q.job_id = $1`;

  test("a second question while one is open", async () => {
    const id = await driveTo(db.pool, "validating");
    await take(db.pool, id, inquires());
    expect(await refusal(AGAIN("{}"), id)).toBe("inquiry_one_open");
  });

  test("a second reply to a question, a second end, and an end that never was", async () => {
    const id = await driveTo(db.pool, "validating");
    await take(db.pool, id, inquires(), replies(200n));
    expect(await refusal(AGAIN("{}"), id)).toBe("inquiry_one_reply");
    expect(await refusal("UPDATE inquiry SET score = 0 WHERE job_id = $1", id)).toBe("inquiry_ends_once");
    expect(await refusal(AGAIN('{"outcome": null, "score": null, "findings": null}'), id)).toBe(
      "inquiry_is_open_or_over",
    );
  });

  test("a reply without a result, and a cost that nobody is owed", async () => {
    const id = await driveTo(db.pool, "validating");
    await take(db.pool, id, inquires(), isUnanswered());
    expect(await refusal(AGAIN('{"outcome": "replied"}'), id)).toBe("inquiry_has_its_result");
    expect(await refusal(AGAIN('{"provider": null, "name": null}'), id)).toBe("inquiry_owes_somebody");
  });

  test("to forget one", async () => {
    const id = await driveTo(db.pool, "validating");
    await take(db.pool, id, inquires());
    const before = await written(db.pool, id);
    await expect(db.pool.query("DELETE FROM inquiry WHERE job_id = $1", [id])).rejects.toThrow(/inquiry/);
    expect(await written(db.pool, id)).toEqual(before);
  });

  test("the end of an inquiry that is another job's", async () => {
    const [id, other] = [await acceptedJob(db.pool), await driveTo(db.pool, "validating")];
    await take(db.pool, id, claim(), answer(), inquires());
    await take(db.pool, other, inquires());
    const transition = await transitionBy(db.pool, id, replies());
    const theirs = await transitionBy(db.pool, other, replies());
    const mixed = { ...transition, effects: theirs.effects };
    await expect(partsOf(db.pool).commit(mixed)).rejects.toThrow(/every inquiry that ends is one of the job/);
  });
});
