/** Why a key is not made, rotated or revoked, in words. */
import type { KeyId } from "@contingent/core/ids";
import { type KeyRefusal, LIVE_KEYS_MAX } from "@contingent/core/keys/keys";
import { ApiError } from "../http/api-error.ts";
import { endedKey } from "../http/authenticate.ts";
import { isoTime } from "../jobs/render.ts";

export function refusedKey(refusal: KeyRefusal): ApiError {
  switch (refusal.kind) {
    case "maker_ended":
      return endedKey();
    case "gives_more": {
      const message = `A key gives no more than it has, and yours lacks ${refusal.scopes.join(", ")}. Ask for fewer scopes.`;
      return new ApiError("insufficient_scope", message, { param: "/scopes" });
    }
    case "outlives": {
      const message = `/expires_at: must not be after ${isoTime(refusal.untilMs)}, when the key ends that you ask with.`;
      return new ApiError("invalid_field", message, { param: "/expires_at" });
    }
    case "over_already":
      return new ApiError("invalid_field", "/expires_at: must be in the future.", { param: "/expires_at" });
    case "too_many": {
      const message = `There are ${LIVE_KEYS_MAX} keys that work already. Revoke those that are not used any more.`;
      return new ApiError("too_many_keys", message);
    }
  }
}

export function lastOperatorKey(id: KeyId): ApiError {
  const message = `${id} is the last operator's key that may do everything. First make another one with the scope *, that works for a day at least.`;
  return new ApiError("last_operator_key", message, { param: "id" });
}
