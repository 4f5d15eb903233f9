import {
  operatorReverificationSchema,
  receiptSchema,
  type ReverificationBody,
  reverificationSchema,
} from "@contingent/contracts/http/receipts";
import type { JobId } from "@contingent/core/ids";
import { nanos } from "@contingent/core/money";
import { transaction } from "@contingent/db/pool";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { CheckedClient } from "../checked-client.ts";
import { type Api, DEFINITION, startApiWithType, TYPE } from "../harness.ts";
import { type JudgedJob, judgedJob, judgeNext } from "./judged-job.ts";

const GOOD: JudgedJob = {
  outcomeType: TYPE,
  input: { document: "Invoice 1" },
  text: ' {"total":"1.00", "note": "kept"}\n',
};

/** One that a person finds half good. */
const REVIEWED: JudgedJob = {
  ...GOOD,
  outcomeType: "reviewed",
  said: { leaf: "/all/1", result: { score: 0.5, findings: [{ path: "/total", code: "odd", message: "It is odd." }] } },
};

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
  const options = { instructions: "Look.", sla_ms: 60_000, on_silence: "fail", score: true };
  const validator = { all: [DEFINITION.validator, { use: "human", options }] };
  await api.operator.publish("reviewed", { ...DEFINITION, validator });
});
afterAll(() => api[Symbol.asyncDispose]());

async function reverified(id: JobId, client: CheckedClient = api.customer): Promise<ReverificationBody> {
  const { status, body } = await client.send({ method: "POST", path: `/v1/jobs/${id}/reverify` });
  expect(status).toBe(200);
  return reverificationSchema.parse(body);
}

/** Changes what the database would not let anybody change. */
async function tamper(text: string, ...values: readonly string[]): Promise<void> {
  await transaction(api.pool, async (client) => {
    await client.query({ text: "SET LOCAL session_replication_role = replica" });
    const { rowCount } = await client.query({ text, values: [...values] });
    expect(rowCount).toBe(1);
  });
}

describe("the verdict stands", () => {
  test("while the evidence is what it was", async () => {
    const id = await judgedJob(api, GOOD);
    const found = await reverified(id);
    expect(found).toMatchObject({
      job: id,
      verdict: { decision: "pass", score: 1 },
      stands: true,
      because: "same_result",
      recomputed: { decision: "pass", score: 1, findings: [], validators: ["json_schema@1"] },
      changed_validators: [],
      evidence_hash: { matches: true },
    });
    expect(found.evidence_hash.recomputed).toBe(found.evidence_hash.stored);
    expect(await reverified(id, api.operator)).toEqual(found);
  });

  test("leaf by leaf, for the operator", async () => {
    const id = await judgedJob(api, REVIEWED);
    const { body } = await api.operator.send({ method: "POST", path: `/v1/jobs/${id}/reverify` });
    expect(operatorReverificationSchema.parse(body)).toEqual({
      ...(await reverified(id)),
      leaves: [
        { leaf: "/all/0", was: 1, is: 1 },
        { leaf: "/all/1", was: 0.5, is: 0.5 },
      ],
    });
    const { body: shown } = await api.customer.send({ method: "POST", path: `/v1/jobs/${id}/reverify` });
    expect(shown).not.toHaveProperty("leaves");
    // A verdict from before leaves were recorded has none to hold those of today against.
    await tamper("UPDATE verdict SET leaves = NULL WHERE job_id = $1", id);
    const { body: old } = await api.operator.send({ method: "POST", path: `/v1/jobs/${id}/reverify` });
    expect(operatorReverificationSchema.parse(old).leaves).toEqual([
      { leaf: "/all/0", was: null, is: 1 },
      { leaf: "/all/1", was: null, is: 0.5 },
    ]);
  });

  test("also one that went against the answer, with its findings", async () => {
    const found = await reverified(await judgedJob(api, { ...GOOD, text: "{}" }));
    expect(found).toMatchObject({ verdict: { decision: "fail" }, stands: true, recomputed: { decision: "fail" } });
    expect(found.recomputed?.findings).not.toEqual([]);
  });

  test("also one on an answer that was no JSON at all", async () => {
    const found = await reverified(await judgedJob(api, { ...GOOD, text: "I cannot." }));
    expect(found).toMatchObject({ stands: true, recomputed: { validators: ["output@1"] }, changed_validators: [] });
  });

  test("although the outcome type has a new version by now, which would decide otherwise", async () => {
    const outcomeType = "changing";
    await api.operator.publish(outcomeType, DEFINITION);
    const id = await judgedJob(api, { ...GOOD, outcomeType });
    const output_schema = { type: "object", required: ["something", "else"] };
    await api.operator.publish(outcomeType, { ...DEFINITION, output_schema });
    expect(await reverified(id)).toMatchObject({ stands: true, because: "same_result" });
  });

  test("by the threshold of the step that the answer was made on", async () => {
    const outcomeType = "rising";
    await api.operator.publish(outcomeType, {
      ...DEFINITION,
      output_schema: {},
      validator: { use: "fields_complete", options: { entities: "", required: ["a", "b", "c", "d"] } },
      success_at: 0.7,
      cascade: [
        { tier: "fast", attempts_max: 1 },
        { tier: "standard", attempts_max: 1, success_at: 0.9 },
      ],
    });
    const id = await judgedJob(api, { ...GOOD, outcomeType, text: '{"a":1,"b":1}' });
    await judgeNext(api, id, { text: '{"a":1,"b":1,"c":1}' });
    expect(await api.customer.job(id)).toMatchObject({ resolution: "failure", reason: "exhausted", attempts: 2 });
    expect(await reverified(id)).toMatchObject({
      verdict: { decision: "fail", score: 0.75 },
      because: "same_result",
      recomputed: { decision: "fail", score: 0.75 },
    });
    const first = await judgedJob(api, { ...GOOD, outcomeType, text: '{"a":1,"b":1,"c":1}' });
    expect(await reverified(first)).toMatchObject({ verdict: { decision: "pass" }, because: "same_result" });
  });

  test("with what was said to its inquiries, which nobody is asked again", async () => {
    const id = await judgedJob(api, REVIEWED);
    expect(await reverified(id)).toMatchObject({
      verdict: { decision: "fail", score: 0.5 },
      because: "same_result",
      recomputed: { score: 0.5, findings: [{ code: "odd" }], validators: ["json_schema@1", "human@1"] },
      evidence_hash: { matches: true },
    });
  });

  test("under newer validators too, when they come to the same", async () => {
    const id = await judgedJob(api, { ...GOOD, instead: { validators: ["json_schema@0"] } });
    expect(await reverified(id)).toMatchObject({
      stands: true,
      because: "same_result",
      changed_validators: [{ was: "json_schema@0", is: "json_schema@1" }],
      evidence_hash: { matches: true },
    });
  });
});

describe("the verdict does not stand", () => {
  test("when the stored answer is not the one that was judged, even if that one would pass as well", async () => {
    const id = await judgedJob(api, GOOD);
    await tamper("UPDATE attempt SET output = $2 WHERE job_id = $1", id, '{"total":"9999.00"}');
    expect(await reverified(id)).toMatchObject({
      stands: false,
      because: "evidence_changed",
      recomputed: { decision: "pass" },
      evidence_hash: { matches: false },
    });
  });

  test("when the stored answer is gone", async () => {
    const id = await judgedJob(api, GOOD);
    await tamper("UPDATE attempt SET output = NULL WHERE job_id = $1", id);
    expect(await reverified(id)).toMatchObject({ stands: false, because: "evidence_changed" });
  });

  test("when the stored input is not the one that it was judged against", async () => {
    const id = await judgedJob(api, GOOD);
    await tamper("UPDATE job_input SET input = $2 WHERE job_id = $1", id, '{"document":"Invoice 2"}');
    expect(await reverified(id)).toMatchObject({ stands: false, because: "evidence_changed" });
  });

  test("when what was said to its inquiries is not what is on record", async () => {
    const id = await judgedJob(api, REVIEWED);
    await tamper("UPDATE inquiry SET score = 1, findings = '[]' WHERE job_id = $1", id);
    expect(await reverified(id)).toMatchObject({
      stands: false,
      because: "evidence_changed",
      recomputed: { decision: "pass" },
    });
  });

  test.each([
    ["decision", { decision: "pass", score: 1 }],
    ["score", { score: 0.25 }],
  ] as const)("when its %s is not what the same validators say of the same evidence", async (_, instead) => {
    const id = await judgedJob(api, { ...GOOD, text: "{}", instead });
    expect(await reverified(id)).toMatchObject({
      verdict: instead,
      stands: false,
      because: "other_result",
      recomputed: { decision: "fail", score: 0 },
      evidence_hash: { matches: true },
    });
  });
});

describe("a price by value", () => {
  const priced: JudgedJob = { ...GOOD, outcomeType: "by-value", text: '{"total":"100.00"}' };
  beforeAll(async () => {
    await api.operator.publish("by-value", {
      ...DEFINITION,
      price: { shape: "value", path: "/total", rate: 0.02, min: "0.01", max: "5.00" },
    });
  });

  test("the verdict stands with the number that was charged by", async () => {
    const id = await judgedJob(api, priced);
    expect(await reverified(id)).toMatchObject({ stands: true, because: "same_result" });
    const { body } = await api.customer.send({ path: `/v1/jobs/${id}/receipt` });
    expect(receiptSchema.parse(body).payload).toMatchObject({
      amount: "2.00",
      verdict: { value: "100.00" },
      price: { shape: "value", terms: { path: "/total", rate: 0.02, min: "0.01", max: "5.00" } },
    });
  });

  test("and does not with another number", async () => {
    const id = await judgedJob(api, { ...priced, instead: { value: nanos(150_000_000_000n) } });
    expect(await reverified(id)).toMatchObject({ stands: false, because: "other_result" });
  });
});

describe("it cannot be said whether the verdict stands", () => {
  test.each([
    ["have another version now", "json_schema@0", "json_schema@1"],
    ["are no longer there", "json_shape@1", null],
  ])("when its validators %s, and those of today decide otherwise", async (_, was, is) => {
    const id = await judgedJob(api, {
      ...GOOD,
      text: "{}",
      instead: { decision: "pass", score: 1, validators: [was] },
    });
    expect(await reverified(id)).toMatchObject({
      stands: null,
      because: "validators_changed",
      changed_validators: [{ was, is }],
      evidence_hash: { matches: true },
    });
  });

  test("when the check cannot be made any more", async () => {
    const id = await judgedJob(api, GOOD);
    const gone = `UPDATE outcome_type_version t SET resolved = jsonb_set(resolved::jsonb, '{validator,use}', '"gone"')::json
                    FROM job j WHERE j.id = $1 AND t.id = j.outcome_type_version_id`;
    await tamper(gone, id);
    // A process that has not read the version before.
    await using process = await api.anotherProcess();
    expect(await reverified(id, api.customer.at(process.url))).toMatchObject({
      stands: null,
      because: "validators_broke",
      recomputed: null,
      evidence_hash: { matches: true },
    });
    await tamper(gone.replace('"gone"', '"json_schema"'), id);
  });
});

test("of several verdicts the one that was charged for is reached again, not the latest", async () => {
  await api.operator.publish("halves", {
    ...DEFINITION,
    partial_at: 0.5,
    price: { shape: "tiered", amount: "0.04", bands: [{ from_score: 0.5, fraction: 0.5 }] },
    attempts_max: 2,
  });
  const half = { decision: "partial", score: 0.6 } as const;
  const id = await judgedJob(api, { ...GOOD, outcomeType: "halves", instead: half });
  await judgeNext(api, id, { text: "{}" });
  expect(await api.customer.job(id)).toMatchObject({ resolution: "partial", attempts: 2, billable: true });
  expect((await reverified(id)).verdict).toMatchObject(half);
});

test("nothing is written", async () => {
  const id = await judgedJob(api, GOOD);
  const contents = async (): Promise<unknown> => {
    const tables = [
      "job",
      "job_event",
      "attempt",
      "verdict",
      "charge",
      "hold",
      "ledger_transaction",
      "posting",
      "receipt",
    ];
    const counts = tables.map(
      (table) => `SELECT '${table}' AS of, md5(string_agg(t::text, '' ORDER BY t::text)) FROM ${table} t`,
    );
    return (await api.pool.query(counts.join(" UNION ALL "))).rows;
  };
  const before = await contents();
  await reverified(id);
  expect(await contents()).toEqual(before);
});
