import { putOutcomeType } from "@contingent/contracts/http/operations";
import { isJsonObject } from "@contingent/core/json";
import { publishVersion } from "@contingent/db/outcome-types-published";
import { ApiError } from "../../http/api-error.ts";
import { readJsonBody } from "../../http/read-body.ts";
import { route } from "../../http/route.ts";
import { catalogOf } from "../../outcome-types/catalog.ts";
import { pinThreshold } from "../../outcome-types/pin-threshold.ts";
import { renderOutcomeType } from "../../outcome-types/render.ts";
import { resolveDefinition } from "../../outcome-types/resolve.ts";

export const putOutcomeTypeRoute = route(
  putOutcomeType,
  async (context, { params: { name }, request }) => {
    const definition = await readJsonBody(request, putOutcomeType.body.type);
    const catalog = catalogOf(await context.priceBook.rates());
    const pinned = await pinThreshold(context.pool, name, definition);
    const resolution = resolveDefinition(
      pinned.definition,
      { catalog, nowMs: Date.now(), suspendedJudges: [] },
      pinned.from,
    );
    if (!resolution.ok || !isJsonObject(definition)) {
      const problems = resolution.ok ? [] : resolution.problems;
      const [first] = problems;
      const message = `The outcome type would not work; ${problems.length} to correct, the first one ${first?.param}: ${first?.message}.`;
      throw new ApiError("invalid_outcome_type", message, { param: first?.param ?? "", problems });
    }
    const published = await publishVersion(context.pool, name, definition, resolution.content);
    context.latest.forget(name);
    const Location = `/v1/outcome-types/${name}/versions/${published.version}`;
    return { status: published.isNew ? 201 : 200, body: renderOutcomeType(published), headers: { Location } };
  },
  { readsBody: true },
);
