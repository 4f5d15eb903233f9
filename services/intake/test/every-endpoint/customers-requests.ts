/** Every endpoint that a customer's key opens, asked for everything, as its own customer asks. */
import { statementPageSchema } from "@contingent/contracts/http/statements";
import { receiptSchema } from "@contingent/contracts/http/receipts";
import type { JobId } from "@contingent/core/ids";
import { answer, judge, take } from "@contingent/testkit/jobs";
import { madeCustomer } from "../customers/made.ts";
import { type Api, claim, DEFINITION, JOB } from "../harness.ts";
import { watch } from "../sse.ts";

export interface Asking {
  readonly api: Api;
  /** A job of the customer's that succeeded, with `outcome_key` "leak". */
  readonly id: JobId;
  /** What the call to a model costs. */
  readonly cost: bigint;
  /** What an operator calls things that customers do not see. */
  readonly secret: string;
  /** Asks with the customer's key; the answer is a 200. */
  readonly ask: (request: Parameters<Api["customer"]["send"]>[0]) => Promise<string>;
}

/** The query that asks for all that is told of a job. */
export const ALL = "expand%5B%5D=attempts,verdict,charge";

/** The requests, by their operations; each returns the text of what was answered. */
export function customersRequests(asking: Asking): Readonly<Record<string, () => Promise<string>>> {
  const { api, id, cost, secret, ask } = asking;
  return {
    getJob: () => ask({ path: `/v1/jobs/${id}?${ALL}` }),
    listJobs: () => ask({ path: `/v1/jobs?${ALL}` }),
    createJob: () => ask({ method: "POST", path: "/v1/jobs", body: { ...JOB, outcome_key: "leak" } }),
    cancelJob: async () => {
      const { id: canceled } = await api.customer.submit(JOB);
      await take(api.pool, canceled, claim());
      return (
        (await ask({ method: "POST", path: `/v1/jobs/${canceled}/cancel` })) +
        (await ask({ path: `/v1/jobs/${canceled}?${ALL}` }))
      );
    },
    // Decoded: in base64 any word may turn up by chance.
    getReceipt: async () => {
      const { jws, ...rest } = receiptSchema.parse(JSON.parse(await ask({ path: `/v1/jobs/${id}/receipt` })));
      const parts = jws.split(".").slice(0, 2);
      return [JSON.stringify(rest), ...parts.map((part) => Buffer.from(part, "base64url").toString())].join("\n");
    },
    reverifyJob: () => ask({ method: "POST", path: `/v1/jobs/${id}/reverify` }),
    openDispute: async () => {
      const body = { reason: "It is wrong." };
      // Said again it is answered with 200, like everything else here.
      await api.customer.send({ method: "POST", path: `/v1/jobs/${id}/dispute`, body });
      return await ask({ method: "POST", path: `/v1/jobs/${id}/dispute`, body });
    },
    listDisputes: () => ask({ path: "/v1/disputes" }),
    getDispute: async () => ask({ path: `/v1/disputes/${await aDispute(api)}` }),
    withdrawDispute: async () => ask({ method: "POST", path: `/v1/disputes/${await aDispute(api)}/withdraw` }),
    listCreditNotes: async () => {
      const body = { job: id, amount: "0.001", reason: "As a courtesy.", ref: secret };
      await api.operator.send({ method: "POST", path: "/v1/credit-notes", body });
      return await ask({ path: "/v1/credit-notes" });
    },
    acceptJob: async () => {
      const acceptance = { mode: "window", duration_ms: 60_000, on_silence: "release" };
      await api.operator.publish("leak-reviewed", { ...DEFINITION, acceptance, rework: true });
      const { id: delivered } = await api.customer.submit({ ...JOB, outcome_type: "leak-reviewed" });
      await take(api.pool, delivered, claim(), answer(cost), judge("pass"));
      const body = { decision: "reject", reason: "It is wrong." };
      return (
        (await ask({ method: "POST", path: `/v1/jobs/${delivered}/acceptance`, body })) +
        (await ask({ path: `/v1/jobs/${delivered}?${ALL}` }))
      );
    },
    bulkCreateJobs: () =>
      ask({
        method: "POST",
        path: "/v1/jobs/bulk",
        body: `${JSON.stringify({ ...JOB, outcome_key: "leak" })}\n`,
        headers: { "content-type": "application/x-ndjson" },
      }),
    listStatements: async () => `${await ask({ path: "/v1/statements" })} ${id}`,
    getStatement: async () => `${await ask({ path: await openStatement(api) })} ${id}`,
    listStatementLines: async () => ask({ path: `${await openStatement(api)}/lines` }),
    getStatementCsv: async () => ask({ path: `${await openStatement(api)}/csv` }),
    // What the page looks like is no secret; its rules speak of margins.
    getStatementPage: async () =>
      (await ask({ path: `${await openStatement(api)}/html` })).replace(/<style>[^]*<\/style>/, ""),
    watchJob: async () => JSON.stringify(await (await watch(api.customer, id)).all()),
    getBalance: () => ask({ path: "/v1/balance" }),
    getCustomer: () => ask({ path: `/v1/customers/${api.customerId}` }),
    listGrants: async () => {
      const { post, client, id: customer } = await madeCustomer(api, { billing: "prepaid" });
      await post("top-ups", { ref: "leak", amount: "1" });
      await client.submit(JOB);
      return JSON.stringify(await client.call({ path: `/v1/customers/${customer}/grants` }));
    },
    listEvents: async () => {
      const limited = { limit: { amount: "0.04", period: "day" } };
      const { client } = await madeCustomer(api, limited);
      await client.submit(JOB);
      return JSON.stringify(await client.call({ path: "/v1/events" }));
    },
    createKey: async () =>
      JSON.stringify(await api.customer.call({ method: "POST", path: "/v1/keys", body: { label: id } })),
    listKeys: () => ask({ path: "/v1/keys" }),
    getKey: async () => ask({ path: `/v1/keys/${await aKey(api)}` }),
    rotateKey: async () =>
      JSON.stringify(await api.customer.call({ method: "POST", path: `/v1/keys/${await aKey(api)}/rotate`, body: {} })),
    revokeKey: async () => ask({ method: "POST", path: `/v1/keys/${await aKey(api)}/revoke` }),
  };
}

async function aKey(api: Api): Promise<string> {
  const body = { label: "a key of cus_" };
  const made = await api.customer.call({ method: "POST", path: "/v1/keys", body });
  return (made as { readonly id: string }).id;
}

async function openStatement(api: Api): Promise<string> {
  const { data } = statementPageSchema.parse(await api.customer.call({ path: "/v1/statements?state=open" }));
  return `/v1/statements/${data[0]?.id}`;
}

async function aDispute(api: Api): Promise<string> {
  const { body } = await api.customer.send({ path: "/v1/disputes?limit=1" });
  return (body as { readonly data: readonly { readonly id: string }[] }).data[0]?.id ?? "dsp_none";
}
