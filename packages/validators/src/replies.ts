/** What was said to inquiries, as it was recorded: taken as it is whenever the answer is judged again. */
import type { InquiryKind } from "@contingent/core/job/job";
import type { LeafResult } from "./validator.ts";

export interface RecordedReply extends LeafResult {
  readonly kind: InquiryKind;
  /** Which leaf asked, as a JSON pointer into the tree. */
  readonly leaf: string;
  /** `name@version` of the inquiry as it was asked. */
  readonly validator: string;
  /** From the question to the reply. */
  readonly durationMs: number;
}

/** By the place of the leaf that asked. */
export type Replies = ReadonlyMap<string, RecordedReply>;

export function repliesToLeaves(recorded: readonly RecordedReply[]): Replies {
  return new Map(recorded.filter(({ kind }) => kind === "leaf").map((reply) => [reply.leaf, reply]));
}

/** What a person decided about the whole answer, because the validators kept breaking; null: nobody had to. */
export function reviewIn(recorded: readonly RecordedReply[]): RecordedReply | null {
  return recorded.find(({ kind }) => kind === "validator_error") ?? null;
}

/** Replies as parts of what a verdict was reached from; the same in whatever order and form their JSON was stored. */
export function partsOf(recorded: readonly RecordedReply[]): readonly string[] {
  const parts = recorded.map(({ kind, leaf, validator, score, findings }): readonly string[] => [
    kind,
    leaf,
    validator,
    String(score),
    ...findings.flatMap(({ path, code, message, hint = "" }) => [path, code, message, hint]),
  ]);
  return parts.toSorted(([, a = ""], [, b = ""]) => (a < b ? -1 : 1)).flat();
}
