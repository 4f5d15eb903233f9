/**
 * Whether a price would work: by itself, and for an outcome type. A list price and a customer's own are held against the
 * same checks; `at` is where in the request the price stands.
 */
import type { Problem } from "@contingent/contracts/http/errors";
import type { PriceDefinition } from "@contingent/contracts/http/outcome-types";
import { isJsonObject, type Json, type JsonSchema } from "@contingent/core/json";
import { formatMoney, type Nanos, ZERO } from "@contingent/core/money";
import { holdFor, price as priceOf } from "@contingent/core/pricing/price";
import { pointer, segments } from "@contingent/validators/pointer";
import { nanosOf, priceTermsOf } from "./resolve-parts.ts";
import { isSelfReport } from "./self-report.ts";
import { schemasAt } from "./template-paths.ts";

/** What of an outcome type a price must fit; what is malformed or unknown is left out, and not checked. */
export interface PricedType {
  readonly outputSchema?: JsonSchema | undefined;
  readonly successAt?: number | undefined;
  readonly partialAt?: number | undefined;
  readonly features?: Readonly<Record<string, string>> | undefined;
}

type PriceOf<S extends PriceDefinition["shape"]> = Extract<PriceDefinition, { shape: S }>;

/** What is wrong with the price, whatever it is for. */
export function priceProblems(price: PriceDefinition, at: string): readonly Problem[] {
  switch (price.shape) {
    case "binary":
      return moreThanNothing(price.amount, `${at}/amount`);
    case "tiered":
      return [
        ...moreThanNothing(price.amount, `${at}/amount`),
        ...unorderedBands(price, at),
        ...nothingToPay(price, at),
      ];
    case "linear":
      return [...moreThanNothing(price.amount, `${at}/amount`), ...unorderedLimits(price, at)];
    case "value":
      return valueProblems(price, at);
  }
}

/** What keeps the price from being charged for outcomes of the type. Says nothing of a price that is wrong by itself. */
export function pricedTypeProblems(price: PriceDefinition, type: PricedType, at: string): readonly Problem[] {
  if (holdFor(priceTermsOf(price)) <= ZERO) return [];
  return [...unpaidSuccess(price, type, at), ...(price.shape === "value" ? unknownValue(price, type, at) : [])];
}

/** Why a partial outcome, which the type has, would be given away under the price; null when it is paid for. */
export function unpaidPartial(price: PriceDefinition, partialAt: number): string | null {
  const terms = priceTermsOf(price);
  if (holdFor(terms) <= ZERO) return null;
  if (priceOf(terms, { resolution: "partial", score: partialAt, value: holdFor(terms) }) > ZERO) return null;
  switch (price.shape) {
    case "binary":
      return "a binary price pays nothing for it: leave partial_at out, or take a tiered price";
    case "tiered":
      return "the price pays nothing for it: add a band from there or below";
    case "linear":
      return "the price pays nothing for it: set a floor, or raise partial_at";
    case "value":
      return "a price by value pays nothing for it, since the number may be what is wrong: leave partial_at out, or take a linear price";
  }
}

function unpaidSuccess(price: PriceDefinition, { successAt }: PricedType, at: string): readonly Problem[] {
  if (successAt === undefined || price.shape === "value") return [];
  if (priceOf(priceTermsOf(price), { resolution: "success", score: successAt, value: null }) > ZERO) return [];
  const [place, remedy] =
    price.shape === "linear" ? ["floor", "set a floor"] : ["bands", "add a band from there or below"];
  return [{ param: `${at}/${place}`, message: `must pay something at success_at (${successAt}): ${remedy}` }];
}

function unknownValue(
  { path }: PriceOf<"value">,
  { outputSchema, features = {} }: PricedType,
  at: string,
): readonly Problem[] {
  if (!pointer.safeParse(path).success) return [];
  if (isSelfReport(path, features)) {
    const message = `"${path}" is what the model says of its own answer, which must not make a price`;
    return [{ param: `${at}/path`, message }];
  }
  if (outputSchema === undefined) return [];
  const schemas = schemasAt(outputSchema, segments(path));
  if (schemas.length === 0) {
    return [{ param: `${at}/path`, message: `"${path}" is not in the output schema's properties` }];
  }
  const types = schemas.flatMap(typesOf);
  const readable = types.length === 0 || types.some((type) => READABLE_TYPES.has(type));
  return readable ? [] : [{ param: `${at}/path`, message: `"${path}" is no number: the output schema says otherwise` }];
}

/** A number, or a decimal in a string. */
const READABLE_TYPES: ReadonlySet<Json> = new Set(["number", "integer", "string"]);

function typesOf(schema: Json): readonly Json[] {
  const type = isJsonObject(schema) ? schema["type"] : undefined;
  if (type === undefined) return [];
  return Array.isArray(type) ? (type as readonly Json[]) : [type];
}

function moreThanNothing(amount: string, param: string): readonly Problem[] {
  return nanosOf(amount) > ZERO ? [] : [{ param, message: "must be more than zero" }];
}

/** A hold of nothing reserves nothing: the database refuses it. */
function nothingToPay(price: PriceOf<"tiered">, at: string): readonly Problem[] {
  if (nanosOf(price.amount) <= ZERO || holdFor(priceTermsOf(price)) > ZERO) return [];
  return [{ param: `${at}/bands`, message: "come to nothing: one of them must have a fraction above zero" }];
}

function unorderedBands({ bands }: PriceOf<"tiered">, at: string): readonly Problem[] {
  return bands.flatMap((band, i) => {
    const before = bands[i - 1];
    if (before === undefined) return [];
    const problems: Problem[] = [];
    if (band.from_score <= before.from_score) {
      const message = `must be above the band before it (${before.from_score})`;
      problems.push({ param: `${at}/bands/${i}/from_score`, message });
    }
    if (band.fraction < before.fraction) {
      problems.push({ param: `${at}/bands/${i}/fraction`, message: "must not be less than in the band before it" });
    }
    return problems;
  });
}

function unorderedLimits(price: PriceOf<"linear">, at: string): readonly Problem[] {
  const { amount, floor = "0", ceiling = amount } = price;
  if (nanosOf(amount) <= ZERO) return [];
  return [
    ...(nanosOf(ceiling) > ZERO ? [] : [{ param: `${at}/ceiling`, message: "must be more than zero: it is the hold" }]),
    ...notAbove(ceiling, amount, `${at}/ceiling`, "the amount, which a score of 1 costs: it would never be reached"),
    ...notNegative(floor, `${at}/floor`),
    ...notAbove(floor, ceiling, `${at}/floor`, "the ceiling"),
  ];
}

function valueProblems(price: PriceOf<"value">, at: string): readonly Problem[] {
  const parsed = pointer.safeParse(price.path);
  const min = price.min ?? "0";
  return [
    ...(parsed.success ? [] : parsed.error.issues.map(({ message }) => ({ param: `${at}/path`, message }))),
    ...(price.rate > 0 ? [] : [{ param: `${at}/rate`, message: "must be more than zero, or take a binary price" }]),
    ...moreThanNothing(price.max, `${at}/max`),
    ...notNegative(min, `${at}/min`),
    ...notAbove(min, price.max, `${at}/min`, "the maximum"),
  ];
}

function notNegative(amount: string, param: string): readonly Problem[] {
  return nanosOf(amount) >= ZERO ? [] : [{ param, message: "must not be negative" }];
}

/** Says nothing where the bound is no price itself, which is a problem of its own. */
function notAbove(amount: string, bound: string, param: string, what: string): readonly Problem[] {
  const most: Nanos = nanosOf(bound);
  if (most <= ZERO || nanosOf(amount) <= most) return [];
  return [{ param, message: `must not be above ${formatMoney(most)}, ${what}` }];
}
