import type { CustomerId } from "@contingent/core/ids";
import { ApiError } from "./api-error.ts";
import type { Caller } from "./authenticate.ts";
import { maySee } from "./may-see.ts";

/**
 * Whose things a list is of: customers see their own, whatever they ask for; operators see everybody's (undefined).
 * @throws ApiError wrong_scope when a customer asks for another one's
 */
export function customerAskedFor(caller: Caller, asked: CustomerId | undefined): CustomerId | undefined {
  if (caller.kind === "operator") return asked;
  if (asked === undefined || maySee(caller, asked)) return caller.customerId;
  throw new ApiError("wrong_scope", "Only operators may list what is another customer's. Leave customer_id out.", {
    param: "customer_id",
  });
}
