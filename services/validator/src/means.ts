/** What the validator service asks with: the providers' models at the prices of the day, and the operator's own services. */
import { setTimeout as delay } from "node:timers/promises";
import { tierOfModel } from "@contingent/catalog/tiers";
import { outcomeOf } from "@contingent/core/breaker/outcome";
import { costOf, type Rate, rateAt, UnknownPriceError, worstCaseCost } from "@contingent/core/cost";
import { type Nanos, ZERO } from "@contingent/core/money";
import type { ModelGate } from "@contingent/db/model-gate";
import type { PriceBook } from "@contingent/db/price-book";
import type { Provider } from "@contingent/providers/provider";
import type { Poster } from "@contingent/runtime/outgoing/post";
import type { Secrets } from "@contingent/runtime/outgoing/settings";
import type { AskableModel, Means, ModelAnswer, ModelCall } from "@contingent/validators/inquiry";

export interface ModelAccess {
  /** By the name that the rates give. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly priceBook: PriceBook;
  readonly gate: ModelGate;
  readonly isSuspended: Means["isSuspended"];
  /** The operator's own services. */
  readonly service: Means["service"];
}

/** The time that an inquiry has. */
export interface InquiryTime {
  /** Aborted when it is over. */
  readonly signal: AbortSignal;
  readonly limitMs: number;
  /** Whether it is less than the inquiry is due, because of the job's own or of this process's end. */
  readonly cutShort: () => boolean;
}

/**
 * The means of one inquiry, at the rates of this moment.
 * @param nowMs of the database's clock
 * @throws the database's error when the price book has never been read
 */
export async function meansFor(access: ModelAccess, time: InquiryTime, nowMs: number): Promise<Means> {
  const rates = await access.priceBook.rates();
  const { signal } = time;
  /** Models that have failed a call of this inquiry. */
  const failed = new Set<string>();
  return {
    signal,
    wait: (ms) => delay(ms, undefined, { signal }).catch(() => undefined),
    model(id): AskableModel | null {
      const rate = rateAt(rates, id, nowMs);
      const provider = access.providers.get(rate?.provider ?? "");
      if (rate === null || provider === undefined) return null;
      return {
        provider: provider.name,
        rate,
        inputTokensAtMost: (call) => provider.inputTokensAtMost(call),
        async call(call, until) {
          const comesBack = failed.has(id);
          const answer = await callThroughGate(access.gate, { provider, rate, call, until, time, comesBack });
          if (answer.kind !== "answered") failed.add(id);
          return answer;
        },
      };
    },
    service: access.service,
    tierOf: tierOfModel,
    isSuspended: access.isSuspended,
  };
}

interface GuardedCall {
  readonly provider: Provider;
  readonly rate: Rate;
  readonly call: ModelCall;
  readonly until: AbortSignal;
  readonly time: InquiryTime;
  readonly comesBack: boolean;
}

/** A call that is worth making, and what came of it; one that is not is as good as one that found the model unavailable. */
async function callThroughGate(gate: ModelGate, guarded: GuardedCall): Promise<ModelAnswer> {
  const { provider, call, until, time, comesBack } = guarded;
  const key = { provider: provider.name, model: call.model };
  const entry = await gate.enter(key, { comesBack, durationMs: time.limitMs });
  if (entry.kind !== "pass") return NOT_CALLED;
  const answer = await provider.call(call, until);
  const mayHaveBeenBilled = answer.kind === "answered" || answer.mayHaveBeenBilled;
  const outcome = outcomeOf({ kind: answer.kind, mayHaveBeenBilled, cutShort: time.cutShort() });
  await gate.report(entry.pass, outcome, costAtMost(guarded, answer));
  return answer;
}

const NOT_CALLED: ModelAnswer = {
  kind: "unavailable",
  mayHaveBeenBilled: false,
  retryAfterMs: null,
  message: "The model has failed too many calls and is not called now.",
};

function costAtMost({ provider, rate, call }: GuardedCall, answer: ModelAnswer): Nanos {
  if (answer.kind !== "answered" && !answer.mayHaveBeenBilled) return ZERO;
  try {
    if (answer.kind === "answered") return costOf(rate, answer.usage);
  } catch (error) {
    if (!(error instanceof UnknownPriceError)) throw error;
  }
  return worstCaseCost(rate, provider.inputTokensAtMost(call), call.outputTokensMax);
}

/** Services that are sent signed requests, by the secret that they know. */
export function servicesKnowing(secrets: Secrets, poster: Poster): Means["service"] {
  return (name) => {
    const own = secrets.get(name);
    return own === undefined ? null : { post: (request) => poster.post({ ...request, secrets: own }) };
  };
}
