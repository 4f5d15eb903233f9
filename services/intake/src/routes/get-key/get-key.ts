import { getKey } from "@contingent/contracts/http/keys";
import { route } from "../../http/route.ts";
import { findKey } from "../../keys/find.ts";
import { renderKey } from "../../keys/render.ts";

export const getKeyRoute = route(getKey, async (context, { caller, params: { id } }) => {
  return { status: 200, body: renderKey(await findKey(context, caller, id), caller.kind) };
});
