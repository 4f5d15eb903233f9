/** The errors that a service's reply can end with: a part of the closed list in errors.ts, which checks their form. */
export const INQUIRY_ERRORS = {
  invalid_signature: {
    type: "authentication_error",
    status: 401,
    meaning: "There is no inquiry of this id that a reply with this signature is good for.",
    remedy:
      "Sign the very bytes of the body by Standard Webhooks, with the secret that the inquiry was signed with, the inquiry's id as `webhook-id` and the time of now.",
  },
  inquiry_replied: {
    type: "conflict_error",
    status: 409,
    meaning: "The inquiry has another reply already.",
    remedy: "Nothing: what was replied first stands. Send the same reply again only to repeat it.",
  },
  inquiry_over: {
    type: "conflict_error",
    status: 409,
    meaning: "The inquiry takes no reply any more: its time is over, or its job does not wait for it.",
    remedy: "Reply sooner, or have the outcome type give more time (`reply_within_ms`).",
  },
} as const;
