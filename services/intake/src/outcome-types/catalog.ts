import { modelExists, rates } from "@contingent/catalog/models";
import { type Tier, tier, tierIds } from "@contingent/catalog/tiers";
import type { Rate } from "@contingent/core/cost";

/** What can be sold: the tiers and models there are, and their prices. */
export interface Catalog {
  readonly tier: (id: string) => Tier | null;
  readonly tierIds: readonly string[];
  readonly modelExists: (id: string) => boolean;
  readonly rates: readonly Rate[];
}

/** The catalog that this version of the program ships with. */
export function shippedCatalog(): Catalog {
  return { tier, tierIds, modelExists, rates: rates() };
}
