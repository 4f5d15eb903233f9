import { createCustomerKey } from "@contingent/contracts/http/keys";
import { visibleCustomer } from "../../customers/find.ts";
import { route } from "../../http/route.ts";
import { expiryOf } from "../../keys/expiry.ts";
import { issueKey } from "../../keys/issue.ts";

export const createCustomerKeyRoute = route(createCustomerKey, async (context, { params, body, caller }) => {
  const { id: customerId } = await visibleCustomer(context, caller, params.id);
  const { label, mode, scopes, expires_at: expiresAt } = body;
  const expiresAtMs = expiryOf(expiresAt);
  return await issueKey(context, caller, { kind: "customer", customerId, label, mode, scopes, expiresAtMs });
});
