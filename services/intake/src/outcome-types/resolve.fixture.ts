/** A definition that would work, and what becomes of it with changes. Tests only. */
import { rates } from "@contingent/catalog/models";
import type { JsonObject } from "@contingent/core/json";
import type { Terms } from "@contingent/core/outcome-type";
import type { OutcomeTypeContent } from "@contingent/db/outcome-type-json";
import { catalogOf } from "./catalog.ts";
import { resolveDefinition } from "./resolve.ts";

export const AROUND = {
  catalog: catalogOf(rates()),
  nowMs: Date.UTC(2026, 10, 24),
  suspendedJudges: [],
  outgoing: { reach: { allowsLoopback: false }, secrets: new Map() },
};

export const GOOD: JsonObject = {
  description: "What is in a document",
  currency: "USD",
  prompt: { system: "Extract.", user: "{{input.document}}" },
  input_schema: { type: "object", properties: { document: { type: "string" } }, required: ["document"] },
  output_schema: { type: "object", properties: { recovered: { type: "number" }, parties: { type: "array" } } },
  validator: { use: "json_schema", options: {} },
  cascade: [{ tier: "fast" }, { tier: "standard", attempts_max: 1, timeout_ms: 45_000 }],
  cost_cap: "0.08",
  deadline_ms: 120_000,
  price: { shape: "binary", amount: "0.04" },
};

export function contentOf(changes: JsonObject): OutcomeTypeContent {
  const resolution = resolveDefinition({ ...GOOD, ...changes }, AROUND);
  if (!resolution.ok) throw new Error(JSON.stringify(resolution.problems));
  return resolution.content;
}

export function termsOf(changes: JsonObject): Terms {
  return contentOf(changes).terms;
}

export function problemsOf(changes: JsonObject): readonly string[] {
  const resolution = resolveDefinition({ ...GOOD, ...changes }, AROUND);
  return resolution.ok ? [] : resolution.problems.map(({ param, message }) => `${param}: ${message}`);
}
