import { openDispute } from "@contingent/contracts/http/disputes";
import { type OpenedDispute, openDispute as open } from "@contingent/ledger/disputes/open-dispute";
import type { DisputeId } from "@contingent/core/ids";
import type { JobView } from "@contingent/db/job-views";
import { findDispute } from "../../disputes/find.ts";
import { openAlready, tooMuch, windowOver } from "../../disputes/refusals.ts";
import { renderDispute } from "../../disputes/render.ts";
import { storedReverification } from "../../disputes/reverification.ts";
import { route } from "../../http/route.ts";
import { findJob } from "../../jobs/find.ts";
import { noCharge } from "../../jobs/no-charge.ts";
import { renderReverification } from "../../jobs/render-reverification.ts";
import { reverify } from "../../jobs/reverify.ts";
import { nanosOf } from "../../outcome-types/resolve-parts.ts";

const NOTHING = "nothing to dispute";

export const openDisputeRoute = route(openDispute, async (context, { caller, params, body }) => {
  const view = await findJob(context, caller, params.id);
  if (view.charge === null) throw noCharge(view, NOTHING);
  const found = await reverify(context, params.id);
  if (found === null) throw new Error(`${params.id} is charged and has no verdict`);
  const shown = renderReverification(params.id, found);
  const reverification = await storedReverification(context.payloads, view.customerId, shown);
  const opened = await open(context.pool, {
    jobId: params.id,
    reason: body.reason,
    asked: body.amount === undefined ? null : nanosOf(body.amount),
    reverification,
  });
  const id = disputeOf(opened, view);
  const dispute = renderDispute(await findDispute(context, caller, id));
  if (opened.kind === "repeated") return { status: 200, body: dispute };
  return { status: 201, body: dispute, headers: { Location: `/v1/disputes/${id}` } };
});

function disputeOf(opened: OpenedDispute, view: JobView): DisputeId {
  switch (opened.kind) {
    case "opened":
    case "repeated":
      return opened.id;
    case "open_already":
      throw openAlready(opened.id);
    case "window_over":
      throw windowOver(view.id, opened.untilMs);
    case "too_much":
      throw tooMuch(opened, `the charge for ${view.id}`);
    case "no_charge":
      throw noCharge(view, NOTHING);
  }
}
