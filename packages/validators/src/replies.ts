/** What was said to inquiries, as it was recorded: taken as it is whenever the answer is judged again. */
import type { LeafResult } from "./validator.ts";

export interface RecordedReply {
  /** `name@version` of the inquiry as it was asked. */
  readonly validator: string;
  readonly result: LeafResult;
  /** From asking to the reply. */
  readonly durationMs: number;
}

/** By the leaf's place in the tree. */
export type Replies = ReadonlyMap<string, RecordedReply>;

export const NO_REPLIES: Replies = new Map();

/** A reply as parts of what a verdict was reached from; the same however its JSON was stored. */
export function partsOf(replies: Replies): readonly string[] {
  return [...replies]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([leaf, { validator, result }]) => [
      leaf,
      validator,
      String(result.score),
      ...result.findings.flatMap(({ path, code, message, hint = "" }) => [path, code, message, hint]),
    ]);
}
