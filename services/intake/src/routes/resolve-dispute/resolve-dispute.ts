import { resolveDispute } from "@contingent/contracts/http/disputes";
import { type DisputeEnd, resolveDispute as resolve } from "@contingent/ledger/disputes/resolve-dispute";
import type { z } from "zod";
import { findDispute, unknownDispute } from "../../disputes/find.ts";
import { resolvedOtherwise, statementClosing, tooMuch } from "../../disputes/refusals.ts";
import { renderDispute } from "../../disputes/render.ts";
import { route } from "../../http/route.ts";
import { nanosOf } from "../../outcome-types/resolve-parts.ts";

export const resolveDisputeRoute = route(resolveDispute, async (context, { caller, params: { id }, body }) => {
  const resolved = await resolve(context.pool, id, endOf(body));
  if (resolved === null) throw unknownDispute(id);
  if (resolved.kind === "resolved_otherwise") throw resolvedOtherwise(id, resolved.state);
  if (resolved.kind === "too_much") throw tooMuch(resolved, `what ${id} disputes`);
  if (resolved.kind === "statement_closing") throw statementClosing(resolved.statement);
  return { status: 200, body: renderDispute(await findDispute(context, caller, id)) };
});

function endOf(body: z.output<(typeof resolveDispute)["body"]["schema"]>): DisputeEnd {
  const { reason } = body;
  if (body.outcome === "uphold") return { outcome: "uphold", reason };
  return { outcome: "credit", reason, amount: body.amount === undefined ? null : nanosOf(body.amount) };
}
