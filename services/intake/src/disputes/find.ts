import type { DisputeId } from "@contingent/core/ids";
import { findDispute as readDispute, type DisputeView } from "@contingent/ledger/disputes/views";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import type { Caller } from "../http/authenticate.ts";
import { maySee } from "../http/may-see.ts";
import { withOpenFindings } from "./reverification.ts";

/**
 * The dispute, if the caller may see it. Another customer's dispute does not exist for them.
 * @throws ApiError dispute_not_found
 */
export async function findDispute(
  { pool, payloads }: Pick<IntakeContext, "pool" | "payloads">,
  caller: Caller,
  id: DisputeId,
): Promise<DisputeView> {
  const view = await readDispute(pool, id);
  if (view !== null && maySee(caller, view.customerId)) return await withOpenFindings(payloads, view);
  throw unknownDispute(id);
}

export function unknownDispute(id: DisputeId): ApiError {
  return new ApiError("dispute_not_found", `There is no dispute ${id}. Check the id and the key.`, { param: "id" });
}
