/** The errors that API keys can be the reason of: a part of the closed list in errors.ts, which checks their form. */
export const KEY_ERRORS = {
  missing_api_key: {
    type: "authentication_error",
    status: 401,
    meaning: "The request carries no API key.",
    remedy: "Send `Authorization: Bearer ctg_…`.",
  },
  invalid_api_key: {
    type: "authentication_error",
    status: 401,
    meaning: "The API key is mistyped, unknown, expired or revoked.",
    remedy: "Copy the key again, or ask the operator for a new one.",
  },
  wrong_scope: {
    type: "permission_error",
    status: 403,
    meaning: "The API key is good, but not for this endpoint: that is for operators only, or for customers only.",
    remedy: "Use a key of the kind that the message names.",
  },
  insufficient_scope: {
    type: "permission_error",
    status: 403,
    meaning: "The API key is good, but its scopes do not allow this.",
    remedy: "Use a key that has the scope which the message names. A key's scopes never change: make another one.",
  },
  key_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "There is no such API key, or it is another customer's.",
    remedy: "Check the id: `key_` and the letters and digits that stand after `ctg_live_` in the key.",
  },
  key_ended: {
    type: "conflict_error",
    status: 409,
    meaning: "The API key has expired or was revoked, so that there is nothing to replace any more. No key was made.",
    remedy: "Make another key, with the scopes that this one had.",
  },
  key_replaced: {
    type: "conflict_error",
    status: 409,
    meaning: "Another API key takes this one's place already, and works: there are two at most. No key was made.",
    remedy: "Use the key that the message names; if it was lost, revoke it and rotate again.",
  },
  last_operator_key: {
    type: "conflict_error",
    status: 409,
    meaning:
      "Without this API key no operator's key would be left that may do everything, and none could be made any more. Nothing was changed.",
    remedy:
      "First make another operator's key with the scope `*` that works for a day at least; with it, do this again.",
  },
  too_many_keys: {
    type: "conflict_error",
    status: 409,
    meaning: "The owner has as many API keys that work as there may be. No key was made.",
    remedy: "Revoke those that are not used any more: the list says when each was used last.",
  },
} as const;
