/**
 * An outcome type version as JSON, and back: the one form in which workers, validators and the ledger read it.
 *
 * Amounts occur in the terms only, and are written as `{"nanos": "40000000"}`: JSON numbers are doubles. Nothing in the
 * terms comes from the operator as free-form JSON, so the mark cannot be mistaken for something else, and a price shape
 * that is added later needs no change here.
 */
import type { JsonObject } from "@contingent/core/json";
import { nanos } from "@contingent/core/money";
import type { OutcomeTypeVersion, Terms } from "@contingent/core/outcome-type";

/** What a version says, apart from its identity. */
export type OutcomeTypeContent = Omit<OutcomeTypeVersion, "id" | "name" | "version">;

/** The content as plain JSON. */
export function encodeOutcomeType(content: OutcomeTypeContent): JsonObject {
  return JSON.parse(JSON.stringify({ ...content, terms: markAmounts(content.terms) })) as JsonObject;
}

/** The content that `encodeOutcomeType` wrote. */
export function decodeOutcomeType(stored: JsonObject): OutcomeTypeContent {
  const content = stored as unknown as OutcomeTypeContent;
  return { ...content, terms: readAmounts(content.terms) as Terms };
}

function markAmounts(value: unknown): unknown {
  if (typeof value === "bigint") return { nanos: value.toString() };
  return mapValues(value, markAmounts);
}

function readAmounts(value: unknown): unknown {
  if (typeof value === "object" && value !== null && "nanos" in value && typeof value.nanos === "string") {
    return nanos(BigInt(value.nanos));
  }
  return mapValues(value, readAmounts);
}

function mapValues(value: unknown, change: (member: unknown) => unknown): unknown {
  if (Array.isArray(value)) return value.map(change);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, change(member)]));
}
