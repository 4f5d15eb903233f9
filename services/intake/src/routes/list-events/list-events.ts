import { listEvents } from "@contingent/contracts/http/customer-events";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listCustomerEvents } from "@contingent/db/customer-events";
import { renderCustomerEvent } from "../../customers/render.ts";
import { idCursor } from "../../http/cursor.ts";
import { customerAskedFor } from "../../http/customer-asked-for.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";

export const listEventsRoute = route(listEvents, async ({ pool }, { caller, query }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const before = idCursor("evt", query.cursor);
  const filter = { customerId: customerAskedFor(caller, query.customer_id), type: query.type };
  const events = await listCustomerEvents(pool, filter, { before, limit: limit + 1 });
  return { status: 200, body: pageOf(events, limit, renderCustomerEvent, ({ id }) => id) };
});
