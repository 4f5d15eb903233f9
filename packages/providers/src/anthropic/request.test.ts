import type { JsonSchema } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { createParams, inputTokensAtMost } from "./request.ts";
import { requestOf } from "./server.fixture.ts";

const invoice: JsonSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  required: ["number", "lines"],
  additionalProperties: false,
  properties: {
    number: { type: ["string", "null"], pattern: "^RE-", description: "As printed." },
    total: { type: "number", minimum: 0 },
    lines: { type: "array", maxItems: 100, items: { type: "object", properties: { sku: { type: "string" } } } },
    buyer: { type: ["object", "null"], properties: { name: { type: "string" } }, description: "Who pays." },
  },
};

function schemaSent(outputSchema: JsonSchema): unknown {
  return createParams(requestOf({ outputSchema })).output_config?.format?.schema;
}

describe("the body of a call", () => {
  test("is streamed, at standard capacity, and asks for nothing that the models refuse", () => {
    expect(createParams(requestOf())).toEqual({
      model: "claude-haiku-5-5",
      system: "You extract data.",
      messages: [{ role: "user", content: requestOf().user }],
      max_tokens: 500,
      service_tier: "standard_only",
      stream: true,
    });
  });

  test("leaves an empty system prompt out, and mends text that is no Unicode", () => {
    const params = createParams(requestOf({ system: "", user: "half \ud83d pair" }));
    expect(params).not.toHaveProperty("system");
    expect(params.messages).toEqual([{ role: "user", content: "half \ufffd pair" }]);
  });
});

describe("the output schema", () => {
  test("is sent without what structured output refuses; limits become descriptions", () => {
    expect(schemaSent(invoice)).toEqual({
      type: "object",
      required: ["number", "lines"],
      additionalProperties: false,
      properties: {
        number: { type: ["string", "null"], description: 'As printed.\n\n{pattern: "^RE-"}' },
        total: { type: "number", description: "{minimum: 0}" },
        lines: {
          type: "array",
          description: "{maxItems: 100}",
          items: { type: "object", properties: { sku: { type: "string" } }, additionalProperties: false },
        },
        buyer: {
          anyOf: [
            { type: "object", properties: { name: { type: "string" } }, additionalProperties: false },
            { type: "null" },
          ],
          description: "Who pays.",
        },
      },
    });
  });

  test.each<[string, JsonSchema]>([
    ["a value of any type", { type: "object", properties: { expected: { description: "anything" } } }],
    ["names that are not listed", { type: "object", properties: { rates: { type: "object" } } }],
    ["a map", { type: "object", properties: {}, additionalProperties: { type: "number" } }],
    ["a map in a list", { type: "array", items: { type: "object", patternProperties: { "^x": { type: "string" } } } }],
    ["nothing at all", {}],
  ])("with %s cannot be enforced: it stands in the prompt instead", (_, outputSchema) => {
    const params = createParams(requestOf({ outputSchema }));
    expect(params.output_config).toBe(undefined);
    expect(params.system).toBe(
      "You extract data.\n\nAnswer with one JSON value and nothing before or after it. " +
        `It must conform to this JSON Schema:\n${JSON.stringify(outputSchema)}`,
    );
  });

  test("is never changed where it came from", () => {
    const before = JSON.stringify(invoice);
    expect(schemaSent(invoice)).toBe(schemaSent(invoice));
    expect(JSON.stringify(invoice)).toBe(before);
  });
});

describe("inputTokensAtMost", () => {
  test("counts every byte that is sent, and the overhead", () => {
    const request = requestOf({ system: "é", user: "日本", outputSchema: invoice });
    const schemaBytes = Buffer.byteLength(JSON.stringify(schemaSent(invoice)));
    expect(inputTokensAtMost(request)).toBe(2 + 6 + schemaBytes + 1_000);
  });

  test("counts a schema that stands in the prompt", () => {
    const without = inputTokensAtMost(requestOf());
    expect(inputTokensAtMost(requestOf({ outputSchema: { type: "object" } }))).toBeGreaterThan(without + 17);
  });

  test("is a bound also for a tokenizer that writes ligatures out first", () => {
    // U+FDFA is three bytes, and 33 once it is normalised.
    expect(inputTokensAtMost(requestOf({ system: "", user: "\ufdfa" }))).toBe(33 + 1_000);
  });

  test("does not depend on the output limit or the model", () => {
    const changed = requestOf({ outputTokensMax: 64_000, model: "claude-opus-5-5" });
    expect(inputTokensAtMost(changed)).toBe(inputTokensAtMost(requestOf()));
  });
});
