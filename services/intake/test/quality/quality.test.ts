import { qualityAlertSchema } from "@contingent/contracts/http/quality";
import { statementSchema } from "@contingent/contracts/http/statements";
import { periodAt, statementIdOf } from "@contingent/core/statement/period";
import { createHash } from "node:crypto";
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { latestVersionId } from "@contingent/db/outcome-types-published";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { drawAll } from "@contingent/testkit/audits";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApi } from "../harness.ts";
import { moveTo } from "../months.ts";
import { AUDITED, charged, decided, found, openAudits, quality, times } from "./audited.ts";

const TYPE = "measured";

let api: Api;
beforeAll(async () => {
  api = await startApi();
  await api.operator.publish(TYPE, { ...AUDITED, audit: { rate: 1 }, false_bill_rate_max: 0.25 });
});
afterAll(() => api[Symbol.asyncDispose]());

test("of an outcome type that nobody has looked at nothing is claimed", async () => {
  await api.operator.publish("new", AUDITED);
  expect(await quality(api, "new")).toEqual({
    object: "outcome_type_quality",
    outcome_type: "new",
    over_all: NOTHING,
    versions: [{ version: 1, success_at: GIVEN, audit_rate: 1, ...NOTHING }],
  });
});

const GIVEN = {
  score: 0.5,
  by_tier: [
    { tier: "fast", score: 0.5 },
    { tier: "standard", score: 0.5 },
  ],
  calibrated_by: null,
};

const NOTHING = {
  labels: { total: 0, acceptance: 0, dispute: 0, operator: 0, audit: 0 },
  calibration: {
    ...{ status: "insufficient_data", reason: "too_few_labels", basis: [] },
    ...{ curve: [], bins: [], of_score: null, of_calibrated: null },
  },
  precision: null,
  audits: { undecided: 0, open: 0, overdue: 0 },
  false_bills: { rate: null, low: null, high: null, maximum: null, state: null },
};

/** 45 audits: of those with a score of 0.9 nine in ten right, of those with 0.6 one in three. */
async function audits(): Promise<void> {
  await found(api, TYPE, [
    ...times(27, { score: 0.9, result: "correct" as const }),
    ...times(3, { score: 0.9, result: "incorrect" as const }),
    ...times(5, { score: 0.6, result: "correct" as const }),
    ...times(10, { score: 0.6, result: "incorrect" as const }),
  ]);
}

describe("a threshold that is asked for as a probability", () => {
  const put = (success_at: unknown, more: object = {}, name = TYPE): Promise<ApiAnswer> =>
    api.operator.send({
      method: "PUT",
      path: `/v1/outcome-types/${name}`,
      body: { ...AUDITED, success_at, ...more },
    });

  test("is refused while too few outcomes are labelled, and says how many are", async () => {
    await found(api, TYPE, [{ score: 0.9, result: "undecided" }]);
    const before = await latestVersionId(api.pool, TYPE);
    expect(
      expectError(await put({ probability: 0.9 }), "insufficient_data", "/success_at/probability").message,
    ).toMatch(/Version 1 has the same validator and output schema, and 0 labelled outcomes; 30 are needed/);
    const elsewhere = expectError(await put({ probability: 0.9 }, {}, "unheard-of"), "insufficient_data");
    expect(elsewhere.message).toMatch(/^There are 0 labelled outcomes/);
    expect(await latestVersionId(api.pool, TYPE)).toBe(before);
  });

  test.each([
    [{ probability: 1 }, "/success_at"],
    [{ probability: 0 }, "/success_at"],
    ["0.9", "/success_at"],
    [{ probability: 0.9, score: 1 }, "/success_at"],
    [1.5, "/success_at"],
  ])("is none as %j", async (successAt, param) => {
    const { problems } = expectError(await put(successAt), "invalid_outcome_type");
    expect(problems?.map((problem) => problem.param)).toEqual([param]);
  });

  test("becomes the score that reaches it, for as long as there is that version", async () => {
    await audits();
    const answer = await put({ probability: 0.9 });
    expect(answer).toMatchObject({ status: 201, body: { definition: { success_at: { probability: 0.9 } } } });
    const versions = outcomeTypeVersions(api.pool);
    const id = (answer.body as { readonly id: `otv_${string}` }).id;
    expect((await versions.get(id)).terms.successAt).toBe(0.9);
    const calibrated_by = { version: 1, labels: 45 };
    expect((await quality(api, TYPE)).versions[0]).toMatchObject({
      version: 2,
      success_at: { score: 0.9, calibrated_by },
    });
    // Said again it is the same version, as long as nobody has looked at anything since.
    expect((await put({ probability: 0.9 })).status).toBe(200);
  });

  test("is looked up among versions that judge in the same way, whatever else they say", async () => {
    expect((await put({ probability: 0.3 }, { description: "Other words", attempts_max: 1 })).status).toBe(201);
    const other = await put({ probability: 0.3 }, { validator: { all: [AUDITED.validator] } });
    expect(expectError(other, "insufficient_data").message).toMatch(/no version of this outcome type has the same/);
  });

  test("may rise with the tiers, each looked up in the same calibration", async () => {
    const cascade = [{ tier: "fast" }, { tier: "standard", success_at: { probability: 0.9 } }];
    expect((await put({ probability: 0.3 }, { cascade })).status).toBe(201);
    expect((await quality(api, TYPE)).versions[0]?.success_at.by_tier).toEqual([
      { tier: "fast", score: 0.6 },
      { tier: "standard", score: 0.9 },
    ]);
    const { problems } = expectError(
      await put(0.5, { cascade: [{ tier: "fast", success_at: { probability: 0.95 } }] }),
      "invalid_outcome_type",
    );
    expect(problems?.map(({ param }) => param)).toEqual(["/cascade/0/success_at/probability"]);
  });

  test("is refused where no score is that good, with the best that there is", async () => {
    const { problems } = expectError(await put({ probability: 0.95 }), "invalid_outcome_type");
    expect(problems?.map(({ param }) => param)).toEqual(["/success_at/probability"]);
    expect(problems?.[0]?.message).toMatch(/the most is 0.9, from a score of 0.9 on/);
  });
});

test("the figures of a version: what its scores are worth, and what share of its bills is right", async () => {
  await charged(api, TYPE);
  await drawAll(api.pool);
  const { versions } = await quality(api, TYPE, "?version=1");
  expect(versions).toEqual([
    {
      version: 1,
      success_at: GIVEN,
      audit_rate: 1,
      labels: { total: 45, acceptance: 0, dispute: 0, operator: 0, audit: 45 },
      calibration: {
        status: "calibrated",
        reason: null,
        basis: ["audit"],
        curve: [
          { from_score: 0.6, to_score: 0.6, probability: 0.333333, labels: 15 },
          { from_score: 0.9, to_score: 0.9, probability: 0.9, labels: 30 },
        ],
        bins: [
          { mean_score: 0.6, share_correct: 0.333333, labels: 15 },
          { mean_score: 0.9, share_correct: 0.9, labels: 30 },
        ],
        // A third of the labels is off by 0.267.
        of_score: { ece: 0.088889, brier: 0.157778 },
        // Of so few labels the folds differ: what one has not seen it expects too much or too little of.
        of_calibrated: { ece: 0.066667, brier: 0.136574 },
      },
      precision: {
        basis: "random_audits",
        audited: 45,
        correct: 32,
        point: 0.711111,
        low: 0.556855,
        high: 0.836337,
      },
      audits: { undecided: 1, open: 0, overdue: 0 },
      false_bills: {
        rate: 0.288889,
        low: 0.163663,
        high: 0.443145,
        maximum: 0.25,
        state: "suspected",
      },
    },
  ]);
  const { over_all: overAll } = await quality(api, TYPE);
  expect(overAll).toMatchObject({ labels: { total: 45 }, precision: { audited: 45 }, audits: { open: 1 } });
  expect(overAll.false_bills.state).toBeNull();
});

test("more false bills than may be are an alert, which is listed, logged and cleared", async () => {
  const list = async (query: string): Promise<unknown> => {
    const { body } = await api.operator.send({ path: `/v1/quality-alerts${query}` });
    return (body as { readonly data: readonly unknown[] }).data;
  };
  const [alert] = (await list("?state=standing")) as readonly unknown[];
  expect(qualityAlertSchema.parse(alert)).toMatchObject({
    type: "false_bill_rate_exceeded",
    outcome_type: TYPE,
    outcome_type_version: 1,
    maximum: 0.25,
    cleared_at: null,
  });
  expect(await list("?state=cleared")).toEqual([]);
  expect(await list("?outcome_type=new")).toEqual([]);
  const logged = api.log.filter((line) => line.includes("the false-bill rate is above its maximum"));
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain(qualityAlertSchema.parse(alert).id);
});

test("the page shows it as pictures, permits its own style and nothing else, and names no one else's words as ours", async () => {
  const { status, body, headers } = await api.operator.send({
    path: `/v1/outcome-types/${TYPE}/quality/html?version=1`,
  });
  expect(status).toBe(200);
  const html = String(body);
  const hash = createHash("sha256")
    .update(/<style>([^]*?)<\/style>/.exec(html)?.[1] ?? "")
    .digest("base64");
  expect(headers.get("content-security-policy")).toContain(`style-src 'sha256-${hash}'`);
  expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
  // One of intervals, and a diagram of all versions and of this one.
  expect(html.match(/<svg /g)).toHaveLength(3);
  expect(html).toContain("<title>30 with a score of about 0.90: 90 % right</title>");
  expect(html).toContain("71.1 % (55.7–83.6 %)");
  expect(html).toMatch(/Version 1:<\/span> 28.9 % of the audited bills were wrong. At most 25 % may be/);
  expect(html).not.toMatch(/<script|<img|style="|NaN|undefined/);
  const { body: ofNew } = await api.operator.send({ path: "/v1/outcome-types/new/quality/html" });
  expect(ofNew).toContain("Fewer than 30 outcomes have been labelled");
  expect(ofNew).toContain("not audited");
});

test("precision stands on the statement: as it is, and for ever as it was when it was closed", async () => {
  const path = `/v1/statements/${statementIdOf(api.customerId, periodAt(Date.now()))}`;
  const precision = async (): Promise<unknown> => {
    const { outcome_types: types } = statementSchema.parse(await api.customer.call({ path }));
    return types.find(({ outcome_type }) => outcome_type === TYPE)?.precision;
  };
  const measured = { basis: "random_audits", audited: 45, correct: 32, point: 0.711111, low: 0.556855, high: 0.836337 };
  expect(await precision()).toEqual(measured);
  const [last] = await openAudits(api, TYPE);
  await moveTo(api, 0);
  await api.operator.call({ method: "POST", path: `${path}/close` });
  await decided(api, last?.id ?? "", "correct");
  expect((await quality(api, TYPE)).over_all.precision).toMatchObject({ audited: 46, correct: 33 });
  expect(await precision()).toEqual(measured);
  const { body } = await api.customer.send({ path: `${path}/html` });
  expect(body).toContain(
    "Of measured, 45 billed outcomes of all customers had been audited at random when this statement was closed, and 32 were right: 71.1 %, with 95 % confidence 55.7 % to 83.6 %.",
  );
});

test("404 for what there is not", async () => {
  expectError(await api.operator.send({ path: "/v1/outcome-types/none/quality" }), "outcome_type_not_found", "name");
  const path = `/v1/outcome-types/${TYPE}/quality/html?version=99`;
  expectError(await api.operator.send({ path }), "outcome_type_not_found", "version");
});
