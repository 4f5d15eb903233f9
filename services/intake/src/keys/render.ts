/** A key as the API's JSON. Whose key has made or revoked it is shown to those who may see that key. */
import type { KeyBody } from "@contingent/contracts/http/keys";
import type { KeyId } from "@contingent/core/ids";
import { isLive } from "@contingent/core/keys/keys";
import type { KeyKind } from "@contingent/core/keys/scopes";
import type { KeyName, KeyView } from "@contingent/db/key-views";
import { isoTime } from "../jobs/render.ts";

export function renderKey(view: KeyView, shownTo: KeyKind): KeyBody {
  const visible = (name: KeyName | null): KeyId | null =>
    name === null || (shownTo === "customer" && name.kind === "operator") ? null : name.id;
  return {
    id: view.id,
    object: "api_key",
    kind: view.kind,
    customer_id: view.customerId,
    label: view.label,
    mode: view.mode,
    scopes: [...view.scopes],
    state: stateOf(view),
    created_at: isoTime(view.createdAtMs),
    created_by: visible(view.createdBy),
    expires_at: timeOrNull(view.expiresAtMs),
    revoked_at: timeOrNull(view.revokedAtMs),
    revoked_by: visible(view.revokedBy),
    last_used_at: timeOrNull(view.lastUsedAtMs),
    replaces: view.replaces,
    replaced_by: view.replacedBy,
  };
}

function stateOf(view: KeyView): KeyBody["state"] {
  if (view.revokedAtMs !== null) return "revoked";
  return isLive(view, view.nowMs) ? "active" : "expired";
}

function timeOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}
