import { withdrawDispute } from "@contingent/contracts/http/disputes";
import { resolveDispute } from "@contingent/ledger/disputes/resolve-dispute";
import { findDispute } from "../../disputes/find.ts";
import { resolvedOtherwise } from "../../disputes/refusals.ts";
import { renderDispute } from "../../disputes/render.ts";
import { route } from "../../http/route.ts";

export const withdrawDisputeRoute = route(withdrawDispute, async (context, { caller, params: { id } }) => {
  await findDispute(context, caller, id);
  const resolved = await resolveDispute(context.pool, id, { outcome: "withdraw" });
  if (resolved?.kind === "resolved_otherwise") throw resolvedOtherwise(id, resolved.state);
  return { status: 200, body: renderDispute(await findDispute(context, caller, id)) };
});
