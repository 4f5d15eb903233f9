import { putRetention } from "@contingent/contracts/http/payloads";
import { changeRetention } from "@contingent/db/payloads/erase";
import { noCustomer, visibleCustomer } from "../../customers/find.ts";
import { renderCustomer } from "../../customers/render.ts";
import { route } from "../../http/route.ts";

export const putRetentionRoute = route(putRetention, async (context, { params: { id }, body, caller }) => {
  if (!(await changeRetention(context.pool, id, body.payload_days))) throw noCustomer(id);
  return { status: 200, body: renderCustomer(await visibleCustomer(context, caller, id)) };
});
