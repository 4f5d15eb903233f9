import { costOf } from "@contingent/core/cost";
import type { Json, JsonObject } from "@contingent/core/json";
import { add, type Nanos, ZERO } from "@contingent/core/money";
import { failed } from "../finding.ts";
import type { AskableModel, Inquiry, Means, ModelAnswer, Question, Reply } from "../inquiry.ts";
import { hollowness } from "./hollow.ts";
import { type JudgeOptions, judgeOptions } from "./options.ts";
import { type Asking, costMaxOf, type Judging, judgingOf } from "./plan.ts";
import { resultOf, tallyOf, type Vote, voteIn } from "./votes.ts";

/** Rises with every change of the prompt (`prompt.ts`), of how replies are read, or of what is failed unasked. */
const VERSION = 1;
const NAME = "llm_judge";

/** All votes are asked for at once, so that this is the time of one; a spare one has to fit too. */
const DURATION_MS = 90_000;
/** Over half a minute in all, within that time. */
const CALLS_MAX = 6;
const FIRST_WAIT_MS = 1_000;
const WAIT_MAX_MS = 30_000;

/** Another model's opinion on an answer, by a rubric, in votes. */
export const llmJudge: Inquiry<JudgeOptions> = {
  name: NAME,
  version: VERSION,
  asked: "model",
  options: judgeOptions,
  costMax: costMaxOf,
  durationMs: () => DURATION_MS,
  async plan(question, options, means) {
    if (hollowness(question.output, options.rubric) !== null) return { reserve: ZERO, payee: null, target: null };
    const { model, asked, reserve } = await judgingOf(question, options, means, `${NAME}@${VERSION}`);
    const target = `${asked.provider}:${model}`;
    return { reserve, payee: { provider: asked.provider, name: model }, target };
  },
  async ask(question, options, means) {
    try {
      return await askFor(question, options, means);
    } catch (error) {
      // Nothing was asked: what can throw is the planning, which has just been done once.
      return { kind: "broke", error: error instanceof Error ? error.message : String(error), cost: ZERO };
    }
  },
  read: resultOf,
  silence: () => null,
};

async function askFor(question: Question, options: JudgeOptions, means: Means): Promise<Reply> {
  const hollow = hollowness(question.output, options.rubric);
  if (hollow !== null) return { kind: "answered", result: failed(hollow), cost: ZERO, detail: { hollow: hollow.code } };
  const judging = await judgingOf(question, options, means, `${NAME}@${VERSION}`);
  const ask = async (asking: Asking): Promise<Heard> => hear(judging, asking, means);
  const [real, ofCanary] = await Promise.all([
    Promise.all(judging.votes.map(ask)),
    Promise.all((judging.canary?.votes ?? []).map(ask)),
  ]);
  const votes = await withSpare(real, judging, ask);
  const heard = [...votes.heard, ...ofCanary];
  const lost = votes.counted.find(({ vote }) => vote === null);
  if (lost !== undefined) return { kind: "broke", error: lost.problem, cost: costOfAll(heard, null) };
  const cast = votesOf(votes.counted);
  const judgement = { votes: asJson(cast) };
  const canary = canaryOf(question, judging, votesOf(ofCanary), options);
  return {
    kind: "answered",
    result: resultOf(judgement, options),
    cost: costOfAll(heard, judging.perVote) ?? judging.reserve,
    detail: {
      model: judging.model,
      ...judgement,
      met_votes: tallyOf(cast),
      orders: votes.counted.map(({ asking }) => asking.ballot.order),
      responses: heard.flatMap(({ responseId }) => responseId ?? []),
      ...(canary === null ? {} : { canary }),
    },
  };
}

/** What came of asking for a vote. */
interface Heard {
  readonly asking: Asking;
  readonly vote: Vote | null;
  /** Why there is no vote; empty when there is one. */
  readonly problem: string;
  /** Null: not known. */
  readonly cost: Nanos | null;
  readonly responseId: string | null;
}

async function hear({ asked, model }: Judging, asking: Asking, means: Means): Promise<Heard> {
  const answer = await answerTo(asked, asking, means);
  if (answer.kind !== "answered") {
    const cost = answer.mayHaveBeenBilled ? null : ZERO;
    return { asking, vote: null, problem: `${model}: ${answer.message}`, cost, responseId: null };
  }
  const vote = answer.stop === "end" ? voteIn(answer.text, asking.ballot) : null;
  const problem = vote === null ? `${model} gave no vote that can be read (${answer.stop})` : "";
  return { asking, vote, problem, cost: costOfCall(asked, answer), responseId: answer.responseId };
}

/** Calls again while the provider does not even begin, which costs nothing: a person need not be troubled for that. */
async function answerTo(asked: AskableModel, { call }: Asking, means: Means): Promise<ModelAnswer> {
  for (let calls = 1; ; calls += 1) {
    const answer = await asked.call(call, means.signal);
    const isPassing = answer.kind === "unavailable" || answer.kind === "rate_limited";
    if (!isPassing || answer.mayHaveBeenBilled || calls === CALLS_MAX || means.signal.aborted) return answer;
    const backoffMs = FIRST_WAIT_MS * 2 ** (calls - 1);
    await means.wait(Math.min(Math.max(backoffMs, answer.retryAfterMs ?? 0), WAIT_MAX_MS));
  }
}

/** Asks once more in place of a vote that could not be read, where the first one's bill is known and there is money. */
async function withSpare(
  real: readonly Heard[],
  { spare }: Judging,
  ask: (asking: Asking) => Promise<Heard>,
): Promise<{ readonly counted: readonly Heard[]; readonly heard: readonly Heard[] }> {
  const lost = real.filter(({ vote }) => vote === null);
  const [first] = lost;
  if (spare === null || first === undefined || lost.length > 1 || first.cost === null)
    return { counted: real, heard: real };
  const again = await ask(spare);
  return { counted: real.map((each) => (each === first ? again : each)), heard: [...real, again] };
}

/**
 * How the judge did on a known-bad answer, as the database counts it (`canary_is_counted`); null where a vote on it could
 * not be read, which says nothing about the judge. Let through is what would have been billed, perfect or not.
 */
function canaryOf(
  { outcomeType: { deliversFrom } }: Question,
  { canary }: Judging,
  votes: readonly Vote[],
  options: JudgeOptions,
): JsonObject | null {
  if (canary === null || votes.length < canary.votes.length) return null;
  const { score } = resultOf({ votes: asJson(votes) }, options);
  return { kind: canary.bad.kind, passed: score > 0 && score >= deliversFrom, limit: options.canaries.limit };
}

function votesOf(heard: readonly Heard[]): readonly Vote[] {
  return heard.flatMap(({ vote }) => vote ?? []);
}

/** @param instead stands for a cost that is not known; null: then the sum is not known either */
function costOfAll(heard: readonly Heard[], instead: Nanos | null): Nanos | null {
  return heard.reduce<Nanos | null>((total, { cost }) => {
    const known = cost ?? instead;
    return total === null || known === null ? null : add(total, known);
  }, ZERO);
}

/** Null when the usage cannot be priced. */
function costOfCall({ rate }: AskableModel, { usage }: Extract<ModelAnswer, { kind: "answered" }>): Nanos | null {
  try {
    return costOf(rate, usage);
  } catch {
    return null;
  }
}

function asJson(votes: readonly Vote[]): Json {
  return votes.map(({ met, reasons }) => ({ met, reasons }));
}
