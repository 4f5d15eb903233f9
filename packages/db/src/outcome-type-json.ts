/**
 * An outcome type version as JSON, and back: the one form in which workers, validators and the ledger read it.
 *
 * Amounts occur in the terms only, and are marked there: nothing in the terms comes from the operator as free-form JSON.
 */
import type { JsonObject } from "@contingent/core/json";
import {
  DISPUTE_WINDOW_DEFAULT_MS,
  type OutcomeTypeVersion,
  type Terms,
  UNMEASURED,
} from "@contingent/core/outcome-type";
import { markAmounts, readAmounts } from "./amounts-json.ts";

/** What a version says, apart from its identity. */
export type OutcomeTypeContent = Omit<OutcomeTypeVersion, "id" | "name" | "version">;

/** What terms say that were stored before there was a word for it: the same as a definition that leaves it out. */
const UNSAID: Partial<Terms> = { validation: null, rework: false, disputeWindowMs: DISPUTE_WINDOW_DEFAULT_MS };

/** The content as plain JSON. What is not measured is not written, so that definitions from before have the hash they had. */
export function encodeOutcomeType({ quality, ...content }: OutcomeTypeContent): JsonObject {
  const isMeasured = Object.values(quality).some((part) => part !== null);
  const written = { ...content, terms: markAmounts(content.terms), ...(isMeasured ? { quality } : {}) };
  return JSON.parse(JSON.stringify(written)) as JsonObject;
}

/** The content that `encodeOutcomeType` wrote. */
export function decodeOutcomeType(stored: JsonObject): OutcomeTypeContent {
  const content = stored as unknown as Omit<OutcomeTypeContent, "quality"> & Partial<OutcomeTypeContent>;
  const terms = { ...UNSAID, ...(readAmounts(content.terms) as Terms) };
  return { ...content, terms, quality: content.quality ?? UNMEASURED };
}
