/** Parts of a definition with the catalog's values written into them. */
import type { CascadeStepDefinition, OutcomeTypeDefinition } from "@contingent/contracts/http/outcome-types";
import { type Nanos, parseMoney, ZERO } from "@contingent/core/money";
import type { CascadeStep, RetryPolicy, ValidationCost } from "@contingent/core/outcome-type";
import type { PriceTerms } from "@contingent/core/pricing/price";
import type { Catalog } from "./catalog.ts";

/** The models of a step, in order of preference; none when its tier is unknown. */
export function modelsOf(step: CascadeStepDefinition, catalog: Catalog): readonly string[] {
  return step.models ?? catalog.tier(step.tier)?.models ?? [];
}

/** How long an attempt of the step needs at least, ms; null when its tier is unknown. */
export function timeNeededMsOf(step: CascadeStepDefinition, catalog: Catalog): number | null {
  const tier = catalog.tier(step.tier);
  return tier === null ? null : Math.min(tier.timeNeededMs, step.timeout_ms ?? tier.timeoutMs);
}

/** @throws Error when the tier is unknown: the definition has not been checked */
export function cascadeStepOf(step: CascadeStepDefinition, catalog: Catalog): CascadeStep {
  const tier = catalog.tier(step.tier);
  const [model, ...others] = modelsOf(step, catalog);
  if (tier === null || model === undefined) throw new Error(`there is no tier ${step.tier}`);
  const timeoutMs = step.timeout_ms ?? tier.timeoutMs;
  return {
    tier: tier.id,
    models: [model, ...others],
    attemptsMax: step.attempts_max ?? tier.attemptsMaxDefault,
    retry: step.retry === undefined ? tier.retryDefault : retryOf(step.retry),
    timeoutMs,
    timeNeededMs: Math.min(tier.timeNeededMs, timeoutMs),
    successAt: step.success_at ?? null,
  };
}

function retryOf(retry: NonNullable<CascadeStepDefinition["retry"]>): RetryPolicy {
  const { initial_delay_ms: initialDelayMs, multiplier, jitter, delay_max_ms: delayMaxMs } = retry;
  return { initialDelayMs, multiplier, jitter, delayMaxMs };
}

export function priceTermsOf(price: OutcomeTypeDefinition["price"]): PriceTerms {
  switch (price.shape) {
    case "binary":
      return { shape: "binary", amount: nanosOf(price.amount) };
    case "tiered":
      return {
        shape: "tiered",
        amount: nanosOf(price.amount),
        bands: price.bands.map(({ from_score: fromScore, fraction }) => ({ fromScore, fraction })),
      };
    case "linear": {
      const amount = nanosOf(price.amount);
      const ceiling = price.ceiling === undefined ? amount : nanosOf(price.ceiling);
      return { shape: "linear", amount, floor: nanosOf(price.floor ?? "0"), ceiling };
    }
    case "value": {
      const { rate, path } = price;
      return { shape: "value", rate, path, min: nanosOf(price.min ?? "0"), max: nanosOf(price.max) };
    }
  }
}

export function validationCostOf(validation: OutcomeTypeDefinition["validation"]): ValidationCost | null {
  if (validation === undefined) return null;
  const { provider, name, cost_per_verdict: cost } = validation;
  return { provider, name, cost: nanosOf(cost) };
}

/** An amount that the schema has let through. */
export function nanosOf(text: string): Nanos {
  return parseMoney(text) ?? ZERO;
}
