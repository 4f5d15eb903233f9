/** Everybody who could call: with the right key, with a wrong one, with none. */
import {
  CUSTOMER_SCOPES,
  type KeyKind,
  type KeyScope,
  OPERATOR_SCOPES,
  type Scope,
} from "@contingent/core/keys/scopes";
import { createKey, type KeyOwner } from "@contingent/db/keys";
import type { ApiClient } from "@contingent/embedded/api-client";
import type { AttackedApi, Tenant } from "../support/api.ts";

export interface Callers {
  /** A key of this kind with everything but this scope. */
  lacking(kind: KeyKind, scope: Scope): ApiClient;
  /** And one with nothing but this scope. */
  only(kind: KeyKind, scope: Scope): ApiClient;
  /** Keys that are good for nothing, each with what it is. */
  readonly refused: readonly (readonly [string, ApiClient])[];
}

const SCOPES = { operator: OPERATOR_SCOPES, customer: CUSTOMER_SCOPES } as const;

export async function makeCallers(api: AttackedApi, tenant: Tenant): Promise<Callers> {
  const clients = new Map<string, ApiClient>();
  const make = async (kind: KeyKind, scopes: readonly KeyScope[]): Promise<ApiClient> => {
    const owner: KeyOwner = kind === "operator" ? { kind } : { kind, customerId: tenant.id };
    return api.nobody.as((await createKey(api.pool, { ...owner, label: "a caller", scopes })).text);
  };
  for (const kind of ["operator", "customer"] as const) {
    for (const scope of SCOPES[kind]) {
      clients.set(
        `${kind} lacking ${scope}`,
        await make(
          kind,
          SCOPES[kind].filter((other) => other !== scope),
        ),
      );
      clients.set(`${kind} only ${scope}`, await make(kind, [scope]));
    }
  }
  const find = (name: string): ApiClient => {
    const client = clients.get(name);
    if (client === undefined) throw new Error(`there is no key ${name}`);
    return client;
  };
  return {
    lacking: (kind, scope) => find(`${kind} lacking ${scope}`),
    only: (kind, scope) => find(`${kind} only ${scope}`),
    refused: await refusedKeys(api, tenant),
  };
}

async function refusedKeys(api: AttackedApi, { id: customerId, client }: Tenant): Promise<Callers["refused"]> {
  const ended = async (owner: KeyOwner, end: "revoked_at" | "expires_at"): Promise<ApiClient> => {
    const { id, text } = await createKey(api.pool, { ...owner, label: "ended" });
    await api.pool.query({ text: `UPDATE api_key SET ${end} = now() WHERE id = $1`, values: [id] });
    return api.nobody.as(text);
  };
  const mistyped = `${client.key.slice(0, -1)}${client.key.endsWith("0") ? "1" : "0"}`;
  return [
    ["mistyped", api.nobody.as(mistyped)],
    ["no key at all", api.nobody.as("letmein")],
    ["a customer's, revoked", await ended({ kind: "customer", customerId }, "revoked_at")],
    ["a customer's, expired", await ended({ kind: "customer", customerId }, "expires_at")],
    ["an operator's, revoked", await ended({ kind: "operator" }, "revoked_at")],
    ["an operator's, expired", await ended({ kind: "operator" }, "expires_at")],
    ["of an id that there is, with a secret that is not its own", api.nobody.as(await stolen(api))],
  ];
}

/** One key's id with another one's secret; the text as a whole is well-formed, for its hash is stored under the wrong id. */
async function stolen(api: AttackedApi): Promise<string> {
  const [one, other] = [
    await createKey(api.pool, { kind: "operator", label: "one" }),
    await createKey(api.pool, { kind: "operator", label: "other" }),
  ];
  await api.pool.query({ text: "DELETE FROM api_key WHERE id = $1", values: [one.id] });
  await api.pool.query({
    text: `INSERT INTO api_key (id, scope, secret_hash, label)
           SELECT $1, scope, secret_hash, label FROM api_key WHERE id = $2`,
    values: [one.id, other.id],
  });
  return one.text;
}
