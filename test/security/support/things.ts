/** What a customer has: one thing of each kind, by which others could try to get at it. */
import { rates } from "@contingent/catalog/models";
import { rateAt } from "@contingent/core/cost";
import { isId, type JobId } from "@contingent/core/ids";
import { newId } from "@contingent/db/ids";
import type { ApiClient } from "@contingent/embedded/api-client";
import { answer, happens, judge, take, type TestStep } from "@contingent/testkit/jobs";
import type { AttackedApi, Tenant } from "./api.ts";

export const TYPE = "attacked";
const REVIEWED = "attacked-reviewed";
export const JOB = { outcome_type: TYPE, input: { document: "Invoice 1" } } as const;

export const DEFINITION = {
  description: "What is in a document",
  currency: "USD",
  prompt: { system: "Extract.", user: "{{input.document}}" },
  input_schema: {
    type: "object",
    properties: { document: { type: "string", minLength: 1 } },
    required: ["document"],
    additionalProperties: false,
  },
  output_schema: { type: "object", properties: { total: { type: "string" } }, required: ["total"] },
  validator: { use: "json_schema", options: {} },
  success_at: 0.9,
  cascade: [{ tier: "fast" }],
  cost_cap: "0.08",
  deadline_ms: 600_000,
  price: { shape: "binary", amount: "0.04" },
} as const;

export async function publishTypes({ operator }: AttackedApi): Promise<void> {
  const acceptance = { mode: "window", duration_ms: 600_000, on_silence: "release" };
  await operator.publish(TYPE, DEFINITION);
  await operator.publish(REVIEWED, { ...DEFINITION, acceptance });
}

/** Makes things of a tenant's, as real ones come about. */
export class Things {
  readonly tenant: Tenant;
  readonly #api: AttackedApi;

  constructor(api: AttackedApi, tenant: Tenant) {
    this.#api = api;
    this.tenant = tenant;
  }

  async openJob(): Promise<JobId> {
    return await submit(this.tenant.client, JOB);
  }

  async deliveredJob(): Promise<JobId> {
    const id = await submit(this.tenant.client, { ...JOB, outcome_type: REVIEWED });
    await take(this.#api.pool, id, claim(), answer(), judge("pass"));
    return id;
  }

  async chargedJob(): Promise<JobId> {
    const id = await this.openJob();
    await take(this.#api.pool, id, claim(), answer(), judge("pass"), happens("settled"));
    return id;
  }

  async attempt(): Promise<string> {
    const { attempt_list: attempts } = await this.#api.operator.jobInFull(await this.chargedJob());
    return attempts?.[0]?.id ?? "att_none";
  }

  async dispute(): Promise<string> {
    const path = `/v1/jobs/${await this.chargedJob()}/dispute`;
    return idIn(await this.tenant.client.call({ method: "POST", path, body: { reason: "It is wrong." } }));
  }

  async statement(): Promise<string> {
    await this.chargedJob();
    const { data } = (await this.tenant.client.call({ path: "/v1/statements" })) as {
      readonly data: readonly unknown[];
    };
    return idIn(data[0]);
  }

  async key(): Promise<string> {
    return idIn(await this.tenant.client.call({ method: "POST", path: "/v1/keys", body: { label: "another one" } }));
  }

  /** An outcome type that nobody has heard of. */
  async newType(): Promise<string> {
    const name = newId("otv").replace("_", "-");
    await this.#api.operator.publish(name, DEFINITION);
    return name;
  }
}

async function submit(
  client: ApiClient,
  job: { readonly outcome_type: string; readonly input: unknown },
): Promise<JobId> {
  const { id } = await client.submit(job);
  if (!isId("job", id)) throw new Error("the id of a job is another thing's");
  return id;
}

export function idIn(body: unknown): string {
  return (body as { readonly id: string }).id;
}

/** A worker starts an attempt, at the shipped catalog's prices. */
function claim(): TestStep {
  return ({ terms }) => {
    const models = terms.cascade.flatMap((step) => step.models);
    const known = models.flatMap((model) => {
      const rate = rateAt(rates(), model, Date.now());
      return rate === null ? [] : [[model, rate] as const];
    });
    const call = { attemptId: newId("att"), inputTokens: 100, exact: true, away: new Set<string>(), mustWait: false };
    return { type: "claim", ...call, rates: new Map(known) };
  };
}
