/** From a judge's replies to a result. */
import type { Json } from "@contingent/core/json";
import { z } from "zod";
import { finding, shareResult } from "../finding.ts";
import { withoutNoise } from "../noise.ts";
import { parseOutput } from "../parse-output.ts";
import { type LeafResult, ValidatorError } from "../validator.ts";
import type { Criterion, JudgeOptions } from "./options.ts";
import { type Ballot, keyOf } from "./prompt.ts";

/** What one vote said of each criterion, in the rubric's order. */
export interface Vote {
  readonly met: readonly boolean[];
  /** One line each, cut short. */
  readonly reasons: readonly string[];
}

const REASON_CHARACTERS_MAX = 280;
/** As a key. In a reason its quotation marks would be escaped. */
const MET = /"met"\s*:/g;
const CRITERION_CHARACTERS_SHOWN = 120;

/** Reads what a judge replied to a ballot; null: it is not what was asked for, and no vote. */
export function voteIn(text: string, { order }: Pick<Ballot, "order">): Vote | null {
  const parsed = parseOutput(text);
  if (!parsed.ok) return null;
  // A judge that says both has a key twice, and JSON would take the last word for the only one.
  if (text.match(MET)?.length !== order.length) return null;
  const one = z.strictObject({ reason: z.string(), met: z.boolean() });
  const reply = z
    .strictObject(Object.fromEntries(order.map((_, place) => [keyOf(place), one])))
    .safeParse(parsed.value);
  if (!reply.success) return null;
  const said = order.map((at, place) => ({ at, ...reply.data[keyOf(place)] })).toSorted((a, b) => a.at - b.at);
  return {
    met: said.map(({ met }) => met === true),
    reasons: said.map(({ reason = "" }) => finding("", "reason", reason.slice(0, REASON_CHARACTERS_MAX)).message),
  };
}

const recorded = z.object({
  votes: z.array(z.object({ met: z.array(z.boolean()).min(1), reasons: z.array(z.string()) })).min(1),
});

/**
 * The result of a recorded judgement: each criterion as the majority saw it, the score by weight.
 * @throws ValidatorError when it is no judgement by this rubric
 */
export function resultOf(judgement: Json, options: Pick<JudgeOptions, "rubric" | "pass_at">): LeafResult {
  const parsed = recorded.safeParse(judgement);
  const fits = parsed.success && parsed.data.votes.every(({ met }) => met.length === options.rubric.length);
  if (!fits) throw new ValidatorError("this is no judgement by this rubric");
  const { votes } = parsed.data;
  const verdicts = options.rubric.map((criterion, at) => ({ ...criterion, ...majority(votes, at) }));
  const weightOf = (some: readonly Criterion[]): number => some.reduce((total, { weight }) => total + weight, 0);
  const [all, missed] = [weightOf(verdicts), verdicts.filter(({ met }) => !met)];
  const share = withoutNoise((all - weightOf(missed)) / all);
  if (share >= options.pass_at) return { score: 1, findings: [] };
  return shareResult(
    all - weightOf(missed),
    all,
    missed.map(({ criterion, reason }) =>
      finding("", "criterion_not_met", `Not met: ${criterion.slice(0, CRITERION_CHARACTERS_SHOWN)}`, reason),
    ),
  );
}

/** How many of the votes found each criterion met, in the rubric's order: where they disagree, a person may look. */
export function tallyOf(votes: readonly Vote[]): readonly number[] {
  return (votes[0]?.met ?? []).map((_, at) => votes.filter(({ met }) => met[at] === true).length);
}

function majority(votes: readonly Vote[], at: number): { readonly met: boolean; readonly reason: string } {
  const against = votes.filter(({ met }) => met[at] !== true);
  const met = against.length * 2 < votes.length;
  return { met, reason: against[0]?.reasons[at] ?? "" };
}
