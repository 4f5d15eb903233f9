/** What a judgement will take: which model, how many votes, and whether a known-bad answer comes along. */
import { type Rate, worstCaseCost } from "@contingent/core/cost";
import { type Nanos, nanos, parseMoney, ZERO } from "@contingent/core/money";
import { mayJudge } from "@contingent/core/model-family";
import type { AskableModel, Means, ModelCall, Question } from "../inquiry.ts";
import { ValidatorError } from "../validator.ts";
import { draw } from "./draw.ts";
import { type KnownBad, knownBad } from "./known-bad.ts";
import type { JudgeOptions } from "./options.ts";
import { type Ballot, ballotFor } from "./prompt.ts";

/** A vote that will be asked for. */
export interface Asking {
  readonly ballot: Ballot;
  readonly call: ModelCall;
}

export interface Judging {
  readonly model: string;
  readonly asked: AskableModel;
  /** The most that one vote can cost. */
  readonly perVote: Nanos;
  readonly votes: readonly Asking[];
  /** The known-bad answer with its votes; null: none comes along this time. */
  readonly canary: { readonly bad: KnownBad; readonly votes: readonly Asking[] } | null;
  /** A vote in place of one that cannot be read; null: there is no money for it. */
  readonly spare: Asking | null;
  readonly reserve: Nanos;
}

/**
 * Decides all of it from the question's seed. Fewer votes are asked for where all would cost more than one judgement may;
 * a known-bad answer has as many votes as are left room for after the real ones.
 * @throws ValidatorError when nobody may judge, the judge is suspended, or not even one vote fits
 */
export async function judgingOf(
  question: Question,
  options: JudgeOptions,
  means: Means,
  validator: string,
): Promise<Judging> {
  const { model, asked } = judgeFor(question, options, means);
  if (await means.isSuspended({ model, validator, outcomeType: question.outcomeType.name }))
    throw new ValidatorError(`${model} is suspended as a judge: it let too many known-bad answers through`);
  const asking = (output: Question["output"], vote: string): Asking => {
    const ballot = ballotFor(question, output, options, vote);
    const { system, user, outputSchema } = ballot;
    return { ballot, call: { model, system, user, outputSchema, outputTokensMax: options.output_tokens_max } };
  };
  const bad = badAnswer(question, options);
  const samples = [question.output, ...(bad === null ? [] : [bad.output])].map(
    (output) => asking(output, "vote 0").call,
  );
  const perVote = samples
    .map((call) => worstOf(asked, call))
    .reduce((dearest, cost) => (cost > dearest ? cost : dearest));
  const room = Number(costMaxOf(options) / perVote);
  if (room < 1) throw new ValidatorError(`cost_max (${options.cost_max}) does not pay for one vote of ${model}`);
  const votes = oddUpTo(Math.min(options.votes, room));
  const ofCanary = bad === null ? 0 : oddUpTo(Math.min(votes, room - votes));
  const spares = Math.min(1, room - votes - ofCanary);
  return {
    model,
    asked,
    perVote,
    votes: Array.from({ length: votes }, (_, i) => asking(question.output, `vote ${i}`)),
    canary:
      bad === null || ofCanary === 0
        ? null
        : { bad, votes: Array.from({ length: ofCanary }, (_, i) => asking(bad.output, `canary ${i}`)) },
    spare: spares === 0 ? null : asking(question.output, "spare"),
    reserve: nanos(perVote * BigInt(votes + ofCanary + spares)),
  };
}

export function costMaxOf({ cost_max: costMax }: JudgeOptions): Nanos {
  return parseMoney(costMax) ?? ZERO;
}

/** The first of the models that may judge the producer and can be asked. */
function judgeFor(
  { producer }: Question,
  { models }: JudgeOptions,
  means: Means,
): { readonly model: string; readonly asked: AskableModel } {
  const placed = { model: producer.model, tier: means.tierOf(producer.model) ?? producer.tier };
  const independent = models.filter((model) => mayJudge({ model, tier: means.tierOf(model) }, placed));
  for (const model of independent) {
    const asked = means.model(model);
    if (asked !== null) return { model, asked };
  }
  if (independent.length === 0)
    throw new ValidatorError(`none of the judges is of another family or tier than ${producer.model}, which answered`);
  throw new ValidatorError(
    `none of ${independent.join(", ")} can be asked now: unknown, without a price, or no provider`,
  );
}

function badAnswer({ output, outputSchema, seed }: Question, { canaries }: JudgeOptions): KnownBad | null {
  if (draw(seed, "canary") >= canaries.rate) return null;
  return knownBad(output, outputSchema, canaries.answers, seed);
}

function worstOf(asked: AskableModel, call: ModelCall): Nanos {
  const rate: Rate = asked.rate;
  return worstCaseCost(rate, asked.inputTokensAtMost(call), call.outputTokensMax);
}

/** The largest odd number up to this; 0 below one. */
function oddUpTo(count: number): number {
  return count < 1 ? 0 : count - ((count + 1) % 2);
}
