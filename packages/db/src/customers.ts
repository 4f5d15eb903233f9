import type { CustomerId } from "@contingent/core/ids";
import type { Queryable } from "./pool.ts";

/** Creates the customer unless it exists already. The name of one that exists stays as it is. */
export async function ensureCustomer(
  db: Queryable,
  customer: { readonly id: CustomerId; readonly name: string },
): Promise<void> {
  await db.query({
    text: "INSERT INTO customer (id, name) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
    values: [customer.id, customer.name],
  });
}
