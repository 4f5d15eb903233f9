/** One job of a test and everything that can be seen of it, from both ends: the API's, and the model provider's. */
import { randomBytes } from "node:crypto";
import type { JobEventBody } from "@contingent/contracts/http/jobs";
import { jobEventSchema } from "@contingent/contracts/http/jobs";
import type { JobBody, OperatorJobBody } from "@contingent/contracts/http/job";
import type { Json } from "@contingent/core/json";
import type { BilledRecord, RequestRecord, StepInput } from "@contingent/simulator/server";
import type { System } from "@contingent/testkit/system";
import { until } from "@contingent/testkit/until";
import { billOf } from "./bills.ts";
import { INPUT, RIGHT, sums, type TypeChanges } from "./sums.ts";

export interface CaseOptions {
  /** What differs from the usual outcome type. Each case has a type of its own unless `type` names one. */
  readonly terms?: TypeChanges;
  readonly type?: string;
  /** What the models do, one step per request, whichever model is asked. After the last step every answer is right. */
  readonly steps?: readonly StepInput[];
  /** What a single model does; comes before `steps`. */
  readonly stepsOf?: Readonly<Record<string, readonly StepInput[]>>;
  readonly outcomeKey?: string;
  /** To ask for the same thing again; a new one unless given. */
  readonly marker?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A job, recognised in prompts by its marker. */
export interface Case {
  readonly marker: string;
  readonly id: string;
  readonly type: string;
  readonly accepted: JobBody;
  /** The job as its customer sees it, now. */
  now(): Promise<JobBody>;
  /** The job as the operator sees it, with its attempts, once it is closed. */
  closed(): Promise<OperatorJobBody>;
  cancel(): ReturnType<System["api"]["send"]>;
  /** The customer accepts or rejects its outcome. */
  decide(body: Json): ReturnType<System["api"]["send"]>;
  /** Its history as the API streams it; ends with the job. */
  events(): Promise<readonly JobEventBody[]>;
  /** The calls that reached the provider for it, in order. */
  requests(): readonly RequestRecord[];
  /** The token counts that were asked for. */
  counts(): readonly RequestRecord[];
  billed(): readonly BilledRecord[];
  /** What the provider charges for it by its own reckoning, nanos. */
  bill(): bigint;
  /** Waits until one of its calls is in this state at the provider. */
  reached(state: RequestRecord["state"]): Promise<void>;
}

/** The answer to a request that is to be this JSON. */
export function answer(json: Json): StepInput {
  return { step: "answer_json", json };
}

/** The right answer, this much later. */
export function late(ms: number): StepInput {
  return { step: "slow", ms, do: { step: "answer_json", json: RIGHT } };
}

/** The right answer, when the test releases it. */
export function held(name: string): StepInput {
  return { step: "hold", name, do: { step: "answer_json", json: RIGHT } };
}

/** Publishes an outcome type of its own for a test and returns its name. */
export async function publish(system: System, terms: TypeChanges = {}): Promise<string> {
  const name = `sums-${randomBytes(5).toString("hex")}`;
  await system.operator.publish(name, sums(terms));
  return name;
}

/** Tells the simulator what to do, publishes the type and submits the job. */
export async function submit(system: System, options: CaseOptions = {}): Promise<Case> {
  const marker = options.marker ?? newMarker();
  const type = options.type ?? (await publish(system, options.terms));
  script(system, marker, options);
  const key = options.outcomeKey === undefined ? {} : { outcome_key: options.outcomeKey };
  const job = { outcome_type: type, input: { marker, ...INPUT }, ...key };
  const accepted = await system.api.submit(job, options.headers);
  return caseOf(system, marker, type, accepted);
}

/** Submits the job and waits until it is closed. */
export async function settle(
  system: System,
  options: CaseOptions = {},
): Promise<{ readonly job: OperatorJobBody; readonly it: Case }> {
  const it = await submit(system, options);
  return { it, job: await it.closed() };
}

/** Ends with a word boundary, so that no marker begins with another one. */
export function newMarker(): string {
  return `<${randomBytes(6).toString("hex")}>`;
}

function script(system: System, marker: string, { steps = [], stepsOf = {} }: CaseOptions): void {
  for (const [model, own] of Object.entries(stepsOf)) {
    if (own.length > 0) system.simulator.script({ match: marker, model, steps: [...own] });
  }
  system.simulator.script({ match: marker, steps: [...steps, answer(RIGHT)], afterwards: "last" });
}

function caseOf(system: System, marker: string, type: string, accepted: JobBody): Case {
  const { api, operator, simulator } = system;
  const { id } = accepted;
  const ofThis = (record: { readonly prompt_excerpt: string }): boolean => record.prompt_excerpt.startsWith(marker);
  const billed = (): readonly BilledRecord[] => simulator.billed().filter(ofThis);
  const requests = (endpoint: RequestRecord["endpoint"]): readonly RequestRecord[] =>
    simulator.requests().filter((record) => ofThis(record) && record.endpoint === endpoint);
  return {
    marker,
    id,
    type,
    accepted,
    now: () => api.job(id),
    async closed() {
      await api.closed(id);
      return await operator.jobInFull(id);
    },
    cancel: () => api.send({ method: "POST", path: `/v1/jobs/${id}/cancel` }),
    decide: (body) => api.send({ method: "POST", path: `/v1/jobs/${id}/acceptance`, body }),
    events: () => readEvents(system, id),
    requests: () => requests("messages"),
    counts: () => requests("count_tokens"),
    billed,
    bill: () => billed().reduce((total, record) => total + billOf(record), 0n),
    async reached(state) {
      await until(() => requests("messages").some((record) => record.state === state), {
        intervalMs: 5,
        what: `a call of ${id} to be ${state} at the provider`,
      });
    },
  };
}

/** Reads the stream of server-sent events to its end. */
async function readEvents(system: System, id: string): Promise<readonly JobEventBody[]> {
  const { status, body } = await system.api.send({ path: `/v1/jobs/${id}/events` });
  if (status !== 200 || typeof body !== "string") throw new Error(`the events of ${id} were answered with ${status}`);
  const data = body.split("\n").filter((line) => line.startsWith("data:"));
  return data.map((line) => jobEventSchema.parse(JSON.parse(line.slice("data:".length))));
}
