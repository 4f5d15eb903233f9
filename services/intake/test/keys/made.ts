/** Keys that are made through the API. */
import { newKeySchema } from "@contingent/contracts/http/keys";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import type { z } from "zod";
import type { CheckedClient } from "../checked-client.ts";

export type NewKeyBody = z.output<typeof newKeySchema>;

/** A key made with the client's own, and the client that uses it. */
export async function madeKey(
  client: CheckedClient,
  asked: Readonly<Record<string, unknown>> = {},
): Promise<NewKeyBody & { readonly client: CheckedClient }> {
  const body = { label: "made by a test", mode: "test", ...asked };
  const made = newKeySchema.parse(await client.call({ method: "POST", path: "/v1/keys", body }));
  return { ...made, client: client.as(made.key) };
}

export function askFor(client: CheckedClient, asked: Readonly<Record<string, unknown>>): Promise<ApiAnswer> {
  return client.send({ method: "POST", path: "/v1/keys", body: { label: "asked for", ...asked } });
}

export function rotate(client: CheckedClient, id: string, body: unknown = {}): Promise<ApiAnswer> {
  return client.send({ method: "POST", path: `/v1/keys/${id}/rotate`, body });
}

export function revoke(client: CheckedClient, id: string): Promise<ApiAnswer> {
  return client.send({ method: "POST", path: `/v1/keys/${id}/revoke` });
}

/** Whether the client's key is good for anything. */
export async function works(client: CheckedClient): Promise<boolean> {
  return (await client.send({ path: "/v1/jobs?limit=1" })).status === 200;
}
