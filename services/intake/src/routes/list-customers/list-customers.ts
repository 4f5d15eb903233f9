import { listCustomers } from "@contingent/contracts/http/customers";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listCustomers as list } from "@contingent/db/customers";
import { renderCustomer } from "../../customers/render.ts";
import { idCursor } from "../../http/cursor.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";

export const listCustomersRoute = route(listCustomers, async ({ pool }, { query }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const views = await list(pool, { after: idCursor("cus", query.cursor) ?? "", limit: limit + 1 });
  return { status: 200, body: pageOf(views, limit, renderCustomer, ({ id }) => id) };
});
