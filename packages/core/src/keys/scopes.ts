/**
 * What API keys may do. Each endpoint needs one scope; a key has some of them, or `*`: all that its kind may have, those of
 * later versions too. A scope never changes its meaning, for keys that were given away hold on to it.
 */

/** Whose a key is: the operator's, who sees everybody's things, or a customer's, who sees their own. */
export type KeyKind = "operator" | "customer";

/** What a customer's key can be for. An operator's can be for these too. */
export const CUSTOMER_SCOPES = [
  "jobs:read",
  "jobs:write",
  "disputes:read",
  "disputes:write",
  "billing:read",
  "customers:read",
  "keys:read",
  "keys:write",
] as const;
export type CustomerScope = (typeof CUSTOMER_SCOPES)[number];

export const OPERATOR_SCOPES = [
  ...CUSTOMER_SCOPES,
  "billing:write",
  "customers:write",
  "types:read",
  "types:write",
  "reviews:read",
  "reviews:write",
  "quality:read",
  "quality:write",
  "books:read",
  "books:write",
  "system:read",
  "system:write",
] as const;
export type Scope = (typeof OPERATOR_SCOPES)[number];

export const EVERY_SCOPE = "*";
/** What stands in a key. */
export type KeyScope = Scope | typeof EVERY_SCOPE;

/** Whether a key with these scopes may do what needs this one. */
export function allows(given: readonly KeyScope[], needed: Scope): boolean {
  return given.includes(EVERY_SCOPE) || given.includes(needed);
}

/** What a key's holder would give away without having it. Nobody but who may do everything gives everything away. */
export function scopesBeyond(holder: readonly KeyScope[], asked: readonly KeyScope[]): readonly KeyScope[] {
  return holder.includes(EVERY_SCOPE) ? [] : asked.filter((scope) => !holder.includes(scope));
}
