/** From the terms that an operator sent to a version that jobs can be pinned to, or to the list of everything that is wrong with it. */
import type { CustomerTermsDefinition } from "@contingent/contracts/http/customer-terms";
import type { Problem } from "@contingent/contracts/http/errors";
import type { PriceDefinition } from "@contingent/contracts/http/outcome-types";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import type { CustomerTerms, PeriodTerms } from "@contingent/core/pricing/rating/customer-terms";
import { priceProblems, pricedTypeProblems, unpaidPartial } from "../outcome-types/price-checks.ts";
import { nanosOf, priceTermsOf } from "../outcome-types/resolve-parts.ts";

/** The latest version of an outcome type; null when there is none of that name. */
type Latest = (name: string) => Promise<OutcomeTypeVersion | null>;

/** Everything about the terms that would not work. A customer's price is held against the same checks as a list price. */
export async function termsProblems(definition: CustomerTermsDefinition, latest: Latest): Promise<readonly Problem[]> {
  const priced = Object.entries(definition.prices).map(async ([name, price]) => {
    const version = await latest(name);
    return [...priceProblems(price, `/prices/${name}`), ...unfitFor(version, name, price)];
  });
  const named = Object.keys(definition.outcome_types).map(async (name) =>
    (await latest(name)) === null ? [unknown(`/outcome_types/${name}`, name)] : [],
  );
  return (await Promise.all([...priced, ...named])).flat();
}

function unfitFor(version: OutcomeTypeVersion | null, name: string, price: PriceDefinition): readonly Problem[] {
  const at = `/prices/${name}`;
  if (version === null) return [unknown(at, name)];
  const { successAt, partialAt } = version.terms;
  const { outputSchema, features } = version;
  const problems = pricedTypeProblems(price, { outputSchema, successAt, features }, at);
  const remedy = partialAt === null ? null : unpaidPartial(price, partialAt);
  if (remedy === null) return problems;
  return [...problems, { param: at, message: `"${name}" has partial outcomes from ${partialAt} on, and ${remedy}` }];
}

function unknown(param: string, name: string): Problem {
  return { param, message: `there is no outcome type "${name}": correct its name, or publish it first` };
}

/** The terms as core reads them. */
export function customerTermsOf(definition: CustomerTermsDefinition): CustomerTerms {
  return {
    prices: mapped(definition.prices, priceTermsOf),
    outcomeTypes: mapped(definition.outcome_types, periodTermsOf),
    discountShare: definition.discount_share,
    discountFixed: nanosOf(definition.discount_fixed),
    commitmentMinimum: nanosOf(definition.commitment_minimum),
  };
}

function periodTermsOf({ allowance, bands }: CustomerTermsDefinition["outcome_types"][string]): PeriodTerms {
  if (bands === undefined) return { allowance, bands: null };
  const banded = bands.bands.map(({ from_outcome: fromOutcome, fraction }) => ({ fromOutcome, fraction }));
  return { allowance, bands: { mode: bands.mode, bands: banded } };
}

function mapped<From, To>(record: Readonly<Record<string, From>>, to: (from: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]));
}
