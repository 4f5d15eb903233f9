/**
 * Identifiers: a type prefix plus a time-sorted id, `job_01k…`. The prefix is part of the type, so that a verdict's id
 * cannot be passed where a job's is wanted.
 */
export const ID_PREFIXES = [
  "job",
  "att",
  "vrd",
  "txn",
  "cus",
  "key",
  "otv",
  "req",
  "gra",
  "trm",
  "dsp",
  "crn",
  "stm",
  "evt",
  "rcn",
  "imp",
  "inq",
  "aud",
  "alr",
  "jdg",
  "pky",
] as const;
export type IdPrefix = (typeof ID_PREFIXES)[number];
export type Id<P extends IdPrefix> = `${P}_${string}`;

export type JobId = Id<"job">;
export type AttemptId = Id<"att">;
export type VerdictId = Id<"vrd">;
export type CustomerId = Id<"cus">;
export type KeyId = Id<"key">;
export type OutcomeTypeVersionId = Id<"otv">;
export type GrantId = Id<"gra">;
export type CustomerTermsId = Id<"trm">;
export type DisputeId = Id<"dsp">;
export type CreditNoteId = Id<"crn">;
export type StatementId = Id<"stm">;
export type EventId = Id<"evt">;
export type ReconciliationId = Id<"rcn">;
export type PriceImportId = Id<"imp">;
export type InquiryId = Id<"inq">;
export type JudgeId = Id<"jdg">;
export type AuditId = Id<"aud">;
export type QualityAlertId = Id<"alr">;

/** What stands behind the prefix, as a regular expression. */
export const ID_BODY = "[0-9a-z]{4,40}";

const BODY = new RegExp(`^${ID_BODY}$`);

/** Whether the text is an id of this kind (its form; not whether such a thing exists). */
export function isId<P extends IdPrefix>(prefix: P, text: string): text is Id<P> {
  return text.startsWith(`${prefix}_`) && BODY.test(text.slice(prefix.length + 1));
}
