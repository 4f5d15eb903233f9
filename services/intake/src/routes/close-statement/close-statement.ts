import { closeStatement } from "@contingent/contracts/http/statements";
import { type Begun, closeStatement as close } from "@contingent/ledger/statement/close";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { isoTime } from "../../jobs/render.ts";
import { statementNotFound, viewVisibleStatement } from "../../statements/find.ts";
import { renderStatement } from "../../statements/render.ts";

export const closeStatementRoute = route(closeStatement, async (context, { caller, params: { id } }) => {
  const refusal = refusalOf(await close(context.pool, id));
  if (refusal === "not_found") throw statementNotFound(id);
  if (refusal !== null) throw new ApiError("statement_not_closable", refusal, { param: "id" });
  return { status: 200, body: renderStatement(await viewVisibleStatement(context, caller, id)) };
});

/** Why the statement was not closed, for people; null: it was. */
function refusalOf(begun: Begun): string | null {
  switch (begun.kind) {
    case "begun":
    case "begun_before":
      return null;
    case "empty":
    case "no_customer":
      return "not_found";
    case "not_over":
      return `The period ends at ${isoTime(begun.endMs)}, and the customer's clock says ${isoTime(begun.nowMs)}. Close it after its end.`;
    case "earlier_open":
      return `The statement ${begun.id} is earlier and not closed. Close it first.`;
  }
}
