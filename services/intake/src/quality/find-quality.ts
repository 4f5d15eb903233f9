import { type Quality, readQuality } from "@contingent/ledger/quality/quality";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";

/** @throws ApiError outcome_type_not_found */
export async function findQuality(
  { pool }: Pick<IntakeContext, "pool">,
  name: string,
  version: number | undefined,
): Promise<Quality> {
  const quality = await readQuality(pool, name, version ?? null);
  if (quality !== null) return quality;
  const what = version === undefined ? `outcome type "${name}"` : `version ${version} of the outcome type "${name}"`;
  throw new ApiError("outcome_type_not_found", `There is no ${what}. Check the name and the number.`, {
    param: version === undefined ? "name" : "version",
  });
}
