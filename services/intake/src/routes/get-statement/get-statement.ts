import { getStatement } from "@contingent/contracts/http/statements";
import { route } from "../../http/route.ts";
import { viewVisibleStatement } from "../../statements/find.ts";
import { renderStatement } from "../../statements/render.ts";

export const getStatementRoute = route(getStatement, async (context, { caller, params }) => {
  return { status: 200, body: renderStatement(await viewVisibleStatement(context, caller, params.id)) };
});
