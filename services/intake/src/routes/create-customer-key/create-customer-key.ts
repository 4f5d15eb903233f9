import { createCustomerKey } from "@contingent/contracts/http/customers";
import { createKey } from "@contingent/db/keys";
import { visibleCustomer } from "../../customers/find.ts";
import { route } from "../../http/route.ts";

export const createCustomerKeyRoute = route(createCustomerKey, async (context, { params, body, caller }) => {
  const { id: customerId } = await visibleCustomer(context, caller, params.id);
  const { label, mode } = body;
  const { id, text: key } = await createKey(context.pool, { kind: "customer", customerId, label, mode });
  return { status: 201, body: { id, object: "api_key", label, key } };
});
