import { createCustomer } from "@contingent/contracts/http/customers";
import { createCustomer as make } from "@contingent/db/customer-billing";
import { newId } from "@contingent/db/ids";
import { visibleCustomer } from "../../customers/find.ts";
import { renderCustomer } from "../../customers/render.ts";
import { billingSettings } from "../../customers/settings.ts";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";

export const createCustomerRoute = route(createCustomer, async (context, { body, caller }) => {
  const id = body.id ?? newId("cus");
  const made = await make(context.pool, { id, name: body.name, ...billingSettings(body) });
  if (made === "differs") {
    const message = `There is a customer ${id} already, with another name or other billing. Choose another id, or change that customer's billing.`;
    throw new ApiError("customer_exists", message, { param: "/id" });
  }
  const view = await visibleCustomer(context, caller, id);
  return {
    status: made === "created" ? 201 : 200,
    body: renderCustomer(view),
    headers: { Location: `/v1/customers/${id}` },
  };
});
