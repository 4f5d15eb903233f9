import { type Tier, tier, tierIds } from "@contingent/catalog/tiers";
import type { Rate } from "@contingent/core/cost";

/** What can be sold: the tiers and models there are, and their prices. */
export interface Catalog {
  readonly tier: (id: string) => Tier | null;
  readonly tierIds: readonly string[];
  /** Whether there is any rate for exactly this model, in whatever period. */
  readonly modelExists: (id: string) => boolean;
  readonly rates: readonly Rate[];
}

/** The tiers that this version of the program ships with, and the models of a price book. */
export function catalogOf(rates: readonly Rate[]): Catalog {
  return { tier, tierIds, modelExists: (id) => rates.some(({ model }) => model === id), rates };
}
