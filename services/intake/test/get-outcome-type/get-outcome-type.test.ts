import { outcomeTypePageSchema, outcomeTypeSchema } from "@contingent/contracts/http/outcome-types";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectError } from "../checked-client.ts";
import { type Api, DEFINITION, startApi } from "../harness.ts";

let api: Api;
beforeAll(async () => {
  api = await startApi();
  for (const name of ["b", "a", "c"]) await api.operator.publish(name, DEFINITION);
  for (const description of ["two", "three"]) await api.operator.publish("b", { ...DEFINITION, description });
});
afterAll(() => api[Symbol.asyncDispose]());

async function list(path: string): Promise<ReturnType<typeof outcomeTypePageSchema.parse>> {
  const answer = await api.operator.send({ path });
  expect(answer.status).toBe(200);
  return outcomeTypePageSchema.parse(answer.body);
}

describe("200", () => {
  test("the latest version by name, any version by number", async () => {
    const latest = await api.operator.send({ path: "/v1/outcome-types/b" });
    expect(outcomeTypeSchema.parse(latest.body)).toMatchObject({ version: 3, definition: { description: "three" } });
    const first = await api.operator.send({ path: "/v1/outcome-types/b/versions/1" });
    expect(outcomeTypeSchema.parse(first.body)).toMatchObject({ version: 1, definition: DEFINITION });
  });

  test("the list has every name once, in its latest version", async () => {
    const page = await list("/v1/outcome-types");
    expect(page.data.map(({ name, version }) => [name, version])).toEqual([
      ["a", 1],
      ["b", 3],
      ["c", 1],
    ]);
  });

  test("the list of versions begins with the newest one", async () => {
    expect((await list("/v1/outcome-types/b/versions")).data.map(({ version }) => version)).toEqual([3, 2, 1]);
  });

  test.each([
    ["/v1/outcome-types", ["a", "b", "c"]],
    ["/v1/outcome-types/b/versions", [3, 2, 1]],
  ])("%s comes in pages", async (path, expected) => {
    const first = await list(`${path}?limit=2`);
    const second = await list(`${path}?limit=2&cursor=${first.next_cursor}`);
    const shown = [...first.data, ...second.data].map(({ name, version }) =>
      path.endsWith("versions") ? version : name,
    );
    expect(shown).toEqual(expected);
    expect(second.has_more).toBe(false);
  });
});

test.each(["/v1/outcome-types/none", "/v1/outcome-types/b/versions/4", "/v1/outcome-types/none/versions"])(
  "404: %s",
  async (path) => {
    expectError(await api.operator.send({ path }), "outcome_type_not_found");
  },
);

test.each([
  "/v1/outcome-types/b/versions/0",
  "/v1/outcome-types/b/versions/x",
  "/v1/outcome-types/b/versions?cursor=x",
])("400: %s", async (path) => {
  expectError(await api.operator.send({ path }), "invalid_field");
});
