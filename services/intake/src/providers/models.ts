/** Every model that has a price, with its circuit breaker; as the API's JSON. */
import type { ProviderModelBody } from "@contingent/contracts/http/providers";
import { formatMoney, type Nanos, ZERO } from "@contingent/core/money";
import { type BreakerRow, exchangeTallies } from "@contingent/db/breakers";
import type { IntakeContext } from "../context.ts";
import { isoTime } from "../jobs/render.ts";

export interface ProviderModel {
  readonly provider: string;
  readonly model: string;
  /** Null: it has not been called yet. */
  readonly breaker: BreakerRow | null;
}

/** By the models' ids. */
export async function providerModels({ pool, priceBook }: IntakeContext): Promise<readonly ProviderModel[]> {
  const [rates, { breakers }] = await Promise.all([priceBook.rates(), exchangeTallies(pool, [])]);
  const models = new Map<string, ProviderModel>();
  for (const { provider, model } of rates) {
    const breaker = breakers.find((each) => each.provider === provider && each.model === model) ?? null;
    const each = { provider, model, breaker };
    models.set(placeOf(each), each);
  }
  return [...models.values()].toSorted((a, b) => (placeOf(a) < placeOf(b) ? -1 : 1));
}

/** Where a model stands in the list. */
export function placeOf({ provider, model }: ProviderModel): string {
  return `${model} ${provider}`;
}

export function renderProviderModel({ provider, model, breaker }: ProviderModel): ProviderModelBody {
  const probeAtMs = breaker?.probeAtMs ?? null;
  return {
    object: "provider_model",
    provider,
    model,
    state: breaker?.state ?? "closed",
    forced: breaker?.forced ?? false,
    since: breaker === null ? null : isoTime(breaker.sinceMs),
    because: breaker?.because ?? null,
    next_probe_at: probeAtMs === null ? null : isoTime(probeAtMs),
    last_minute: {
      calls: breaker?.long.calls ?? 0,
      failures: breaker?.long.failures ?? 0,
      spent: usd(breaker?.long.spent ?? ZERO),
      burnt: usd(breaker?.long.burnt ?? ZERO),
    },
  };
}

function usd(amount: Nanos): { amount: string; currency: "USD" } {
  return { amount: formatMoney(amount), currency: "USD" };
}
