import type { Problem } from "@contingent/contracts/http/errors";
import { isJsonObject, type Json, type JsonObject } from "@contingent/core/json";
import { suspendedJudges } from "@contingent/db/judges";
import type { OutcomeTypeContent } from "@contingent/db/outcome-type-json";
import { llmJudge } from "@contingent/validators/llm_judge/llm_judge";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import { catalogOf } from "./catalog.ts";
import { bombsIn } from "./compile.ts";
import { pinThresholds } from "./pin-thresholds.ts";
import { resolveDefinition } from "./resolve.ts";

export interface SentDefinition {
  readonly definition: JsonObject;
  readonly content: OutcomeTypeContent;
}

/**
 * What a definition comes to that an operator sent for this outcome type.
 * @param at where in the body it stands
 * @throws ApiError with everything that would not work
 */
export async function resolveSent(
  { pool, priceBook, outgoing, run }: Pick<IntakeContext, "pool" | "priceBook" | "outgoing" | "run">,
  name: string,
  definition: Json,
  at = "",
): Promise<SentDefinition> {
  const bombs = await bombsIn(run, definition);
  if (bombs.length > 0) throw wouldNotWork(at, bombs);
  const catalog = catalogOf(await priceBook.rates());
  const pinned = await pinThresholds(pool, name, definition).catch(shownBelow(at));
  const suspended = await suspendedJudges(pool, name, `${llmJudge.name}@${llmJudge.version}`);
  const around = { catalog, nowMs: Date.now(), suspendedJudges: suspended, outgoing };
  const resolution = resolveDefinition(pinned.definition, around, pinned.calibratedBy);
  if (resolution.ok && isJsonObject(definition)) return { definition, content: resolution.content };
  throw wouldNotWork(at, resolution.ok ? [] : resolution.problems);
}

function wouldNotWork(at: string, found: readonly Problem[]): ApiError {
  const problems = below(at, found);
  const [first] = problems;
  const message = `The outcome type would not work; ${problems.length} to correct, the first one ${first?.param}: ${first?.message}.`;
  return new ApiError("invalid_outcome_type", message, { param: first?.param ?? at, problems });
}

function below(at: string, problems: readonly Problem[]): readonly Problem[] {
  return problems.map(({ param, message }) => ({ param: at + param, message }));
}

/** Throws the error with its place in the body. */
function shownBelow(at: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof ApiError)) throw error;
    const { code, message, param, problems } = error;
    const details = problems === null ? {} : { problems: below(at, problems) };
    throw new ApiError(code, message, { param: at + (param ?? ""), ...details });
  };
}
