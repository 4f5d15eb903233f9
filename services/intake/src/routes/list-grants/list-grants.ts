import { listGrants } from "@contingent/contracts/http/grants";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listGrants as list } from "@contingent/db/grants";
import { visibleCustomer } from "../../customers/find.ts";
import { renderGrant } from "../../customers/render.ts";
import { idCursor } from "../../http/cursor.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";

export const listGrantsRoute = route(listGrants, async (context, { params, query, caller }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const before = idCursor("gra", query.cursor);
  const { id } = await visibleCustomer(context, caller, params.id);
  const grants = await list(context.pool, id, { before, limit: limit + 1 });
  return { status: 200, body: pageOf(grants, limit, renderGrant, (grant) => grant.id) };
});
