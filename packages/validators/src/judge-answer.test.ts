import { nanos, ZERO } from "@contingent/core/money";
import type { ValidatorNode } from "@contingent/core/outcome-type";
import { describe, expect, test } from "vitest";
import { FAST, STANDARD, termsWith } from "@contingent/core/job/job.fixture";
import { verdictOf } from "./evaluate.ts";
import {
  asItIsNow,
  changedSince,
  type Evidence,
  evidenceHash,
  judgeAnswer as judge,
  type JudgedAnswer,
} from "./judge-answer.ts";
import type { RecordedReply } from "./replies.ts";
import { type RunCheck, runHere } from "./validator.ts";

const evidence: Evidence = {
  version: {
    id: "otv_1",
    validator: { use: "json_schema", options: {} },
    outputSchema: { type: "object", required: ["total"] },
    features: {},
    terms: termsWith({ successAt: 0.9 }),
  },
  step: 0,
  input: { document: "Invoice 1" },
  text: ' {"total": "1.00"}\n',
};

/** The verdict on an answer about which nobody is asked. */
async function judgeAnswer(about: Evidence, run: RunCheck): Promise<JudgedAnswer> {
  return verdictOf(await judge(about, run));
}

describe("judgeAnswer", () => {
  test("an answer that passes is a pass, with what was read", async () => {
    expect(await judgeAnswer(evidence, runHere)).toEqual({
      decision: "pass",
      score: 1,
      findings: [],
      validators: ["json_schema@1"],
      leaves: [{ leaf: "", validator: "json_schema@1", score: 1, durationMs: expect.any(Number) as number }],
      output: { total: "1.00" },
      value: null,
      features: {},
    });
  });

  test("what is too large to be checked without holding others up is checked in the sandbox, to the same verdict", async () => {
    const validator = { use: "length", options: { fields: ["/text"], max: 10 } };
    const about = { ...evidence, version: { ...evidence.version, validator } };
    const ran: string[] = [];
    const run: RunCheck = (check, subject, options) => {
      ran.push(check.name);
      return runHere(check, subject, options);
    };
    const inline = await judgeAnswer({ ...about, text: JSON.stringify({ text: "x".repeat(60_000) }) }, run);
    expect(ran).toEqual([]);
    const large = { ...about, text: JSON.stringify({ text: "x".repeat(140_000) }) };
    expect((await judgeAnswer(large, run)).findings).toMatchObject([
      { code: "too_long", path: inline.findings[0]?.path },
    ]);
    await judgeAnswer({ ...about, input: "x".repeat(140_000), text: '{"text": ""}' }, run);
    expect(ran).toEqual(["length", "length"]);
  });

  test("the number that the price depends on is read when the verdict is reached", async () => {
    const price = { shape: "value", rate: 0.02, path: "/total", min: ZERO, max: nanos(1n) } as const;
    const priced = { ...evidence, version: { ...evidence.version, terms: termsWith({ price }) } };
    expect((await judgeAnswer(priced, runHere)).value).toBe(1_000_000_000n);
    expect((await judgeAnswer({ ...priced, text: "no JSON" }, runHere)).value).toBeNull();
  });

  test("an answer is held to the threshold of the step that it was made on", async () => {
    const terms = termsWith({ cascade: [FAST, { ...STANDARD, successAt: 0.95 }], successAt: 0.5, partialAt: 0.2 });
    const validator = { use: "fields_complete", options: { entities: "", required: ["a", "b"] } };
    const rising = { ...evidence, version: { ...evidence.version, validator, terms }, text: '{"a": 1}' };
    expect(await judgeAnswer(rising, runHere)).toMatchObject({ decision: "pass", score: 0.5 });
    expect(await judgeAnswer({ ...rising, step: 1 }, runHere)).toMatchObject({ decision: "partial", score: 0.5 });
  });

  test("what an answer says of itself is recorded, and decides nothing", async () => {
    const features = { confidence: "/confidence", of_total: "/certainty/0", said: "/total", gone: "/gone" };
    const told = { ...evidence, version: { ...evidence.version, features } };
    const say = async (confidence: string): Promise<JudgedAnswer> =>
      await judgeAnswer(
        { ...told, text: `{"total": "1.00", "confidence": ${confidence}, "certainty": [0.25]}` },
        runHere,
      );
    expect(await say("0.01")).toMatchObject({
      decision: "pass",
      score: 1,
      features: { confidence: 0.01, of_total: 0.25 },
    });
    expect(await say("0.99")).toMatchObject({
      decision: "pass",
      score: 1,
      features: { confidence: 0.99, of_total: 0.25 },
    });
    for (const none of ['"high"', "null", "[1]"]) expect((await say(none)).features).toEqual({ of_total: 0.25 });
  });

  test("text that is no JSON fails before any validator has a say", async () => {
    const judged = await judgeAnswer({ ...evidence, text: "Here you are: {}" }, runHere);
    expect(judged).toMatchObject({ decision: "fail", score: 0, validators: ["output@1"], output: null });
    expect(judged.findings.map(({ code }) => code)).toEqual(["not_json"]);
  });

  test("a validator that cannot check is no verdict: it throws", async () => {
    const validator: ValidatorNode = { use: "gone", options: {} };
    await expect(judgeAnswer({ ...evidence, version: { ...evidence.version, validator } }, runHere)).rejects.toThrow(
      "no validator",
    );
  });
});

describe("evidenceHash", () => {
  const stored = evidenceHash(evidence, ["json_schema@1"]);

  test("is the one that verdicts have carried from the first on", () => {
    expect(stored).toBe("5c95a920663e306098e4fd9234a9901017909af688a3d1894971d2ec474f4d52");
  });

  test.each<[string, Evidence, readonly string[]]>([
    ["another version", { ...evidence, version: { ...evidence.version, id: "otv_2" } }, ["json_schema@1"]],
    ["another input", { ...evidence, input: { document: "Invoice 2" } }, ["json_schema@1"]],
    ["another answer, even by a space", { ...evidence, text: evidence.text.trim() }, ["json_schema@1"]],
    ["other validators", evidence, ["json_schema@2"]],
    ["validators that only look the same when joined", evidence, ["json_", "schema@1"]],
  ])("%s has another hash", (_, changed, validators) => {
    expect(evidenceHash(changed, validators)).not.toBe(stored);
  });
});

describe("replies on record", () => {
  const human = { use: "human", options: { instructions: "Look.", sla_ms: 1_000, on_silence: "fail" } };
  const version = { ...evidence.version, validator: human };
  const reply = (score: number, message: string, kind: RecordedReply["kind"] = "leaf"): readonly RecordedReply[] => {
    const findings = [{ path: "/a", code: "odd", message }];
    const validator = kind === "leaf" ? "human@1" : "review@1";
    return [{ kind, leaf: "", validator, score, findings, durationMs: 5 }];
  };

  test("what nobody has said yet is asked for", async () => {
    const { kind } = await judge({ ...evidence, version }, runHere);
    expect(kind).toBe("inquire");
    await expect(judgeAnswer({ ...evidence, version }, runHere)).rejects.toThrow("no reply of human on record");
  });

  test("the same replies lead to the same verdict, and count as evidence", async () => {
    const replies = reply(0.5, "Odd.");
    const first = await judgeAnswer({ ...evidence, version, replies }, runHere);
    expect(first).toMatchObject({ decision: "partial", score: 0.5, validators: ["human@1"] });
    expect(await judgeAnswer({ ...evidence, version, replies: reply(0.5, "Odd.") }, runHere)).toEqual(first);
    const hashOf = (said: readonly RecordedReply[]): string =>
      evidenceHash({ ...evidence, replies: said }, ["human@1"]);
    expect(hashOf(reply(0.5, "Odd."))).toBe(hashOf(replies));
    const others = [reply(0.25, "Odd."), reply(0.5, "Other."), []].map(hashOf);
    expect(new Set([hashOf(replies), ...others]).size).toBe(4);
  });

  test("a person who decided because the validators kept breaking stands in the place of all of them", async () => {
    const broken = { ...evidence.version, validator: { use: "gone", options: {} } };
    const decided = { ...evidence, version: broken, replies: reply(0, "Wrong.", "validator_error") };
    expect(await judgeAnswer(decided, runHere)).toMatchObject({
      decision: "fail",
      score: 0,
      findings: [{ code: "odd" }],
      validators: ["review@1"],
      output: { total: "1.00" },
    });
    expect(changedSince(["review@1"])).toEqual([]);
  });
});

describe("validators of an old verdict", () => {
  test("those that are as they were have not changed", () => {
    expect(changedSince(["json_schema@1", "output@1"])).toEqual([]);
  });

  test("a new version and a removed one have", () => {
    expect(changedSince(["json_schema@0", "gone@1", "format@1"])).toEqual(["json_schema@0", "gone@1"]);
    expect(["json_schema@0", "gone@1"].map(asItIsNow)).toEqual(["json_schema@1", null]);
  });
});
