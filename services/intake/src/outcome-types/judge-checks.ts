/**
 * Whether models that judge can do what an outcome type asks of them: they are there and have a price, they judge answers
 * of others, what they cost fits, and nothing is billed on their word alone.
 */
import { tierOfModel } from "@contingent/catalog/tiers";
import type { Problem } from "@contingent/contracts/http/errors";
import { rateAt, worstCaseCost } from "@contingent/core/cost";
import type { Json } from "@contingent/core/json";
import { formatMoney, nanos, ZERO } from "@contingent/core/money";
import { mayJudge } from "@contingent/core/model-family";
import type { ValidatorNode } from "@contingent/core/outcome-type";
import { decisionFor } from "@contingent/core/verdict";
import { checkTree } from "@contingent/validators/check-tree";
import { type Member, membersOf } from "@contingent/validators/leaves";
import { llmJudge } from "@contingent/validators/llm_judge/llm_judge";
import type { JudgeOptions } from "@contingent/validators/llm_judge/options";
import { costMaxOf } from "@contingent/validators/llm_judge/plan";
import { rangeOf } from "@contingent/validators/range";
import type { Parts, Surroundings } from "./checks.ts";
import { modelsOf } from "./resolve-parts.ts";

const TREE = "/validator";

/** Judges whose options can be read, each with its place in the definition. */
interface Judge {
  readonly path: string;
  readonly options: JudgeOptions;
}

export function knowsItsJudges(
  { validator }: Parts,
  { catalog, nowMs, suspendedJudges }: Surroundings,
): readonly Problem[] {
  return judgesIn(validator).flatMap(({ path, options }) =>
    options.models.flatMap((model, n) => {
      const param = `${path}/options/models/${n}`;
      if (!catalog.modelExists(model)) return [{ param, message: `there is no model "${model}" in the catalog` }];
      if (rateAt(catalog.rates, model, nowMs) === null)
        return [{ param, message: `the model "${model}" has no known price today, so it is never asked` }];
      if (!suspendedJudges.includes(model)) return [];
      const remedy = "name another one, or reinstate it: POST /v1/judges/{id}/reinstate";
      return [{ param, message: `"${model}" is suspended as a judge of this outcome type; ${remedy}` }];
    }),
  );
}

/** Each model of the cascade needs a judge of another family or tier, or its answers could never be judged. */
export function judgesAnswersOfOthers(
  { validator, cascade = [] }: Parts,
  { catalog }: Surroundings,
): readonly Problem[] {
  const producers = cascade.flatMap((step) =>
    modelsOf(step, catalog).map((model) => ({ model, tier: tierOfModel(model) ?? step.tier })),
  );
  return judgesIn(validator).flatMap(({ path, options }) => {
    const judges = options.models.map((model) => ({ model, tier: tierOfModel(model) }));
    const unjudged = producers.filter((producer) => !judges.some((judge) => mayJudge(judge, producer)));
    if (unjudged.length === 0) return [];
    const whose = [...new Set(unjudged.map(({ model }) => model))].join(", ");
    return [
      {
        param: `${path}/options/models`,
        message: `has no model of another family or tier than ${whose}, whose answers could not be judged`,
      },
    ];
  });
}

/**
 * What a judgement may cost pays for the votes that are wanted, and one on a known-bad answer where such are wanted: each
 * with the output that it may have, prompts not counted. Else it would be asked with fewer votes, unwatched, or never.
 */
export function paysItsJudges({ validator }: Parts, { catalog, nowMs }: Surroundings): readonly Problem[] {
  return judgesIn(validator).flatMap(({ path, options }) => {
    const { votes, canaries, cost_max: costMax, output_tokens_max: tokensMax } = options;
    const asked = votes + (canaries.rate > 0 ? 1 : 0);
    const dearest = options.models
      .flatMap((model) => rateAt(catalog.rates, model, nowMs) ?? [])
      .map((rate) => worstCaseCost(rate, 0, tokensMax))
      .reduce((most, cost) => (cost > most ? cost : most), ZERO);
    const needed = nanos(dearest * BigInt(asked));
    if (costMaxOf(options) >= needed) return [];
    const what = `${votes === 1 ? "one vote" : `${votes} votes`}${canaries.rate > 0 ? " and one on a known-bad answer" : ""}`;
    const message = `${costMax} does not pay for ${what}: their output alone may cost ${formatMoney(needed)}. Raise it well above, so that prompts fit too, or lower output_tokens_max`;
    return [{ param: `${path}/options/cost_max`, message }];
  });
}

/** Refuses a tree that judges alone could bring to a bill: a check of another kind must be able to prevent it. */
export function judgesWithOthers({ validator, judge_alone: alone = false, ...parts }: Parts): readonly Problem[] {
  if (alone || judgesIn(validator).length === 0) return [];
  const score = scoreByJudgesAlone(validator as ValidatorNode);
  const asked = [parts.success_at ?? 1, ...(parts.cascade ?? []).flatMap((step) => step.success_at ?? [])];
  if (decisionFor(score, Math.min(...asked), parts.partial_at ?? null) === "fail") return [];
  const message =
    "could pass on the word of a judge alone, which can be talked into anything: add a check that must also pass (other than json_schema), or say judge_alone: true";
  return [{ param: TREE, message }];
}

function judgesIn(validator: Json | undefined): readonly Judge[] {
  if (validator === undefined || checkTree(validator, TREE).length > 0) return [];
  return leavesBelow({ path: TREE, node: validator as ValidatorNode }).flatMap(({ path, node }) => {
    if (!("use" in node) || node.use !== llmJudge.name) return [];
    const options = llmJudge.options.safeParse(node.options);
    return options.success ? [{ path, options: options.data }] : [];
  });
}

function leavesBelow(at: Member): readonly Member[] {
  return "use" in at.node ? [at] : membersOf(at).flatMap(leavesBelow);
}

/** Leaves whose favour is no evidence: judges can be fooled, any answer keeps a shape, and a customer may say nothing. */
const NO_EVIDENCE: ReadonlySet<string> = new Set([llmJudge.name, "json_schema", "customer_acceptance"]);

/** What the tree comes to at least when judges say whatever helps the answer, and every other check what harms it. */
function scoreByJudgesAlone(tree: ValidatorNode): number {
  // Under a `not` a low score helps: each leaf has the bound that would be taken of it.
  const helps = { low: 1, high: 0 };
  const harms = { low: 0, high: 1 };
  return rangeOf({ path: TREE, node: tree }, ({ node }) => ("use" in node && NO_EVIDENCE.has(node.use) ? helps : harms))
    .low;
}
