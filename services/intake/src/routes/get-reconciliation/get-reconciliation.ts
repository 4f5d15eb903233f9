import { getReconciliation, listReconciliations } from "@contingent/contracts/http/reconciliations";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { isId } from "@contingent/core/ids";
import { listReconciliations as listFrom } from "@contingent/ledger/reconciliations";
import { ApiError } from "../../http/api-error.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { readReconciliation, renderSummary } from "../../reconciliations/render.ts";

export const getReconciliationRoute = route(getReconciliation, async ({ pool }, { params }) => ({
  status: 200,
  body: await readReconciliation(pool, params.id),
}));

export const listReconciliationsRoute = route(listReconciliations, async ({ pool }, { query }) => {
  const { provider, limit = PAGE_SIZE_DEFAULT, cursor: before = null } = query;
  if (before !== null && !isId("rcn", before)) {
    const message = "The cursor is not one that this list gave. Use next_cursor of the page before.";
    throw new ApiError("invalid_field", message, { param: "cursor" });
  }
  const views = await listFrom(pool, { provider, before, limit: limit + 1 });
  return { status: 200, body: pageOf(views, limit, renderSummary, ({ id }) => id) };
});
