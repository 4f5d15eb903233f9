import { listJobs } from "@contingent/contracts/http/operations";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listJobViews } from "@contingent/db/job-views";
import { idCursor } from "../../http/cursor.ts";
import { customerAskedFor } from "../../http/customer-asked-for.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { renderJob } from "../../jobs/render.ts";

export const listJobsRoute = route(listJobs, async (context, { caller, query }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const expand = query["expand[]"];
  const before = idCursor("job", query.cursor);
  const filter = {
    customerId: customerAskedFor(caller, query.customer_id),
    state: query.state,
    resolution: query.resolution,
    outcomeType: query.outcome_type,
    outcomeKey: query.outcome_key,
    createdFromMs: query.created_from,
    createdUntilMs: query.created_until,
  };
  const attempts = expand?.includes("attempts") ?? false;
  const views = await listJobViews(context.pool, filter, { before, limit: limit + 1, attempts }, context.payloads);
  return {
    status: 200,
    body: pageOf(
      views,
      limit,
      (view) => renderJob(view, { kind: caller.kind, expand }),
      ({ id }) => id,
    ),
  };
});
