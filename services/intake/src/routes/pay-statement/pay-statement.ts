import { payStatement } from "@contingent/contracts/http/statements";
import { formatMoney, parseMoney, ZERO } from "@contingent/core/money";
import { payStatement as pay, type Paying } from "@contingent/ledger/statement/pay";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { findVisibleStatement, viewVisibleStatement } from "../../statements/find.ts";
import { renderStatement } from "../../statements/render.ts";

export const payStatementRoute = route(payStatement, async (context, { caller, params: { id }, body }) => {
  await findVisibleStatement(context, caller, id);
  const refusal = refusalOf(
    await pay(context.pool, { statementId: id, ref: body.ref, amount: parseMoney(body.amount) ?? ZERO }),
  );
  if (refusal !== null) throw refusal;
  return { status: 200, body: renderStatement(await viewVisibleStatement(context, caller, id)) };
});

function refusalOf(paying: Paying): ApiError | null {
  switch (paying.kind) {
    case "paid":
    case "paid_before":
      return null;
    // An open one has no row, and was found a moment ago.
    case "no_statement":
    case "not_closed":
      return new ApiError("statement_not_closed", "The statement is not closed: nobody owes it yet. Close it first.", {
        param: "id",
      });
    case "ref_taken": {
      const { statementId, amount } = paying;
      const message = `This ref stands for a payment of ${formatMoney(amount)} on ${statementId}. Use another one for another payment.`;
      return new ApiError("payment_ref_reused", message, { param: "/ref" });
    }
    case "too_much": {
      const message = `There is ${formatMoney(paying.balance)} left to pay. Record at most that.`;
      return new ApiError("overpayment", message, { param: "/amount" });
    }
  }
}
