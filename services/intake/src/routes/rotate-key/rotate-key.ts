import { rotateKey } from "@contingent/contracts/http/keys";
import { rotateKey as replaceKey } from "@contingent/db/key-changes";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { expiryOf } from "../../keys/expiry.ts";
import { findKey, noKey } from "../../keys/find.ts";
import { madeKey } from "../../keys/issue.ts";
import { lastOperatorKey, refusedKey } from "../../keys/refusals.ts";

export const rotateKeyRoute = route(rotateKey, async (context, { caller, params: { id }, body }) => {
  await findKey(context, caller, id);
  const rotation = { overlapMs: body.overlap_s * 1_000, expiresAtMs: expiryOf(body.expires_at) };
  const rotated = await replaceKey(context.pool, caller.keyId, id, rotation);
  context.keys.forget(id);
  if (rotated === null) throw noKey(id);
  switch (rotated.kind) {
    case "made":
      return await madeKey(context, caller, rotated);
    case "last_keeper":
      throw lastOperatorKey(id);
    case "ended":
      throw new ApiError("key_ended", `${id} has ended already. Make another key.`, { param: "id" });
    case "replaced": {
      const message = `${rotated.id} takes the place of ${id} already. Use it, or revoke it first if it was lost.`;
      throw new ApiError("key_replaced", message, { param: "id" });
    }
    default:
      throw refusedKey(rotated);
  }
});
