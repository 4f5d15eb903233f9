/** Who is calling: the customer comes from the key, never from the body. */
import type { CustomerId, KeyId } from "@contingent/core/ids";
import { isThisKey, keyIdOf, type StoredKey } from "@contingent/db/keys";
import type { Operation } from "@contingent/contracts/http/operation";
import { allows, type KeyScope } from "@contingent/core/keys/scopes";
import { ApiError } from "./api-error.ts";
import type { KnownKeys } from "./known-keys.ts";

export type Caller = { readonly keyId: KeyId; readonly scopes: readonly KeyScope[] } & (
  | { readonly kind: "customer"; readonly customerId: CustomerId }
  | { readonly kind: "operator" }
);

/**
 * Names the caller by the Authorization header.
 * @throws ApiError missing_api_key or invalid_api_key
 */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>;

/** `noteUse` is told of keys in use, about once a minute each; what becomes of that is nobody's to wait for. */
export function authenticator(keys: KnownKeys, noteUse: (id: KeyId) => void): Authenticate {
  return async (authorization) => {
    const text = bearerOf(authorization);
    const id = keyIdOf(text);
    if (id === null) throw invalid("The API key is mistyped: its checksum does not fit. Copy it again");
    const known = keys.get(id);
    const stored = await known.stored;
    if (stored === null || !isThisKey(text, stored))
      throw invalid("There is no such API key. Ask the operator for one");
    if (!stored.active) throw endedKey();
    if (!stored.usedLately && !known.noted) {
      known.noted = true;
      noteUse(id);
    }
    return callerOf(stored);
  };
}

export function endedKey(): ApiError {
  return invalid("The API key has expired or was revoked. Ask the operator for a new one");
}

function callerOf({ id: keyId, kind, scopes, customerId }: StoredKey): Caller {
  if (kind === "operator") return { kind, scopes, keyId };
  if (customerId === null) throw new Error(`the customer key ${keyId} has no customer`);
  return { kind, scopes, customerId, keyId };
}

function bearerOf(authorization: string | undefined): string {
  const match = /^Bearer +(\S+)$/i.exec(authorization?.trim() ?? "");
  if (match?.[1] !== undefined) return match[1];
  const message =
    authorization === undefined
      ? "The request carries no API key. Send the header Authorization: Bearer <key>."
      : "The Authorization header is not of the form: Bearer <key>.";
  throw new ApiError("missing_api_key", message, { headers: { "WWW-Authenticate": "Bearer" }, param: "authorization" });
}

function invalid(message: string): ApiError {
  return new ApiError("invalid_api_key", `${message}.`, {
    headers: { "WWW-Authenticate": 'Bearer error="invalid_token"' },
    param: "authorization",
  });
}

/** @throws ApiError wrong_scope or insufficient_scope when the caller's key does not open the endpoint */
export function requireScope(caller: Caller, { access, scope }: Pick<Operation, "access" | "scope">): void {
  if (access !== "any" && access !== "public" && access !== caller.kind) {
    const owner = access === "operator" ? "an operator's key" : "a customer's key";
    const yours = caller.kind === "operator" ? "an operator's" : "a customer's";
    const message = `This endpoint needs ${owner}; yours is ${yours}.`;
    throw new ApiError("wrong_scope", message, { param: "authorization" });
  }
  if (scope === null || allows(caller.scopes, scope)) return;
  const message = `This endpoint needs the scope ${scope}; your key has ${caller.scopes.join(", ")}.`;
  const challenge = `Bearer error="insufficient_scope", scope="${scope}"`;
  throw new ApiError("insufficient_scope", message, {
    headers: { "WWW-Authenticate": challenge },
    param: "authorization",
  });
}
