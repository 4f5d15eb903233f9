/** Whether there is time and money to ask whom the tree asks about an answer. */
import type { Problem } from "@contingent/contracts/http/errors";
import { type Nanos, ZERO } from "@contingent/core/money";
import type { ValidatorNode } from "@contingent/core/outcome-type";
import { checkTree } from "@contingent/validators/check-tree";
import { inquiriesIn, inquiryReserveOf } from "@contingent/validators/leaves";
import type { Parts, Surroundings } from "./checks.ts";
import { timeNeededMsOf } from "./resolve-parts.ts";

const TREE = "/validator";

/** What all inquiries about one answer may cost together; nothing where the tree cannot be read. */
export function costOfInquiries({ validator }: Parts): Nanos {
  const tree = readable(validator);
  return tree === null ? ZERO : inquiryReserveOf(tree);
}

/**
 * People and services have the time that the options give them, after there is an answer and before the deadline. Models
 * answer in seconds: how long they may take at most is no promise that somebody was given.
 */
export function hasTimeToAsk(
  { validator, deadline_ms: deadlineMs, cascade }: Parts,
  { catalog }: Surroundings,
): readonly Problem[] {
  const tree = readable(validator);
  if (tree === null || deadlineMs === undefined) return [];
  const [first] = cascade ?? [];
  const neededMs = (first === undefined ? null : timeNeededMsOf(first, catalog)) ?? 0;
  const leftMs = deadlineMs - neededMs;
  return inquiriesIn(tree).flatMap(({ path, validator: inquiry, options }) => {
    const durationMs = inquiry.durationMs(options);
    if (inquiry.asked === "model" || durationMs < leftMs) return [];
    const message = `gives ${durationMs} ms for a reply, but the deadline leaves less than ${leftMs} ms after an attempt: raise deadline_ms, or give less time`;
    return [{ param: `${TREE}${path}/options`, message }];
  });
}

function readable(tree: Parts["validator"]): ValidatorNode | null {
  return tree === undefined || checkTree(tree, TREE).length > 0 ? null : (tree as ValidatorNode);
}
