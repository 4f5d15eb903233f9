import { putBilling } from "@contingent/contracts/http/customers";
import { changeBilling } from "@contingent/db/customer-billing";
import { noCustomer, visibleCustomer } from "../../customers/find.ts";
import { renderCustomer } from "../../customers/render.ts";
import { billingSettings } from "../../customers/settings.ts";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";

export const putBillingRoute = route(putBilling, async (context, { params: { id }, body, caller }) => {
  const changed = await changeBilling(context.pool, id, billingSettings(body));
  if (changed === "no_customer") throw noCustomer(id);
  if (changed === "in_use") {
    const message = `Jobs of ${id} were accepted, or money was moved, under the present way of billing: it stays. Keep it, or make another customer.`;
    throw new ApiError("billing_in_use", message, { param: "/billing" });
  }
  return { status: 200, body: renderCustomer(await visibleCustomer(context, caller, id)) };
});
