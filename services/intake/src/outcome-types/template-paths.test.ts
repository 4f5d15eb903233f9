import type { JsonSchema } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { schemaKnows } from "./template-paths.ts";

const SCHEMA: JsonSchema = {
  type: "object",
  properties: {
    text: { type: "string" },
    party: { $ref: "#/$defs/party" },
    either: { anyOf: [{ type: "null" }, { type: "object", properties: { left: {} } }] },
    labels: { type: "object", additionalProperties: { type: "string" } },
    open: { type: "object", additionalProperties: true },
  },
  allOf: [{ properties: { extra: {} } }],
  $defs: { party: { type: "object", properties: { name: { type: "string" } } } },
};

describe("paths that inputs may have a value at", () => {
  test.each(["", "text", "party", "party.name", "either.left", "labels.anything", "extra"])("%s", (path) => {
    expect(schemaKnows(SCHEMA, path === "" ? [] : path.split("."))).toBe(true);
  });
});

describe("paths that the schema does not know", () => {
  test.each(["texts", "text.length", "party.names", "open.anything", "either.right", "constructor", "__proto__"])(
    "%s",
    (path) => {
      expect(schemaKnows(SCHEMA, path.split("."))).toBe(false);
    },
  );
});

test("a schema that refers to itself is no endless loop", () => {
  const schema: JsonSchema = { $ref: "#", properties: { a: { $ref: "#" } } };
  expect(schemaKnows(schema, ["a", "a", "a"])).toBe(true);
  expect(schemaKnows(schema, ["b"])).toBe(false);
});
