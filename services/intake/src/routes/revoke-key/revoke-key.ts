import { revokeKey } from "@contingent/contracts/http/keys";
import { revokeKey as endKey } from "@contingent/db/key-changes";
import { endedKey } from "../../http/authenticate.ts";
import { route } from "../../http/route.ts";
import { findKey, noKey } from "../../keys/find.ts";
import { lastOperatorKey } from "../../keys/refusals.ts";
import { renderKey } from "../../keys/render.ts";

export const revokeKeyRoute = route(revokeKey, async (context, { caller, params: { id } }) => {
  await findKey(context, caller, id);
  const revoked = await endKey(context.pool, caller.keyId, id);
  context.keys.forget(id);
  if (revoked === null) throw noKey(id);
  if (revoked.kind === "last_keeper") throw lastOperatorKey(id);
  if (revoked.kind === "maker_ended") throw endedKey();
  return { status: 200, body: renderKey(await findKey(context, caller, id), caller.kind) };
});
