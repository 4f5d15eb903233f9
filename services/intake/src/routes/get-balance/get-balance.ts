import { getBalance } from "@contingent/contracts/http/customers";
import { visibleCustomer } from "../../customers/find.ts";
import { renderBalance } from "../../customers/render.ts";
import { route } from "../../http/route.ts";

export const getBalanceRoute = route(getBalance, async (context, { caller }) => ({
  status: 200,
  body: renderBalance(await visibleCustomer(context, caller, caller.customerId)),
}));
