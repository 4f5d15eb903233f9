/**
 * What an answer would be worth under an outcome type: judged by the code that judges jobs, with nothing stored and nobody
 * asked. Where the verdict depends on somebody, it is found for the two ends of what they may say.
 */
import type { Nanos } from "@contingent/core/money";
import { finding, PASSED } from "@contingent/validators/finding";
import { type Evidence, judgeAnswer, type JudgedAnswer } from "@contingent/validators/judge-answer";
import type { RecordedReply } from "@contingent/validators/replies";
import type { LeafResult, RunCheck } from "@contingent/validators/validator";

/** Somebody who would be asked. */
export interface Asked {
  readonly leaf: string;
  readonly validator: string;
  readonly asks: "model" | "service" | "person";
  readonly costMax: Nanos;
}

/** The verdict if everybody said the same, and who they are. */
export interface Supposed {
  readonly verdict: JudgedAnswer;
  readonly asked: readonly Asked[];
}

export interface Trial {
  readonly ifAllPass: Supposed;
  readonly ifAllFail: Supposed;
}

const SAID_NO: LeafResult = {
  score: 0,
  findings: [finding("", "supposed_to_fail", "What whoever is asked here finds is not known yet.")],
};

/** @throws ValidatorError when a check cannot be made: that is no verdict */
export async function tryAnswer(evidence: Evidence, run: RunCheck): Promise<Trial> {
  const once = eachOnce(run);
  return { ifAllPass: await suppose(evidence, PASSED, once), ifAllFail: await suppose(evidence, SAID_NO, once) };
}

async function suppose(evidence: Evidence, result: LeafResult, run: RunCheck): Promise<Supposed> {
  const replies: RecordedReply[] = [];
  const asked: Asked[] = [];
  for (;;) {
    const judgement = await judgeAnswer({ ...evidence, replies }, run);
    if (judgement.kind === "verdict") return { verdict: judgement.verdict, asked };
    const { path: leaf, validator: inquiry, options } = judgement.leaf;
    const validator = `${inquiry.name}@${inquiry.version}`;
    asked.push({ leaf, validator, asks: inquiry.asked, costMax: inquiry.costMax(options) });
    replies.push({ kind: "leaf", leaf, validator, ...result, durationMs: 0 });
  }
}

/** Runs each leaf once, however often the tree is gone through: its options are one object. */
function eachOnce(run: RunCheck): RunCheck {
  const made = new Map<unknown, Promise<LeafResult>>();
  return (validator, subject, options) => {
    const result = made.get(options) ?? run(validator, subject, options);
    made.set(options, result);
    return result;
  };
}
