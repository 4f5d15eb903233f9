import { type TrialResultBody, trialResultSchema } from "@contingent/contracts/http/trials";
import { ValidatorError } from "@contingent/validators/validator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Api, DEFINITION, startApiWithType, TYPE } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

const INPUT = { document: "Invoice 1" };
const GOOD = { total: "1.00" };

async function tried(body: object, name = TYPE, client = api.operator): Promise<TrialResultBody> {
  const answer = await client.send({
    method: "POST",
    path: `/v1/outcome-types/${name}/try`,
    body: { input: INPUT, ...body },
  });
  expect(answer.status).toBe(200);
  return trialResultSchema.parse(answer.body);
}

/** As `tried`, by a definition that is nowhere published. */
async function triedAs(changes: object, output: unknown, tier?: string): Promise<TrialResultBody> {
  return await tried(
    { definition: { ...DEFINITION, ...changes }, output, ...(tier === undefined ? {} : { tier }) },
    "unpublished",
  );
}

describe("by the latest version", () => {
  test("a good answer passes at the list price", async () => {
    expect(await tried({ output: GOOD })).toMatchObject({
      outcome_type: TYPE,
      version: 1,
      tier: "fast",
      success_at: 0.9,
      partial_at: null,
      acceptance: "automatic",
      decision: "pass",
      verdict: {
        score: 1,
        findings: [],
        validators: ["json_schema@1"],
        leaves: [{ leaf: "", validator: "json_schema@1", score: 1 }],
        feedback: null,
        price: { amount: "0.04", currency: "USD" },
      },
      error: null,
      inquiries: [],
    });
  });

  test("a bad one fails for nothing, with the feedback that the next attempt would see", async () => {
    const { decision, verdict } = await tried({ output: { total: 1 } });
    expect(decision).toBe("fail");
    expect(verdict).toMatchObject({ score: 0, findings: [{ path: "/total", code: "schema_type" }], price: null });
    expect(verdict?.feedback).toMatch(/^A previous answer to this request was rejected.*\n- \/total \[schema_type\]: /);
  });

  test("a string is what the model wrote, JSON or not", async () => {
    expect((await tried({ output: '{"total":"1.00"}' })).decision).toBe("pass");
    const prose = await tried({ output: "The total is 1.00." });
    expect(prose).toMatchObject({
      decision: "fail",
      verdict: { validators: ["output@1"], findings: [{ code: "not_json" }] },
    });
  });
});

describe("by a definition that is not published", () => {
  test("of the whole tree, leaf by leaf, with what the answer says of itself", async () => {
    const half = { use: "fields_complete", options: { entities: "", required: ["total", "currency"] } };
    const found = await triedAs(
      {
        output_schema: { type: "object", properties: { total: {}, confidence: { type: "number" } } },
        features: { confidence: "/confidence" },
        validator: {
          weighted: [
            { weight: 3, of: { use: "json_schema", options: {} } },
            { weight: 1, of: half },
          ],
        },
        partial_at: 0.5,
        price: { shape: "linear", amount: "1.00" },
      },
      { total: "1.00", confidence: 0.4 },
    );
    expect(found).toMatchObject({
      version: null,
      partial_at: 0.5,
      decision: "partial",
      verdict: {
        score: 0.875,
        leaves: [
          { leaf: "/weighted/1/of", validator: "fields_complete@1", score: 0.5 },
          { leaf: "/weighted/0/of", validator: "json_schema@1", score: 1 },
        ],
        features: { confidence: 0.4 },
        price: { amount: "0.875" },
      },
    });
    expect(found.verdict?.feedback).toContain("- /currency [missing_field]");
  });

  test("under the threshold of the tier", async () => {
    const required = ["total", "a", "b", "c"];
    const changes = {
      output_schema: {},
      validator: { use: "fields_complete", options: { entities: "", required } },
      success_at: 0.7,
      cascade: [{ tier: "fast" }, { tier: "standard", success_at: 0.8 }],
    };
    const answer = { total: 1, a: 1, b: 1 };
    expect(await triedAs(changes, answer)).toMatchObject({ tier: "fast", success_at: 0.7, decision: "pass" });
    expect(await triedAs(changes, answer, "standard")).toMatchObject({ success_at: 0.8, decision: "fail" });
  });

  test("the customer's word comes later, and the price with it", async () => {
    const options = { mode: "window", duration_ms: 60_000, on_silence: "accept" };
    const validator = {
      all: [
        { use: "json_schema", options: {} },
        { use: "customer_acceptance", options },
      ],
    };
    expect(await triedAs({ validator }, GOOD)).toMatchObject({ acceptance: "window", decision: "pass" });
  });
});

describe("where somebody would be asked", () => {
  const review = (name: string, per_review: string): object => ({
    use: "human",
    options: {
      instructions: "Look.",
      sla_ms: 60_000,
      on_silence: "fail",
      cost: { provider: "reviewers", name, per_review },
    },
  });
  const changes = {
    validator: { all: [{ use: "json_schema", options: {} }, review("first", "0.01"), review("second", "0.005")] },
  };

  test("nobody is: the answer says who would be, for how much, and what they could make of it", async () => {
    expect(await triedAs(changes, GOOD)).toMatchObject({
      decision: null,
      verdict: null,
      inquiries: [
        { leaf: "/all/1", validator: "human@1", asks: "person", cost_max: { amount: "0.01", currency: "USD" } },
        { leaf: "/all/2", validator: "human@1", asks: "person", cost_max: { amount: "0.005" } },
      ],
      if_all_pass: { decision: "pass", score: 1, price: { amount: "0.04" } },
      if_all_fail: { decision: "fail", score: 0, price: null },
    });
  });

  test("nobody would be about an answer that has failed before", async () => {
    expect(await triedAs(changes, {})).toMatchObject({ decision: "fail", inquiries: [], if_all_pass: null });
  });
});

test("a validator that breaks is an error, and no verdict", async () => {
  const run = async (): Promise<never> => {
    throw new ValidatorError("the sandbox is away");
  };
  await using process = await api.anotherProcess({ run });
  expect(await tried({ output: GOOD }, TYPE, api.operator.at(process.url))).toMatchObject({
    decision: "error",
    verdict: null,
    error: "the sandbox is away",
  });
});

test("nothing is stored", async () => {
  const contents = async (): Promise<unknown> => {
    const { rows } = await api.pool.query<{ name: string }>(
      "SELECT relname AS name FROM pg_stat_user_tables WHERE schemaname = 'public' ORDER BY 1",
    );
    const counts = rows.map(({ name }) => `SELECT '${name}' AS name, count(*) FROM "${name}"`).join(" UNION ALL ");
    // Postgres may count several tables at once: the order is nobody's but ours.
    return (await api.pool.query(`${counts} ORDER BY name`)).rows;
  };
  const before = await contents();
  await tried({ output: GOOD });
  await triedAs({ description: "Never heard of." }, GOOD);
  expect(await contents()).toEqual(before);
});
