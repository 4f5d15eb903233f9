import { outcomeTypeSchema, type OutcomeTypeBody } from "@contingent/contracts/http/outcome-types";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { outcomeTypeVersions } from "@contingent/db/outcome-types";
import { nanos } from "@contingent/core/money";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, DEFINITION, JOB, startApi } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api[Symbol.asyncDispose]());

function put(name: string, body: unknown, client = api.operator): Promise<ApiAnswer> {
  return client.send({ method: "PUT", path: `/v1/outcome-types/${name}`, body });
}

async function published(name: string, body: unknown): Promise<OutcomeTypeBody> {
  const answer = await put(name, body);
  expect(answer.status).toBe(201);
  return outcomeTypeSchema.parse(answer.body);
}

describe("201", () => {
  test("a definition becomes version 1, exactly as it was sent", async () => {
    const answer = await put("first", DEFINITION);
    expect(answer.status).toBe(201);
    expect(answer.headers.get("location")).toBe("/v1/outcome-types/first/versions/1");
    const body = outcomeTypeSchema.parse(answer.body);
    expect(body).toMatchObject({ name: "first", version: 1 });
    expect(JSON.stringify(body.definition)).toBe(JSON.stringify(DEFINITION));
  });

  test("every change makes a new version, and the old one stays as it was", async () => {
    await published("changed", DEFINITION);
    const second = await published("changed", { ...DEFINITION, cost_cap: "0.09" });
    const third = await published("changed", DEFINITION);
    expect([second.version, third.version]).toEqual([2, 3]);
    const { body } = await api.operator.send({ path: "/v1/outcome-types/changed/versions/1" });
    expect(outcomeTypeSchema.parse(body).definition["cost_cap"]).toBe("0.08");
  });

  test("what workers read has the catalog's values in it", async () => {
    const { id } = await published("resolved", DEFINITION);
    const version = await outcomeTypeVersions(api.pool).get(id);
    expect(version).toMatchObject({ id, name: "resolved", version: 1, inputSchema: DEFINITION.input_schema });
    expect(version.terms).toMatchObject({ costCap: nanos(80_000_000n), deadlineMs: 120_000, partialAt: null });
    expect(version.terms.cascade[0].models[0]).toBe("claude-haiku-5-5");
  });

  test("a price by value is published with its pointer and its limits", async () => {
    const output_schema = { type: "object", properties: { total: { type: "number" } }, required: ["total"] };
    const price = { shape: "value", rate: 0.02, path: "/total", max: "5.00" };
    const { id } = await published("valued", { ...DEFINITION, output_schema, price });
    const { terms } = await outcomeTypeVersions(api.pool).get(id);
    expect(terms.price).toEqual({ shape: "value", rate: 0.02, path: "/total", min: 0n, max: 5_000_000_000n });
  });

  test("the next job is of the new version; one accepted before keeps its own", async () => {
    await published("next", DEFINITION);
    const before = await api.customer.submit({ ...JOB, outcome_type: "next" });
    await published("next", { ...DEFINITION, price: { shape: "binary", amount: "0.05" } });
    const after = await api.customer.submit({ ...JOB, outcome_type: "next" });
    expect([before.outcome_type_version, after.outcome_type_version]).toEqual([1, 2]);
    expect((await api.customer.job(before.id)).outcome_type_version).toBe(1);
  });

  test("publishing at once from many sides makes one version of each definition, without gaps", async () => {
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => put("raced", { ...DEFINITION, description: `version ${i % 3}` })),
    );
    const versions = answers.map(({ body }) => outcomeTypeSchema.parse(body));
    const numbers = [...new Set(versions.map(({ version }) => version))];
    expect(numbers.length).toBeGreaterThanOrEqual(3);
    expect(Math.max(...numbers)).toBe(numbers.length);
  });
});

describe("200", () => {
  test("the same definition again makes no new version", async () => {
    const first = await published("same", DEFINITION);
    const again = await put("same", DEFINITION);
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first);
  });

  test("nor does the same one with its fields in another order", async () => {
    await published("reordered", DEFINITION);
    const reordered = Object.fromEntries(Object.entries(DEFINITION).toReversed());
    expect((await put("reordered", reordered)).status).toBe(200);
  });
});

describe("400", () => {
  test("all mistakes are named with their places, and nothing is published", async () => {
    const answer = await put("wrong", {
      ...DEFINITION,
      cascade: [{ tier: "turbo" }],
      validator: { use: "vibes", options: {} },
      cost_cap: "0",
      deadline_ms: "soon",
    });
    const { problems } = expectError(answer, "invalid_outcome_type");
    expect(new Set(problems?.map(({ param }) => param))).toEqual(
      new Set(["/cascade/0/tier", "/validator/use", "/cost_cap", "/deadline_ms"]),
    );
    expectError(await api.operator.send({ path: "/v1/outcome-types/wrong" }), "outcome_type_not_found");
  });

  test("a price by value of a number that the output schema does not have, and a linear floor above its ceiling", async () => {
    const valued = { ...DEFINITION, price: { shape: "value", rate: 0.02, path: "/nowhere", max: "5.00" } };
    expect(expectError(await put("nowhere", valued), "invalid_outcome_type").problems?.map((p) => p.param)).toEqual([
      "/price/path",
    ]);
    const linear = { ...DEFINITION, price: { shape: "linear", amount: "1", floor: "0.9", ceiling: "0.5" } };
    expect(expectError(await put("upside-down", linear), "invalid_outcome_type").problems).toEqual([
      { param: "/price/floor", message: "must not be above 0.50, the ceiling" },
    ]);
    expectError(await api.operator.send({ path: "/v1/outcome-types/nowhere" }), "outcome_type_not_found");
  });

  test.each(["Upper", "with_underscore", "1st", "x".repeat(64)])("the name %s", async (name) => {
    expectError(await put(name, DEFINITION), "invalid_field", "name");
  });

  test("a list", async () => {
    expectError(await put("list", []), "invalid_outcome_type", "");
  });

  test("malformed JSON", async () => {
    expectError(await put("malformed", "{"), "malformed_json");
  });
});

test("403: customers do not decide what is sold", async () => {
  expectError(await put("mine", DEFINITION, api.customer), "wrong_scope");
});
