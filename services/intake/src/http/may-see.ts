import type { CustomerId } from "@contingent/core/ids";
import type { Caller } from "./authenticate.ts";

/**
 * Whether the caller may know of what belongs to this customer: customers of their own, operators of everything. The one
 * place that compares the two; what it refuses does not exist for the caller. It stands by itself: a customer's requests
 * are shown nothing else by the database either (db/tenants).
 */
export function maySee(caller: Caller, owner: CustomerId | null | undefined): boolean {
  return caller.kind === "operator" || caller.customerId === owner;
}
