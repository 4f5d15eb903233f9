/** Hazard: text that JavaScript has and Postgres cannot keep: NUL characters and lone surrogates, which models can produce. */
import { openCommit } from "@contingent/db/commit";
import { storableJson, storableJsonText, storableText } from "@contingent/db/storable";
import { bookLateCost } from "@contingent/ledger/late-cost";
import { answer, claim, driveTo, happens, judge, take, transitionBy } from "@contingent/testkit/jobs";
import { nanos } from "@contingent/core/money";
import { PLAIN } from "@contingent/db/payloads/payloads";
import fc from "fast-check";
import { expect, test } from "vitest";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();

const BAD = "nul \0, high \ud800, low \udc00, good 👍";
const STORED = "nul \ufffd, high \ufffd, low \ufffd, good 👍";

async function row(table: string, id: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { rows } = await db.pool.query<Record<string, unknown>>(`SELECT * FROM ${table} WHERE job_id = $1`, [id]);
  return rows[0];
}

test("an answer is kept, with a mark where something could not be, and its neighbours as they are", async () => {
  const [bad, good] = [await driveTo(db.pool, "attempting"), await driveTo(db.pool, "attempting")];
  const [spoiled, clean] = [await transitionBy(db.pool, bad, answer()), await transitionBy(db.pool, good, answer())];
  const said = { text: BAD, responseId: BAD, usage: { [BAD]: [BAD] }, inputTokens: 1, outputTokens: 1, error: BAD };
  const commit = openCommit(db.pool, PLAIN);
  expect(await Promise.all([commit({ ...spoiled, answer: said }), commit(clean)])).toEqual([true, true]);
  const stored = { output: STORED, response_id: STORED, usage: { [STORED]: [STORED] }, error: STORED };
  expect(await row("attempt", bad)).toMatchObject(stored);
  expect(await row("attempt", good)).toMatchObject({ output: clean.answer?.text });
});

test("so are a verdict's findings and output", async () => {
  const id = await driveTo(db.pool, "validating");
  const judged = await transitionBy(db.pool, id, judge("fail"));
  if (judged.verdict === undefined) throw new Error("no verdict");
  const findings = [{ path: BAD, code: "x", message: BAD }];
  expect(
    await openCommit(db.pool, PLAIN)({ ...judged, verdict: { ...judged.verdict, findings, output: { [BAD]: BAD } } }),
  ).toBe(true);
  expect(await row("verdict", id)).toMatchObject({
    findings: [{ path: STORED, code: "x", message: STORED }],
    output: { [STORED]: STORED },
  });
});

test("so is the usage of a late answer", async () => {
  const id = await driveTo(db.pool, "attempting");
  const job = await take(db.pool, id, happens("woke"), claim());
  const { rows } = await db.pool.query<{ id: `att_${string}` }>(
    "SELECT id FROM attempt WHERE job_id = $1 AND number = 1",
    [id],
  );
  const late = { jobId: job.id, attemptId: rows[0]?.id ?? "att_none", provider: "anthropic", model: "small" };
  const told = { cost: nanos(1n), currency: "USD", usage: { note: BAD }, inputTokens: 1, outputTokens: 1 } as const;
  expect(await bookLateCost(db.pool, { ...late, ...told })).toBe(true);
  expect(await row("attempt", id)).toMatchObject({ usage: { note: STORED } });
});

test("whatever JSON there is, Postgres takes what is made of it, and gives it back", async () => {
  const units = ["\0", "\ud800", "\udfff", "u0000", "ud800", "a", "👍"];
  // No backslash in a key: V8's JSON.parse then sometimes takes the next object's escaped key for it (seen in Node 24).
  const key = fc.string({ unit: fc.constantFrom(...units) });
  const text = fc.string({ unit: fc.constantFrom(...units, "\\") });
  const any = fc.object({ key, values: [text, fc.boolean(), fc.integer(), fc.constant(null)] });
  await fc.assert(
    fc.asyncProperty(any, async (json) => {
      const stored = storableJsonText(json as never);
      expect(JSON.parse(stored)).toEqual(storableJson(json as never));
      const { rows } = await db.pool.query<{ kept: unknown }>("SELECT $1::jsonb AS kept", [stored]);
      expect(rows[0]?.kept).toEqual(JSON.parse(stored));
    }),
    { numRuns: 100 },
  );
});

test("text that can be kept stays as it is, even if it reads like an escape", () => {
  for (const text of ["", "plain", "\\u0000", "\\ud800", "tab\t", "👍", "\u2028"]) {
    expect(storableText(text)).toBe(text);
    expect(JSON.parse(storableJsonText([text]))).toEqual([text]);
  }
});
