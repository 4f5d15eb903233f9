import type { KeyId } from "@contingent/core/ids";
import { findKey as readKey, type KeyView } from "@contingent/db/key-views";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import type { Caller } from "../http/authenticate.ts";
import { maySee } from "../http/may-see.ts";

/**
 * The key, if the caller may see it. Another customer's key does not exist for them, nor does an operator's.
 * @throws ApiError key_not_found
 */
export async function findKey({ pool }: Pick<IntakeContext, "pool">, caller: Caller, id: KeyId): Promise<KeyView> {
  const view = await readKey(pool, id);
  if (view !== null && maySee(caller, view.customerId)) return view;
  throw noKey(id);
}

export function noKey(id: KeyId): ApiError {
  return new ApiError("key_not_found", `There is no API key ${id}. Check the id and the key.`, { param: "id" });
}
