/** From what an operator sent to a version that jobs can be pinned to, or to the list of everything that is wrong with it. */
import type { Problem } from "@contingent/contracts/http/errors";
import { type OutcomeTypeDefinition, outcomeTypeDefinitionSchema } from "@contingent/contracts/http/outcome-types";
import { isJsonObject, type Json } from "@contingent/core/json";
import type { QualityTerms, Terms, ValidatorNode } from "@contingent/core/outcome-type";
import type { OutcomeTypeContent } from "@contingent/db/outcome-type-json";
import { inquiryReserveOf } from "@contingent/validators/leaves";
import type { z } from "zod";
import { mistakesIn } from "../http/check.ts";
import { acceptanceOf } from "./acceptance.ts";
import type { Parts, Surroundings } from "./checks.ts";
import { problemsWith } from "./checks.ts";
import { cascadeStepOf, nanosOf, priceTermsOf, validationCostOf } from "./resolve-parts.ts";

export type Resolution =
  | { readonly ok: true; readonly content: OutcomeTypeContent }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Checks a definition as a whole and writes the catalog's values into it.
 * @param calibratedBy the calibration that its thresholds were found by, if any (pin-thresholds.ts)
 */
export function resolveDefinition(
  body: Json,
  around: Surroundings,
  calibratedBy: QualityTerms["calibratedBy"] = null,
): Resolution {
  const parsed = outcomeTypeDefinitionSchema.safeParse(body);
  const formal = parsed.success
    ? []
    : mistakesIn(parsed.error, "body").map(({ param, message }) => ({ param, message }));
  const problems = [...formal, ...problemsWith(wellFormedParts(body), around)];
  if (!parsed.success || problems.length > 0) return { ok: false, problems };
  const quality = { ...measuredAs(parsed.data), calibratedBy };
  return { ok: true, content: { ...contentOf(parsed.data, around), quality } };
}

/** The parts that have the right form, so that one malformed part does not hide what is wrong with the others. */
function wellFormedParts(body: Json): Parts {
  if (!isJsonObject(body)) return {};
  const shape: Readonly<Record<string, z.ZodType>> = outcomeTypeDefinitionSchema.shape;
  const parts = Object.entries(shape).flatMap(([name, schema]) => {
    const parsed = schema.safeParse(body[name]);
    return parsed.success ? [[name, parsed.data] as const] : [];
  });
  return Object.fromEntries(parts);
}

function measuredAs(definition: OutcomeTypeDefinition): Pick<QualityTerms, "audit" | "falseBillRateMax"> {
  const { audit, false_bill_rate_max: falseBillRateMax } = definition;
  if (audit === undefined) return { audit: null, falseBillRateMax: falseBillRateMax ?? null };
  const { rate, method, credit, due_ms: dueMs } = audit;
  return { audit: { rate, method, credit, dueMs }, falseBillRateMax: falseBillRateMax ?? null };
}

function contentOf(definition: OutcomeTypeDefinition, { catalog }: Surroundings): Omit<OutcomeTypeContent, "quality"> {
  const { description, currency, prompt, input_schema: inputSchema, output_schema: outputSchema } = definition;
  // Checked by checkTree, which knows the form of a tree.
  const validator = definition.validator as ValidatorNode;
  const { features } = definition;
  return {
    description,
    currency,
    prompt,
    inputSchema,
    outputSchema,
    validator,
    features,
    terms: termsOf(definition, catalog),
    payloadRetentionDays: definition.payload_retention_days ?? null,
  };
}

function termsOf(definition: OutcomeTypeDefinition, catalog: Surroundings["catalog"]): Terms {
  const [first, ...others] = definition.cascade.map((step) => cascadeStepOf(step, catalog));
  if (first === undefined) throw new Error("a cascade has at least one step");
  const cascade: Terms["cascade"] = [first, ...others];
  return {
    cascade,
    attemptsMax: definition.attempts_max ?? cascade.reduce((total, step) => total + step.attemptsMax, 0),
    outputTokens: definition.output_tokens,
    costCap: nanosOf(definition.cost_cap),
    deadlineMs: definition.deadline_ms,
    successAt: definition.success_at,
    partialAt: definition.partial_at ?? null,
    price: priceTermsOf(definition.price),
    validation: validationCostOf(definition.validation),
    acceptance: acceptanceOf(definition),
    inquiryReserve: inquiryReserveOf(definition.validator as ValidatorNode),
    rework: definition.rework,
    disputeWindowMs: definition.dispute_window_ms,
  };
}
