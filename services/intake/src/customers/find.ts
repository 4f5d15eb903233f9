import type { CustomerId } from "@contingent/core/ids";
import { type CustomerView, findCustomer } from "@contingent/db/customers";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import type { Caller } from "../http/authenticate.ts";
import { maySee } from "../http/may-see.ts";

/**
 * The customer, if the caller may see it. Another customer does not exist for customers.
 * @throws ApiError customer_not_found
 */
export async function visibleCustomer(
  { pool }: Pick<IntakeContext, "pool">,
  caller: Caller,
  id: CustomerId,
): Promise<CustomerView> {
  const view = maySee(caller, id) ? await findCustomer(pool, id) : null;
  if (view === null) throw noCustomer(id);
  return view;
}

export function noCustomer(id: CustomerId): ApiError {
  return new ApiError("customer_not_found", `There is no customer ${id}. Check the id and the key.`, { param: "id" });
}
