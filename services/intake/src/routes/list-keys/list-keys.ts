import { listKeys } from "@contingent/contracts/http/keys";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listKeys as readKeys } from "@contingent/db/key-views";
import { idCursor } from "../../http/cursor.ts";
import { customerAskedFor } from "../../http/customer-asked-for.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { renderKey } from "../../keys/render.ts";

export const listKeysRoute = route(listKeys, async ({ pool }, { caller, query }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const before = idCursor("key", query.cursor);
  const customerId = customerAskedFor(caller, query.customer_id);
  const filter = { customerId, kind: query.kind, createdBy: query.created_by };
  const keys = await readKeys(pool, filter, { before, limit: limit + 1 });
  return {
    status: 200,
    body: pageOf(
      keys,
      limit,
      (view) => renderKey(view, caller.kind),
      ({ id }) => id,
    ),
  };
});
