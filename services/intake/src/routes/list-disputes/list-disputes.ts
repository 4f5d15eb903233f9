import { listDisputes } from "@contingent/contracts/http/disputes";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listDisputes as readDisputes } from "@contingent/ledger/disputes/views";
import { renderDispute } from "../../disputes/render.ts";
import { withOpenFindings } from "../../disputes/reverification.ts";
import { customerAskedFor } from "../../http/customer-asked-for.ts";
import { idCursor } from "../../http/cursor.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";

export const listDisputesRoute = route(listDisputes, async ({ pool, payloads }, { caller, query }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const before = idCursor("dsp", query.cursor);
  const customerId = customerAskedFor(caller, query.customer_id);
  const filter = { customerId, jobId: query.job, state: query.state };
  const found = await readDisputes(pool, filter, { before, limit: limit + 1 });
  const views = await Promise.all(found.map((view) => withOpenFindings(payloads, view)));
  return { status: 200, body: pageOf(views, limit, renderDispute, ({ id }) => id) };
});
