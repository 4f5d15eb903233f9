/**
 * An outcome type version as JSON, and back: the one form in which workers, validators and the ledger read it.
 *
 * Amounts occur in the terms only, and are marked there: nothing in the terms comes from the operator as free-form JSON.
 */
import type { JsonObject } from "@contingent/core/json";
import { ZERO } from "@contingent/core/money";
import {
  type CascadeStep,
  DISPUTE_WINDOW_DEFAULT_MS,
  type OutcomeTypeVersion,
  type Terms,
  UNMEASURED,
} from "@contingent/core/outcome-type";
import { markAmounts, readAmounts } from "./amounts-json.ts";

/** What a version says, apart from its identity. */
export type OutcomeTypeContent = Omit<OutcomeTypeVersion, "id" | "name" | "version">;

/** What terms say that were stored before there was a word for it: the same as a definition that leaves it out. */
const UNSAID: Partial<Terms> = {
  validation: null,
  inquiryReserve: ZERO,
  rework: false,
  disputeWindowMs: DISPUTE_WINDOW_DEFAULT_MS,
};
const UNSAID_OF_A_STEP: Partial<CascadeStep> = { successAt: null };

/** Content as it may be stored. */
type Stored = Omit<OutcomeTypeContent, "features" | "quality" | "payloadRetentionDays"> & Partial<OutcomeTypeContent>;

/** The content as plain JSON. What a definition need not say is only written if it does, so that those from before have the hash they had. */
export function encodeOutcomeType(version: OutcomeTypeContent): JsonObject {
  const { features, quality, payloadRetentionDays, terms, ...content } = version;
  const isMeasured = Object.values(quality).some((part) => part !== null);
  const { inquiryReserve, ...said } = terms;
  const cascade = terms.cascade.map(({ successAt, ...step }) => ({
    ...step,
    ...(successAt === null ? {} : { successAt }),
  }));
  const written = {
    ...content,
    terms: markAmounts({ ...said, ...(inquiryReserve === ZERO ? {} : { inquiryReserve }), cascade }),
    ...(Object.keys(features).length > 0 ? { features } : {}),
    ...(isMeasured ? { quality } : {}),
    // The duty that drops texts reads it where it is stored (payloads/drop.ts).
    ...(payloadRetentionDays === null ? {} : { payloadRetentionDays }),
  };
  return JSON.parse(JSON.stringify(written)) as JsonObject;
}

/** The content that `encodeOutcomeType` wrote. */
export function decodeOutcomeType(stored: JsonObject): OutcomeTypeContent {
  const { features = {}, quality = UNMEASURED, payloadRetentionDays = null, ...content } = stored as unknown as Stored;
  const terms = readAmounts(content.terms) as Terms;
  const said = (step: CascadeStep): CascadeStep => ({ ...UNSAID_OF_A_STEP, ...step });
  const [first, ...others] = terms.cascade;
  const cascade: Terms["cascade"] = [said(first), ...others.map(said)];
  return { ...content, features, quality, payloadRetentionDays, terms: { ...UNSAID, ...terms, cascade } };
}
