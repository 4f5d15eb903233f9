import { afterAll, beforeAll, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, DEFINITION, startApiWithType, TYPE } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApiWithType();
});
afterAll(() => api[Symbol.asyncDispose]());

const GOOD = { input: { document: "Invoice 1" }, output: { total: "1.00" } };

function attempt(body: unknown, name = TYPE): ReturnType<typeof api.operator.send> {
  return api.operator.send({ method: "POST", path: `/v1/outcome-types/${name}/try`, body });
}

test("400: a definition that would not work is refused as for publishing, with places in this body", async () => {
  const definition = { ...DEFINITION, validator: { all: [{ use: "vibes", options: {} }] }, success_at: 2 };
  const { problems } = expectError(await attempt({ ...GOOD, definition }), "invalid_outcome_type");
  expect(new Set(problems?.map(({ param }) => param))).toEqual(
    new Set(["/definition/success_at", "/definition/validator/all/0/use"]),
  );
});

test("400: a threshold as a probability without enough labels", async () => {
  const definition = { ...DEFINITION, success_at: { probability: 0.9 } };
  expectError(await attempt({ ...GOOD, definition }, "new"), "insufficient_data", "/definition/success_at/probability");
});

test("400: an input that no job could have", async () => {
  expectError(await attempt({ ...GOOD, input: {} }), "invalid_input", "/input");
});

test("400: a tier that is not in the cascade", async () => {
  expect(expectError(await attempt({ ...GOOD, tier: "premium" }), "invalid_field", "/tier").message).toContain(
    "it has fast, standard",
  );
});

test.each<[string, unknown, "missing_field" | "unknown_field" | "invalid_field", string]>([
  ["no output", { input: {} }, "missing_field", "/output"],
  ["no input", { output: {} }, "missing_field", "/input"],
  ["a field that is not known", { ...GOOD, outptu: 1 }, "unknown_field", "/outptu"],
  ["a definition that is no object", { ...GOOD, definition: [] }, "invalid_field", "/definition"],
])("400: %s", async (_, body, code, param) => {
  expectError(await attempt(body), code, param);
});

test("404: an outcome type that there is not, and no definition to try instead", async () => {
  expectError(await attempt(GOOD, "nowhere"), "outcome_type_not_found", "name");
});
