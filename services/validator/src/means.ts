/** What the validator service asks with: the providers' models at the prices of the day. */
import { tierOfModel } from "@contingent/catalog/tiers";
import { rateAt } from "@contingent/core/cost";
import type { PriceBook } from "@contingent/db/price-book";
import type { Provider } from "@contingent/providers/provider";
import type { AskableModel, Means } from "@contingent/validators/inquiry";

export interface ModelAccess {
  /** By the name that the rates give. */
  readonly providers: ReadonlyMap<string, Provider>;
  readonly priceBook: PriceBook;
  readonly isSuspended: Means["isSuspended"];
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
    tierOf: tierOfModel,
    isSuspended: access.isSuspended,
  };
}
