/** What a customer has, and what the operator has to do with it: one thing of each kind, as real ones come about. */
import { rates } from "@contingent/catalog/models";
import { rateAt } from "@contingent/core/cost";
import { isId, type JobId } from "@contingent/core/ids";
import { ZERO } from "@contingent/core/money";
import { newId } from "@contingent/db/ids";
import { isSuspended } from "@contingent/db/judges";
import type { ApiClient } from "@contingent/embedded/api-client";
import { drawAll } from "@contingent/testkit/audits";
import { answer, happens, judge, take, type TestStep } from "@contingent/testkit/jobs";
import type { AttackedApi, Tenant } from "./api.ts";
import { AUDITED, DEFINITION, JOB, QUESTIONED, REVIEWED, TYPE } from "./types.ts";

/** Kinds of things, and how their ids begin; outcome types have names. */
export const KINDS = {
  tenant: "cus",
  customer: "cus",
  prepaidCustomer: "cus",
  openJob: "job",
  deliveredJob: "job",
  chargedJob: "job",
  deadJob: "job",
  attempt: "att",
  verdict: "vrd",
  dispute: "dsp",
  statement: "stm",
  overStatement: "stm",
  closedStatement: "stm",
  key: "key",
  review: "inq",
  inquiry: "inq",
  audit: "aud",
  judge: "jdg",
  reconciliation: "rcn",
  newType: "otv",
} as const;
export type Kind = keyof typeof KINDS;

/** Where requests get the things from that they are about: real ones, or names of some that are made later. */
export interface Things {
  /** Another one each time, but for the tenant. @returns its id, or its name */
  make(kind: Kind): Promise<string>;
  /** Another number each time, for what must be new. */
  next(): number;
}

/** A period longer than any month. */
const A_MONTH_MS = 32 * 86_400_000;
const DAY_MS = 86_400_000;

/** Things of a tenant's, with what is the operator's about them. */
export class MadeThings implements Things {
  readonly tenant: Tenant;
  readonly #api: AttackedApi;
  #count = 0;

  constructor(api: AttackedApi, tenant: Tenant) {
    this.#api = api;
    this.tenant = tenant;
  }

  next(): number {
    this.#count += 1;
    return this.#count;
  }

  make(kind: Kind): Promise<string> {
    return this.#makers[kind]();
  }

  readonly #makers: Readonly<Record<Kind, () => Promise<string>>> = {
    tenant: async () => this.tenant.id,
    customer: async () => idIn(await this.#operator("POST", "/v1/customers", { name: "Another" })),
    prepaidCustomer: async () =>
      idIn(await this.#operator("POST", "/v1/customers", { name: "Another", billing: "prepaid" })),
    openJob: () => this.#job(),
    deliveredJob: () => this.#job(REVIEWED, [claim(), answer(), judge("pass")]),
    chargedJob: () => this.#job(TYPE, CHARGED),
    deadJob: () => this.#job(TYPE, [happens("woke"), happens("settled")]),
    attempt: async () =>
      (await this.#api.operator.jobInFull(await this.make("chargedJob"))).attempt_list?.[0]?.id ?? "",
    verdict: async () => (await this.#api.operator.jobInFull(await this.make("deliveredJob"))).verdict?.id ?? "",
    dispute: async () => {
      const path = `/v1/jobs/${await this.make("chargedJob")}/dispute`;
      return idIn(await this.tenant.client.call({ method: "POST", path, body: { reason: "It is wrong." } }));
    },
    statement: async () => {
      await this.make("chargedJob");
      return await firstOf(this.tenant.client, "/v1/statements");
    },
    overStatement: () => this.#overStatement(),
    closedStatement: async () => {
      const id = await this.#overStatement();
      await this.#operator("POST", `/v1/statements/${id}/close`);
      return id;
    },
    key: async () =>
      idIn(await this.tenant.client.call({ method: "POST", path: "/v1/keys", body: { label: "another one" } })),
    review: () => this.#inquiry(REVIEWED, "human@1", "person"),
    inquiry: () => this.#inquiry(QUESTIONED, "http@1", "service"),
    audit: async () => {
      const job = await this.#job(AUDITED, CHARGED);
      await drawAll(this.#api.pool);
      const path = `/v1/audits?outcome_type=${AUDITED}&limit=100`;
      const { data } = (await this.#operator("GET", path)) as { readonly data: readonly { id: string; job: string }[] };
      return data.find((audit) => audit.job === job)?.id ?? "";
    },
    judge: () => this.#suspendedJudge(),
    reconciliation: async () => {
      const body = { provider: "anthropic", ...periodOf(this.next()), lines: [] };
      return idIn(await this.#operator("POST", "/v1/reconciliations", body));
    },
    newType: async () => {
      const name = `attacked-${this.next()}`;
      await this.#api.operator.publish(name, DEFINITION);
      return name;
    },
  };

  #operator(method: string, path: string, body?: unknown): Promise<unknown> {
    return this.#api.operator.call({ method, path, ...(body === undefined ? {} : { body }) });
  }

  async #job(type: string = TYPE, steps: readonly TestStep[] = []): Promise<JobId> {
    const id = await submit(this.tenant.client, type);
    await take(this.#api.pool, id, ...steps);
    return id;
  }

  /** Of a customer whose clock is a month ahead. */
  async #overStatement(): Promise<string> {
    const { id, client } = await this.#api.newTenant();
    await take(this.#api.pool, await submit(client, TYPE), ...CHARGED);
    await this.#operator("POST", `/v1/customers/${id}/test-clock`, { advance_ms: A_MONTH_MS });
    const { data } = (await client.call({ path: "/v1/statements" })) as { readonly data: readonly unknown[] };
    return idIn(data.at(-1));
  }

  /** Somebody is asked about a job's answer. */
  async #inquiry(type: string, validator: string, asked: "person" | "service"): Promise<string> {
    const inquiryId = newId("inq");
    const inquiry = { inquiryId, kind: "leaf", leaf: "/all/1", validator, asked, reserve: ZERO, payee: null } as const;
    await this.#job(type, [
      claim(),
      answer(),
      ({ progress: { current } }) => {
        if (current === null) throw new Error("there is no answer to ask about");
        return { type: "inquired", attemptId: current.attemptId, inquiry, durationMs: DEFINITION.deadline_ms };
      },
    ]);
    return inquiryId;
  }

  /** A judge whom five known-bad answers have passed. */
  async #suspendedJudge(): Promise<string> {
    const outcomeType = await this.make("newType");
    const job = await this.#job(outcomeType, [claim(), answer()]);
    const detail = JSON.stringify({ canary: { kind: "off_by_one", passed: true, limit: 0.2 } });
    for (let n = 0; n < 5; n += 1) {
      const id = newId("inq");
      await this.#api.pool.query({
        text: `INSERT INTO inquiry (id, job_id, attempt_id, kind, leaf, validator, asked, provider, name, reserve_nanos, cost_state, due_at)
               SELECT $1, a.job_id, a.id, 'leaf', $1, 'llm_judge@1', 'model', 'anthropic', 'claude-opus-5-5', 1, 'held', clock_timestamp()
                 FROM attempt a WHERE a.job_id = $2`,
        values: [id, job],
      });
      await this.#api.pool.query({
        text: `UPDATE inquiry SET outcome = 'replied', cost_state = 'known', cost_nanos = 1, score = 1, findings = '[]',
                      detail = $2, ended_at = clock_timestamp() WHERE id = $1`,
        values: [id, detail],
      });
    }
    await isSuspended(this.#api.pool, { outcomeType, model: "claude-opus-5-5", validator: "llm_judge@1" });
    return await firstOf(this.#api.operator, `/v1/judges?outcome_type=${outcomeType}`);
  }
}

async function submit(client: ApiClient, type: string): Promise<JobId> {
  const { id } = await client.submit({ ...JOB, outcome_type: type });
  if (!isId("job", id)) throw new Error("the id of a job is another thing's");
  return id;
}

function idIn(body: unknown): string {
  return (body as { readonly id: string }).id;
}

async function firstOf(client: ApiClient, path: string): Promise<string> {
  const { data } = (await client.call({ path })) as { readonly data: readonly unknown[] };
  return idIn(data[0]);
}

/** The n-th day: none is reconciled twice. */
export function periodOf(n: number): { readonly from: string; readonly until: string } {
  const [from = "", until = ""] = [n, n + 1].map((day) => new Date(day * DAY_MS).toISOString().slice(0, 10));
  return { from, until };
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

const CHARGED: readonly TestStep[] = [claim(), answer(), judge("pass"), happens("settled")];
