/**
 * What the form of a definition cannot tell: whether it would work. Each check looks at the parts it needs and says
 * nothing when one of them is malformed, so that one answer names every mistake.
 */
import type { Problem } from "@contingent/contracts/http/errors";
import type { OutcomeTypeDefinition } from "@contingent/contracts/http/outcome-types";
import { rateAt, worstCaseCost } from "@contingent/core/cost";
import { add, formatMoney, max, parseMoney, type Nanos, ZERO } from "@contingent/core/money";
import { badPlaceholders, inputPaths } from "@contingent/core/prompt";
import type { Outgoing } from "@contingent/runtime/outgoing/settings";
import { checkTree } from "@contingent/validators/check-tree";
import { schemaProblems } from "@contingent/validators/json_schema/schema";
import { acceptanceOf, asksTheCustomerOnce } from "./acceptance.ts";
import type { Catalog } from "./catalog.ts";
import { costOfInquiries, hasTimeToAsk } from "./inquiry-checks.ts";
import { knowsItsJudges, judgesAnswersOfOthers, judgesWithOthers, paysItsJudges } from "./judge-checks.ts";
import { priceProblems, pricedTypeProblems, unpaidPartial } from "./price-checks.ts";
import { cascadeStepOf, modelsOf, timeNeededMsOf } from "./resolve-parts.ts";
import { decidesByEvidence, readsItsFeatures } from "./self-report.ts";
import { canAskItsServices } from "./service-checks.ts";
import { schemaKnows } from "./template-paths.ts";

/** The parts of a definition that have the right form. */
export type Parts = { readonly [Name in keyof OutcomeTypeDefinition]?: OutcomeTypeDefinition[Name] | undefined };

export interface Surroundings {
  readonly catalog: Catalog;
  /** For the rates of today, ms since the epoch. */
  readonly nowMs: number;
  /** The models that are suspended as judges of this outcome type. */
  readonly suspendedJudges: readonly string[];
  /** How services of the operator's are asked. */
  readonly outgoing: Outgoing;
}

type Check = (parts: Parts, around: Surroundings) => readonly Problem[];

const CHECKS: readonly Check[] = [
  knowsItsTiers,
  knowsItsModels,
  hasUsableSchemas,
  hasUsableValidator,
  readsWhatTheInputHas,
  asksTheCustomerOnce,
  knowsItsJudges,
  judgesAnswersOfOthers,
  paysItsJudges,
  judgesWithOthers,
  canAskItsServices,
  decidesByEvidence,
  readsItsFeatures,
  hasOrderedThresholds,
  neverAsksForLess,
  hasOrderedOutputLimits,
  hasUsablePrice,
  chargesForPartialOutcomes,
  paysForVerdicts,
  canPayForAnAttempt,
  hasTimeForAnAttempt,
  hasTimeToAsk,
  canRework,
  measuresItsMaximum,
];

/** Everything about the definition that would not work. */
export function problemsWith(parts: Parts, around: Surroundings): readonly Problem[] {
  return CHECKS.flatMap((check) => check(parts, around));
}

function knowsItsTiers({ cascade = [] }: Parts, { catalog }: Surroundings): readonly Problem[] {
  return cascade.flatMap(({ tier }, i) =>
    catalog.tier(tier) === null
      ? [problem(`/cascade/${i}/tier`, `there is no tier "${tier}"; there are ${catalog.tierIds.join(", ")}`)]
      : [],
  );
}

function knowsItsModels({ cascade = [] }: Parts, { catalog, nowMs }: Surroundings): readonly Problem[] {
  return cascade.flatMap(({ models = [] }, i) =>
    models.flatMap((model, n) => {
      const path = `/cascade/${i}/models/${n}`;
      if (!catalog.modelExists(model)) return [problem(path, `there is no model "${model}" in the catalog`)];
      if (rateAt(catalog.rates, model, nowMs) !== null) return [];
      return [problem(path, `the model "${model}" has no known price today, so it is never called`)];
    }),
  );
}

function hasUsableSchemas({ input_schema: input, output_schema: output }: Parts): readonly Problem[] {
  const problems = (schema: typeof input, path: string): readonly Problem[] =>
    schema === undefined ? [] : schemaProblems(schema).map((p) => problem(path + p.path, p.message));
  return [...problems(input, "/input_schema"), ...problems(output, "/output_schema")];
}

function hasUsableValidator({ validator }: Parts): readonly Problem[] {
  if (validator === undefined) return [];
  return checkTree(validator, "/validator").map(({ path, message }) => problem(path, message));
}

function readsWhatTheInputHas({ prompt, input_schema: schema }: Parts): readonly Problem[] {
  if (prompt === undefined) return [];
  return (["system", "user"] as const).flatMap((part) => {
    const path = `/prompt/${part}`;
    const bad = badPlaceholders(prompt[part]).map((placeholder) =>
      problem(path, `{{${placeholder}}} is not of the form {{input}} or {{input.name}}`),
    );
    const unknown = schema === undefined ? [] : inputPaths(prompt[part]).filter((p) => !schemaKnows(schema, p));
    return [
      ...bad,
      ...unknown.map((p) => problem(path, `{{${["input", ...p].join(".")}}} is not in the input schema's properties`)),
    ];
  });
}

function hasOrderedThresholds({ partial_at: partialAt, success_at: successAt }: Parts): readonly Problem[] {
  if (partialAt === undefined || successAt === undefined || partialAt < successAt) return [];
  return [
    problem("/partial_at", `must be below success_at (${successAt}), or a partial outcome would never be reached`),
  ];
}

/** A deeper step costs more, and is only reached because answers were not good enough: it must not be content with less. */
function neverAsksForLess({ cascade = [], success_at: successAt = 0 }: Parts): readonly Problem[] {
  const asked = cascade.map((step) => step.success_at ?? successAt);
  return asked.flatMap((score, i) => {
    const before = Math.max(successAt, ...asked.slice(0, i));
    if (score >= before) return [];
    return [problem(`/cascade/${i}/success_at`, `must be at least ${before}: never below the type's, never falling`)];
  });
}

function hasOrderedOutputLimits({ output_tokens: limits }: Parts): readonly Problem[] {
  if (limits === undefined || (limits.min <= limits.start && limits.start <= limits.max)) return [];
  return [problem("/output_tokens", "must be ordered: min ≤ start ≤ max")];
}

function hasUsablePrice(parts: Parts): readonly Problem[] {
  const { price, output_schema: outputSchema, success_at: successAt, features } = parts;
  if (price === undefined) return [];
  return [
    ...priceProblems(price, "/price"),
    ...pricedTypeProblems(price, { outputSchema, successAt, features }, "/price"),
  ];
}

function chargesForPartialOutcomes({ price, partial_at: partialAt }: Parts): readonly Problem[] {
  if (price === undefined || partialAt === undefined) return [];
  const remedy = unpaidPartial(price, partialAt);
  return remedy === null ? [] : [problem("/partial_at", remedy)];
}

function paysForVerdicts({ validation }: Parts): readonly Problem[] {
  if (validation === undefined || amountOf(validation.cost_per_verdict) > ZERO) return [];
  return [
    problem("/validation/cost_per_verdict", "must be more than zero: leave validation out where verdicts are free"),
  ];
}

/** The smallest answer to an empty prompt, from the cheapest model of the first tier: what does not pay for that pays for nothing. */
function canPayForAnAttempt(parts: Parts, { catalog, nowMs }: Surroundings): readonly Problem[] {
  const { cascade, cost_cap: cap, output_tokens: limits, validation } = parts;
  if (cap === undefined) return [];
  const amount = amountOf(cap);
  if (amount <= ZERO) return [problem("/cost_cap", "must be more than zero")];
  const [first] = cascade ?? [];
  if (first === undefined || limits === undefined) return [];
  const costs = modelsOf(first, catalog).flatMap((model) => {
    const rate = rateAt(catalog.rates, model, nowMs);
    return rate === null ? [] : [worstCaseCost(rate, 0, limits.min)];
  });
  const [cheapest] = costs.toSorted((left, right) => (left < right ? -1 : 1));
  if (cheapest === undefined) return [];
  const inquiries = costOfInquiries(parts);
  const verdict = add(max(amountOf(validation?.cost_per_verdict ?? "0"), ZERO), inquiries);
  if (add(cheapest, verdict) <= amount) return [];
  const least = formatMoney(cheapest);
  const judged = verdict > ZERO ? `, and the verdict on them ${formatMoney(verdict)}` : "";
  const message = `is too low for any attempt: ${limits.min} output tokens on tier "${first.tier}" cost ${least} at least${judged}. Raise it, or lower output_tokens.min${inquiries > ZERO ? ", or what its inquiries may cost" : ""}`;
  return [problem("/cost_cap", message)];
}

function hasTimeForAnAttempt(parts: Parts, { catalog }: Surroundings): readonly Problem[] {
  const { cascade, deadline_ms: deadlineMs } = parts;
  const [first] = cascade ?? [];
  const needed = first === undefined ? null : timeNeededMsOf(first, catalog);
  if (first === undefined || needed === null || deadlineMs === undefined || deadlineMs >= needed) return [];
  return [problem("/deadline_ms", `is shorter than an attempt on tier "${first.tier}" needs (${needed} ms)`)];
}

/** Rework begins with a rejection, and needs an attempt besides the one whose outcome was rejected. */
function canRework(parts: Parts, around: Surroundings): readonly Problem[] {
  const { rework, cascade, attempts_max: most } = parts;
  if (rework !== true) return [];
  // It is not among the parts when its form is wrong.
  if ("acceptance" in parts && acceptanceOf(parts).mode === "automatic") {
    const remedy = 'leave it out, or let customers reject: acceptance mode "window" or "explicit"';
    return [problem("/rework", `is of no use where outcomes are accepted automatically; ${remedy}`)];
  }
  if (cascade === undefined || cascade.some(({ tier }) => around.catalog.tier(tier) === null)) return [];
  const ofTiers = cascade.map((step) => cascadeStepOf(step, around.catalog).attemptsMax);
  const attempts = Math.min(
    most ?? Number.POSITIVE_INFINITY,
    ofTiers.reduce((total, n) => total + n, 0),
  );
  if (attempts > 1) return [];
  return [problem("/rework", "needs more than one attempt: raise attempts_max, or add a tier")];
}

function measuresItsMaximum({ audit, false_bill_rate_max: most }: Parts): readonly Problem[] {
  if (most === undefined || audit !== undefined) return [];
  return [problem("/false_bill_rate_max", "cannot be measured without audits: add audit, or leave it out")];
}

function amountOf(text: string): Nanos {
  return parseMoney(text) ?? ZERO;
}

function problem(param: string, message: string): Problem {
  return { param, message };
}
