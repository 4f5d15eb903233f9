import { getOutcomeType, getOutcomeTypeVersion } from "@contingent/contracts/http/outcome-type-operations";
import { publishedVersion } from "@contingent/db/outcome-types-published";
import type { IntakeContext } from "../../context.ts";
import { ApiError } from "../../http/api-error.ts";
import { type Reply, route } from "../../http/route.ts";
import { renderOutcomeType } from "../../outcome-types/render.ts";

export const getOutcomeTypeRoute = route(getOutcomeType, (context, { params }) => read(context, params.name, null));

export const getOutcomeTypeVersionRoute = route(getOutcomeTypeVersion, (context, { params }) =>
  read(context, params.name, params.version),
);

async function read(context: IntakeContext, name: string, version: number | null): Promise<Reply> {
  const published = await publishedVersion(context.pool, name, version);
  if (published !== null) return { status: 200, body: renderOutcomeType(published) };
  const what = version === null ? `outcome type "${name}"` : `version ${version} of the outcome type "${name}"`;
  throw new ApiError("outcome_type_not_found", `There is no ${what}. Check the name and the number.`, {
    param: version === null ? "name" : "version",
  });
}
