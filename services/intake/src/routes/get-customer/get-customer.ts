import { getCustomer } from "@contingent/contracts/http/customers";
import { visibleCustomer } from "../../customers/find.ts";
import { renderCustomer } from "../../customers/render.ts";
import { route } from "../../http/route.ts";

export const getCustomerRoute = route(getCustomer, async (context, { params: { id }, caller }) => ({
  status: 200,
  body: renderCustomer(await visibleCustomer(context, caller, id)),
}));
