import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, startApiWithType, TYPE } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

const of = (name: string, version: string, query = ""): { path: string } => ({
  path: `/v1/outcome-types/${name}/versions/${version}/price-recommendation${query}`,
});

describe("400", () => {
  test.each([
    ["margin=1", "margin"],
    ["margin=-0.1", "margin"],
    ["margin=40%25", "margin"],
    ["margin=0.0000000001", "margin"],
    ["margin=", "margin"],
    ["margin=0.2&margin=0.3", "margin"],
    ["fee_share=1.0", "fee_share"],
    ["fee_share=x", "fee_share"],
    ["margin=0.5&fee_share=0.5", "margin"],
    ["fee_fixed=-0.01", "fee_fixed"],
    ["fee_fixed=1e3", "fee_fixed"],
    ["since=yesterday", "since"],
  ])("%s", async (query, param) => {
    expectError(await api.operator.send(of(TYPE, "1", `?${query}`)), "invalid_field", param);
  });

  test("a misspelt parameter is not silently left out", async () => {
    expectError(await api.operator.send(of(TYPE, "1", "?marge=0.4")), "unknown_field", "marge");
  });

  test("a version that is no number", async () => {
    expectError(await api.operator.send(of(TYPE, "latest")), "invalid_field", "version");
  });

  test("margin and fees that leave nothing for the costs are told apart from bad numbers", async () => {
    const { message } = expectError(
      await api.operator.send(of(TYPE, "1", "?margin=0.9&fee_share=0.2")),
      "invalid_field",
    );
    expect(message).toMatch(/less than 1 together/);
  });
});

test("403: a customer asks", async () => {
  expectError(await api.customer.send(of(TYPE, "1")), "wrong_scope");
});

test.each([
  [TYPE, "2"],
  ["unknown", "1"],
])("404: there is no %s in version %s", async (name, version) => {
  expectError(await api.operator.send(of(name, version)), "outcome_type_not_found", "version");
});
