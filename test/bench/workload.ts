/** The one piece of work that every contender does: read a small invoice, answer with its fields, check the answer. */
import type { JsonSchema } from "@contingent/core/json";
import type { ValidatorNode } from "@contingent/core/outcome-type";

export const OUTCOME_TYPE = "bench-invoice";
export const MODEL = "claude-haiku-5-5";
export const OUTPUT_TOKENS_MAX = 512;

const SYSTEM = "Extract the invoice as JSON.";

export function document(key: string): string {
  return `Invoice ${key}\nSeller: Nordlys Supply\n2 x Valve 10.00 = 20.00\n1 x Gasket 5.50 = 5.50\nTotal 25.50 EUR`;
}

/** What the simulated model answers to every job. */
export const ANSWER = {
  seller: "Nordlys Supply",
  line_items: [
    { description: "Valve", amount: 20 },
    { description: "Gasket", amount: 5.5 },
  ],
  total: 25.5,
};

export const OUTPUT_SCHEMA: JsonSchema = {
  type: "object",
  additionalProperties: false,
  required: ["seller", "line_items", "total"],
  properties: {
    seller: { type: "string" },
    total: { type: "number" },
    line_items: {
      type: "array",
      items: {
        type: "object",
        additionalProperties: false,
        required: ["description", "amount"],
        properties: { description: { type: "string" }, amount: { type: "number" } },
      },
    },
  },
};

export const VALIDATOR: ValidatorNode = {
  all: [
    { use: "json_schema", options: {} },
    { use: "fields_complete", options: { entities: "", required: ["seller", "total"] } },
    { use: "arithmetic", options: { sums: [{ total: "/total", each: "/line_items", field: "amount" }] } },
  ],
};

export const THRESHOLDS = { successAt: 1, partialAt: null };

/** The same as an outcome type over the API. */
export const DEFINITION = {
  description: "The benchmark's invoice.",
  currency: "USD",
  prompt: { system: SYSTEM, user: "{{input.document}}" },
  input_schema: {
    type: "object",
    additionalProperties: false,
    required: ["document"],
    properties: { document: { type: "string" } },
  },
  output_schema: OUTPUT_SCHEMA,
  validator: VALIDATOR,
  success_at: 1,
  cascade: [{ tier: "fast", attempts_max: 2 }],
  attempts_max: 2,
  cost_cap: "0.05",
  deadline_ms: 300_000,
  output_tokens: { start: OUTPUT_TOKENS_MAX, min: 64, max: OUTPUT_TOKENS_MAX },
  price: { shape: "binary", amount: "0.01" },
  acceptance: { mode: "automatic" },
} as const;

/** The request that a worker makes for a job. */
export function modelRequest(key: string): {
  readonly model: string;
  readonly system: string;
  readonly user: string;
  readonly outputSchema: JsonSchema;
  readonly outputTokensMax: number;
} {
  const request = { model: MODEL, system: SYSTEM, user: document(key), outputSchema: OUTPUT_SCHEMA };
  return { ...request, outputTokensMax: OUTPUT_TOKENS_MAX };
}
