import { tryOutcomeType } from "@contingent/contracts/http/trials";
import type { Json } from "@contingent/core/json";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import { ValidatorError } from "@contingent/validators/validator";
import type { IntakeContext } from "../../context.ts";
import { ApiError } from "../../http/api-error.ts";
import { type Call, route } from "../../http/route.ts";
import { inputProblems } from "../../outcome-types/input.ts";
import { renderTrial, type Tried } from "../../outcome-types/render-trial.ts";
import { resolveSent } from "../../outcome-types/resolve-sent.ts";
import { type Trial, tryAnswer } from "../../outcome-types/trial.ts";

export const tryOutcomeTypeRoute = route(tryOutcomeType, async (context, { params: { name }, body }) => {
  const version = await versionToTry(context, name, body.definition);
  const step = stepOf(version, body.tier);
  const { input, output } = body;
  const problems = inputProblems(version, input);
  const [first] = problems;
  if (first !== undefined) {
    const message = `The input does not fit the input schema: ${first.param} ${first.message}.`;
    throw new ApiError("invalid_input", message, { param: first.param, problems });
  }
  const tried: Tried = { version, step, isPublished: body.definition === undefined };
  const outcome = await outcomeOf(context, { version, step, input, text: textOf(output) });
  return { status: 200, body: renderTrial(tried, outcome) };
});

type Body = Call<typeof tryOutcomeType>["body"];

/** @throws ApiError when there is no such type, or the definition would not work */
async function versionToTry(
  context: IntakeContext,
  name: string,
  definition: Body["definition"],
): Promise<OutcomeTypeVersion> {
  if (definition !== undefined) {
    const { content } = await resolveSent(context, name, definition, "/definition");
    return { ...content, id: "otv_tried", name, version: 0 };
  }
  const version = await context.latest.get(name);
  if (version !== null) return version;
  const message = `There is no outcome type "${name}". Check its name, or send the definition to try.`;
  throw new ApiError("outcome_type_not_found", message, { param: "name" });
}

function stepOf({ terms: { cascade } }: OutcomeTypeVersion, tier: string | undefined): number {
  const step = tier === undefined ? 0 : cascade.findIndex((each) => each.tier === tier);
  if (step >= 0) return step;
  const tiers = cascade.map((each) => each.tier).join(", ");
  throw new ApiError("invalid_field", `/tier: its cascade has no tier "${tier}"; it has ${tiers}.`, { param: "/tier" });
}

/** A string is what a model wrote; anything else it wrote as JSON. */
function textOf(output: Json): string {
  return typeof output === "string" ? output : JSON.stringify(output);
}

async function outcomeOf(
  { run }: IntakeContext,
  evidence: Parameters<typeof tryAnswer>[0],
): Promise<Trial | { readonly error: string }> {
  try {
    return await tryAnswer(evidence, run);
  } catch (error) {
    if (error instanceof ValidatorError) return { error: error.message };
    throw error;
  }
}
