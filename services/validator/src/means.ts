/** What the validator service asks with: the providers' models at the prices of the day, and the operator's own services. */
import { setTimeout as delay } from "node:timers/promises";
import { tierOfModel } from "@contingent/catalog/tiers";
import { rateAt } from "@contingent/core/cost";
import type { PriceBook } from "@contingent/db/price-book";
import type { Provider } from "@contingent/providers/provider";
import type { Poster } from "@contingent/runtime/outgoing/post";
import type { Secrets } from "@contingent/runtime/outgoing/settings";
import type { AskableModel, Means } from "@contingent/validators/inquiry";

export interface ModelAccess {
  /** By the name that the rates give. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly priceBook: PriceBook;
  readonly isSuspended: Means["isSuspended"];
  /** The operator's own services. */
  readonly service: Means["service"];
}

/**
 * The means of one inquiry, at the rates of this moment.
 * @param signal is aborted when the inquiry's time is over
 * @param nowMs of the database's clock
 * @throws the database's error when the price book has never been read
 */
export async function meansFor(access: ModelAccess, signal: AbortSignal, nowMs: number): Promise<Means> {
  const rates = await access.priceBook.rates();
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
        call: (call, until) => provider.call(call, until),
      };
    },
    service: access.service,
    tierOf: tierOfModel,
    isSuspended: access.isSuspended,
  };
}

/** Services that are sent signed requests, by the secret that they know. */
export function servicesKnowing(secrets: Secrets, poster: Poster): Means["service"] {
  return (name) => {
    const own = secrets.get(name);
    return own === undefined ? null : { post: (request) => poster.post({ ...request, secrets: own }) };
  };
}
