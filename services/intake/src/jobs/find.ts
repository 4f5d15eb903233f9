import type { JobId } from "@contingent/core/ids";
import type { JobView } from "@contingent/db/job-views";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import type { Caller } from "../http/authenticate.ts";
import { maySee } from "../http/may-see.ts";

/**
 * The job, if the caller may see it. Another customer's job does not exist for them.
 * @throws ApiError job_not_found
 */
export async function findJob(
  context: Pick<IntakeContext, "views">,
  caller: Caller,
  id: JobId,
  options: { readonly attempts?: boolean } = {},
): Promise<JobView> {
  const view = await context.views(id, options);
  if (view !== null && maySee(caller, view.customerId)) return view;
  throw new ApiError("job_not_found", `There is no job ${id}. Check the id and the key.`, { param: "id" });
}
