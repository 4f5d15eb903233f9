/**
 * An inquiry whose time is over. Nobody replied: a person or a service was silent, or the process that asked has died and
 * what it was told is lost. The latter is nobody's silence, and is found out long before the inquiry is due (holders.ts).
 */
import { setTimeout as delay } from "node:timers/promises";
import { newId } from "@contingent/db/ids";
import type { Fact } from "@contingent/core/job/facts";
import type { OpenInquiry } from "@contingent/core/job/job";
import { ZERO } from "@contingent/core/money";
import type { ValidatorNode } from "@contingent/core/outcome-type";
import { inquiriesIn } from "@contingent/validators/leaves";
import { type LeafResult, ValidatorError } from "@contingent/validators/validator";
import type { ValidatorContext } from "./context.ts";
import { advance, announce, type Judging } from "./judging.ts";

/** A message may come a little before its time, because the transport has a clock of its own. */
const EARLY_MAX_MS = 2_000;

export async function endOverdue(context: ValidatorContext, judging: Judging, inquiry: OpenInquiry): Promise<void> {
  const { job, version, answer, clock, asker } = judging;
  const earlyMs = job.readyAtMs - clock();
  if (earlyMs > EARLY_MAX_MS) return;
  if (earlyMs > 0) await delay(Math.ceil(earlyMs));

  const about = { attemptId: answer.attemptId, inquiryId: inquiry.inquiryId };
  const meaning = asker === null ? meaningOfSilence(version.validator, inquiry) : null;
  // Who did not look is not paid. Who was called may have done the work.
  const isPerson = inquiry.asked === "person";
  const fact: Fact =
    meaning === null
      ? { type: "unanswered", ...about, cost: isPerson ? ZERO : null, reviewId: newId("inq") }
      : { type: "replied", ...about, outcome: "silence", cost: isPerson ? ZERO : inquiry.reserve };
  const why = asker === null ? "nobody replied in time" : "the process that asked has died";
  if (meaning === null) context.log.warn({ job: job.id, inquiry: inquiry.inquiryId }, why);
  const detail = meaning === null && asker !== null ? { error: why } : null;
  const reply = { result: meaning, detail, repliedBy: null };
  await announce(context, judging, await advance(context, judging, job, fact, { reply }));
}

function meaningOfSilence(tree: ValidatorNode, { kind, leaf }: OpenInquiry): LeafResult | null {
  if (kind !== "leaf") return null;
  try {
    const asking = inquiriesIn(tree).find(({ path }) => path === leaf);
    return asking?.validator.silence(asking.options) ?? null;
  } catch (error) {
    // The tree was good when it was published. What has become of its validators since says nothing about the answer.
    if (error instanceof ValidatorError) return null;
    throw error;
  }
}
