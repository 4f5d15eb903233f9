import { listOutcomeTypes, listOutcomeTypeVersions } from "@contingent/contracts/http/outcome-type-operations";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { latestVersions, versionsOf } from "@contingent/db/outcome-types-published";
import { ApiError } from "../../http/api-error.ts";
import { versionCursor } from "../../http/cursor.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { renderOutcomeType } from "../../outcome-types/render.ts";

export const listOutcomeTypesRoute = route(listOutcomeTypes, async (context, { query }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const published = await latestVersions(context.pool, { after: query.cursor ?? "", limit: limit + 1 });
  return { status: 200, body: pageOf(published, limit, renderOutcomeType, ({ name }) => name) };
});

export const listOutcomeTypeVersionsRoute = route(listOutcomeTypeVersions, async (context, { params, query }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const published = await versionsOf(context.pool, params.name, {
    before: versionCursor(query.cursor),
    limit: limit + 1,
  });
  if (published.length === 0 && query.cursor === undefined) {
    throw new ApiError("outcome_type_not_found", `There is no outcome type "${params.name}". Check the name.`, {
      param: "name",
    });
  }
  return { status: 200, body: pageOf(published, limit, renderOutcomeType, ({ version }) => String(version)) };
});
