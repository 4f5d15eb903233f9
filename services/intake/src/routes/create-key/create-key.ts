import { createKey } from "@contingent/contracts/http/keys";
import { CUSTOMER_SCOPES, EVERY_SCOPE, type KeyScope } from "@contingent/core/keys/scopes";
import type { KeyOwner } from "@contingent/db/keys";
import { ApiError } from "../../http/api-error.ts";
import type { Caller } from "../../http/authenticate.ts";
import { route } from "../../http/route.ts";
import { expiryOf } from "../../keys/expiry.ts";
import { issueKey } from "../../keys/issue.ts";

export const createKeyRoute = route(createKey, async (context, { body, caller }) => {
  const { label, mode, scopes, expires_at: expiresAt } = body;
  if (caller.kind === "customer") requireScopesOfCustomers(scopes);
  return await issueKey(context, caller, {
    ...ownerLike(caller),
    label,
    mode,
    scopes,
    expiresAtMs: expiryOf(expiresAt),
  });
});

/** Whose keys are made with the caller's. */
function ownerLike(caller: Caller): KeyOwner {
  return caller.kind === "operator" ? { kind: "operator" } : { kind: "customer", customerId: caller.customerId };
}

const OF_CUSTOMERS: ReadonlySet<KeyScope> = new Set([EVERY_SCOPE, ...CUSTOMER_SCOPES]);

/** @throws ApiError when one is asked for that no customer's key can have */
function requireScopesOfCustomers(scopes: readonly KeyScope[]): void {
  const index = scopes.findIndex((scope) => !OF_CUSTOMERS.has(scope));
  if (index === -1) return;
  const param = `/scopes/${index}`;
  const message = `${param}: must be one of ${[...OF_CUSTOMERS].join(", ")}; ${scopes[index]} is for operators.`;
  throw new ApiError("invalid_field", message, { param });
}
