/** A trial as the API's JSON. */
import type { TrialResultBody, TrialVerdictBody } from "@contingent/contracts/http/trials";
import { ZERO } from "@contingent/core/money";
import { type OutcomeTypeVersion, thresholdsAt } from "@contingent/core/outcome-type";
import { price as priceOf } from "@contingent/core/pricing/price";
import { type Decision, renderFeedback } from "@contingent/core/verdict";
import type { JudgedAnswer } from "@contingent/validators/judge-answer";
import { money, renderLeaf } from "../jobs/render.ts";
import type { Trial } from "./trial.ts";

/** What was tried. */
export interface Tried {
  readonly version: OutcomeTypeVersion;
  /** Whether it is a published version. */
  readonly isPublished: boolean;
  /** Index into the cascade. */
  readonly step: number;
}

/** @param outcome what came of it, or why a validator broke */
export function renderTrial(tried: Tried, outcome: Trial | { readonly error: string }): TrialResultBody {
  const { version, step } = tried;
  const { cascade, acceptance } = version.terms;
  const { successAt, partialAt } = thresholdsAt(version.terms, step);
  const known = {
    object: "trial",
    outcome_type: version.name,
    version: tried.isPublished ? version.version : null,
    tier: (cascade[step] ?? cascade[0]).tier,
    success_at: successAt,
    partial_at: partialAt,
    acceptance: acceptance.mode,
  } as const;
  const open = { verdict: null, error: null, inquiries: [], if_all_pass: null, if_all_fail: null };
  if ("error" in outcome) return { ...known, ...open, decision: "error", error: outcome.error };
  const { ifAllPass, ifAllFail } = outcome;
  const verdict = renderVerdict(version, ifAllPass.verdict);
  // Nobody is asked for a yes only if nobody is asked at all.
  if (ifAllPass.asked.length === 0) return { ...known, ...open, decision: verdict.decision, verdict };
  return {
    ...known,
    ...open,
    decision: null,
    inquiries: ifAllPass.asked.map(({ leaf, validator, asks, costMax }) => ({
      leaf,
      validator,
      asks,
      cost_max: money(costMax, version.currency),
    })),
    if_all_pass: verdict,
    if_all_fail: renderVerdict(version, ifAllFail.verdict),
  };
}

const RESOLUTIONS = { pass: "success", partial: "partial", fail: "failure" } as const satisfies Record<
  Decision,
  string
>;

function renderVerdict({ terms, currency }: OutcomeTypeVersion, verdict: JudgedAnswer): TrialVerdictBody {
  const { decision, score, findings, validators, leaves, features, value } = verdict;
  const price = priceOf(terms.price, { resolution: RESOLUTIONS[decision], score, value });
  return {
    decision,
    score,
    findings: [...findings],
    validators: [...validators],
    leaves: leaves.map(renderLeaf),
    features: { ...features },
    feedback: decision === "pass" ? null : renderFeedback(findings),
    price: price > ZERO ? money(price, currency) : null,
  };
}
