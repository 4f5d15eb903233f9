import { listStatements } from "@contingent/contracts/http/statements";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { isId } from "@contingent/core/ids";
import { statementSubject } from "@contingent/core/statement/period";
import { listStatements as readStatements, viewStatement } from "@contingent/ledger/statement/read";
import { ApiError } from "../../http/api-error.ts";
import { customerAskedFor } from "../../http/customer-asked-for.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { renderStatement } from "../../statements/render.ts";

export const listStatementsRoute = route(listStatements, async (context, { caller, query }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const after = query.cursor ?? null;
  if (after !== null && (!isId("stm", after) || statementSubject(after) === null)) {
    throw new ApiError(
      "invalid_field",
      "The cursor is not one that this list gave. Use next_cursor of the page before.",
      { param: "cursor" },
    );
  }
  const customerId = customerAskedFor(caller, query.customer_id);
  if (query.state === "open" && customerId === undefined) {
    throw new ApiError(
      "invalid_field",
      "Open statements are added up for one customer at a time. Give customer_id too.",
      {
        param: "customer_id",
      },
    );
  }
  const found = await readStatements(context.pool, { customerId, state: query.state }, { after, limit: limit + 1 });
  const page = pageOf(
    found,
    limit,
    (each) => each,
    ({ head }) => head.id,
  );
  const shown = [];
  // One after the other: an open one may be long to add up.
  for (const each of page.data) shown.push(renderStatement(await viewStatement(context.pool, context.terms, each)));
  return { status: 200, body: { ...page, data: shown } };
});
