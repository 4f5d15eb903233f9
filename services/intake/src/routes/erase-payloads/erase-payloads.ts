import { erasePayloads } from "@contingent/contracts/http/payloads";
import { erasePayloads as erase } from "@contingent/db/payloads/erase";
import { noCustomer } from "../../customers/find.ts";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { isoTime } from "../../jobs/render.ts";

export const erasePayloadsRoute = route(erasePayloads, async ({ pool }, { params: { id } }) => {
  const erased = await erase(pool, id);
  switch (erased.kind) {
    case "erased": {
      const body = { object: "erasure", customer: id, keys: erased.keys, erased_until: isoTime(erased.untilMs) };
      return { status: 200, body };
    }
    case "no_customer":
      throw noCustomer(id);
    case "jobs_open": {
      const message = `${erased.jobId} of ${id} is still open, and could not be done without its texts. Cancel it or wait for it.`;
      throw new ApiError("jobs_open", message, { param: "id" });
    }
  }
});
