/** Customers made through the API, with keys of their own. */
import { type CustomerBody, customerSchema } from "@contingent/contracts/http/customers";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { z } from "zod";
import type { CheckedClient } from "../checked-client.ts";
import type { Api } from "../harness.ts";

const keySchema = z.object({ key: z.string() });

export interface MadeCustomer {
  readonly id: CustomerBody["id"];
  readonly client: CheckedClient;
  /** As the operator sees it now. */
  readonly read: () => Promise<CustomerBody>;
  /** A request of the operator about this customer. */
  readonly post: (path: string, body: unknown) => Promise<ApiAnswer>;
  readonly put: (path: string, body: unknown) => Promise<ApiAnswer>;
}

export async function madeCustomer(api: Api, options: Readonly<Record<string, unknown>> = {}): Promise<MadeCustomer> {
  const body = { name: "Acme Ltd", ...options };
  const { id } = customerSchema.parse(await api.operator.call({ method: "POST", path: "/v1/customers", body }));
  const at = `/v1/customers/${id}`;
  const label = { label: "test", mode: "test" };
  const { key } = keySchema.parse(await api.operator.call({ method: "POST", path: `${at}/keys`, body: label }));
  return {
    id,
    client: api.customer.as(key),
    read: async () => customerSchema.parse(await api.operator.call({ path: at })),
    post: (path, sent) => api.operator.send({ method: "POST", path: `${at}/${path}`, body: sent }),
    put: (path, sent) => api.operator.send({ method: "PUT", path: `${at}/${path}`, body: sent }),
  };
}

export function usd(amount: string): { readonly amount: string; readonly currency: "USD" } {
  return { amount, currency: "USD" };
}
