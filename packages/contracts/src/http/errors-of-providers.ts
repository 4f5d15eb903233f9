/** The errors that providers' models can end with: a part of the closed list in errors.ts, which checks their form. */
export const PROVIDER_ERRORS = {
  model_not_found: {
    type: "not_found_error",
    status: 404,
    meaning: "The price book has no such model of this provider.",
    remedy: "List the providers for their models. A model that has no price is not called.",
  },
} as const;
