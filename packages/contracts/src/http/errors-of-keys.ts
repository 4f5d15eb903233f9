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
} as const;
