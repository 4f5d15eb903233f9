import { getDispute } from "@contingent/contracts/http/disputes";
import { findDispute } from "../../disputes/find.ts";
import { renderDispute } from "../../disputes/render.ts";
import { route } from "../../http/route.ts";

export const getDisputeRoute = route(getDispute, async (context, { caller, params }) => {
  return { status: 200, body: renderDispute(await findDispute(context, caller, params.id)) };
});
