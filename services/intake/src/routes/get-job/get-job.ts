import { getJob } from "@contingent/contracts/http/operations";
import { route } from "../../http/route.ts";
import { findJob } from "../../jobs/find.ts";
import { renderJob } from "../../jobs/render.ts";
import { viewWhenClosed } from "../../jobs/wait.ts";

export const getJobRoute = route(getJob, async (context, { caller, params, query, signal }) => {
  const expand = query["expand[]"];
  const waitS = query.wait ?? 0;
  const attempts = expand?.includes("attempts") ?? false;
  let view = await findJob(context, caller, params.id, { attempts });
  if (waitS > 0 && view.state !== "closed") {
    view = await viewWhenClosed(context, view, { waitS, signal, attempts });
  }
  return { status: 200, body: renderJob(view, { kind: caller.kind, expand }) };
});
