/** A small client of the HTTP API, for the start command and for tests. It hides nothing: tests look at raw answers. */
import { setTimeout as pause } from "node:timers/promises";
import type { ErrorBody } from "@contingent/contracts/http/errors";
import { errorSchema } from "@contingent/contracts/http/errors";
import { jobSchema, operatorJobSchema, type JobBody, type OperatorJobBody } from "@contingent/contracts/http/job";

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed JSON, or the text when it is something else. */
  readonly body: unknown;
}

export interface ApiRequest {
  readonly method?: string;
  readonly path: string;
  /** Sent as JSON; a string is sent as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export interface JobRequest {
  readonly outcome_type: string;
  readonly input: unknown;
  readonly outcome_key?: string;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** An answer that was not the expected one. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly error: ErrorBody["error"] | null;

  constructor(request: ApiRequest, answer: ApiAnswer) {
    const parsed = errorSchema.safeParse(answer.body);
    const problems =
      parsed.data?.error.problems?.map(({ param, message }) => `\n  ${param}: ${message}`).join("") ?? "";
    const said = parsed.success ? `${parsed.data.error.message}${problems}` : String(answer.body).slice(0, 500);
    super(`${request.method ?? "GET"} ${request.path} answered ${answer.status}: ${said}`);
    this.status = answer.status;
    this.error = parsed.data?.error ?? null;
  }
}

export interface ApiClient {
  readonly url: string;
  readonly key: string;
  /** The answer, whatever its status. */
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** The answer's body. @throws ApiError unless the status is 2xx */
  call(request: ApiRequest): Promise<unknown>;
  submit(job: JobRequest, headers?: Readonly<Record<string, string>>): Promise<JobBody>;
  /** A job, after waiting at most `waitS` seconds for it to close. */
  job(id: string, options?: { readonly waitS?: number }): Promise<JobBody>;
  /** A job with its attempts, verdict and charge, as the operator sees it. */
  jobInFull(id: string): Promise<OperatorJobBody>;
  /** Waits until the job is closed. */
  closed(id: string, timeoutMs?: number): Promise<JobBody>;
  /** Publishes a definition as the newest version of the outcome type. */
  publish(name: string, definition: unknown): Promise<unknown>;
  /** The same API with another key; an empty one sends none. */
  as(key: string): ApiClient;
}

export interface ApiClientOptions {
  /** For how long a request is repeated while nobody answers, or the answer is 503: both pass, and what is sent may be repeated. */
  readonly patienceMs?: number;
}

const WAIT_S = 20;
const CLOSED_TIMEOUT_MS = 60_000;
const REPEAT_AFTER_MS = 250;
const UNAVAILABLE = 503;

export function apiClient(url: string, key: string, { patienceMs = 0 }: ApiClientOptions = {}): ApiClient {
  const ask = async (request: ApiRequest): Promise<ApiAnswer> => {
    const { body } = request;
    const response = await fetch(`${url}${request.path}`, {
      method: request.method ?? "GET",
      headers: {
        ...(key === "" ? {} : { authorization: `Bearer ${key}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...request.headers,
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    });
    return { status: response.status, headers: response.headers, body: parsed(await response.text()) };
  };
  const send = async (request: ApiRequest): Promise<ApiAnswer> => {
    const giveUpAtMs = performance.now() + patienceMs;
    for (;;) {
      const last = performance.now() >= giveUpAtMs;
      try {
        const answer = await ask(request);
        if (answer.status !== UNAVAILABLE || last) return answer;
      } catch (error) {
        if (last) throw error;
      }
      await pause(REPEAT_AFTER_MS);
    }
  };
  const call = async (request: ApiRequest): Promise<unknown> => {
    const answer = await send(request);
    if (answer.status < 200 || answer.status > 299) throw new ApiError(request, answer);
    return answer.body;
  };
  const job = async (id: string, options: { readonly waitS?: number } = {}): Promise<JobBody> => {
    const wait = options.waitS === undefined ? "" : `?wait=${options.waitS}`;
    return readJob(await call({ path: `/v1/jobs/${id}${wait}` }));
  };
  return {
    url,
    key,
    send,
    call,
    job,
    async submit(request, headers = {}) {
      return readJob(await call({ method: "POST", path: "/v1/jobs", body: request, headers }));
    },
    async jobInFull(id) {
      const expand = ["attempts", "verdict", "charge"].map((part) => `expand%5B%5D=${part}`).join("&");
      return operatorJobSchema.parse(await call({ path: `/v1/jobs/${id}?${expand}` }));
    },
    async closed(id, timeoutMs = CLOSED_TIMEOUT_MS) {
      const giveUpAtMs = Date.now() + timeoutMs;
      for (;;) {
        const leftS = Math.max(0, Math.ceil((giveUpAtMs - Date.now()) / 1000));
        const found = await job(id, { waitS: Math.min(WAIT_S, leftS) });
        if (found.state === "closed") return found;
        if (leftS === 0) throw new Error(`${id} is still ${found.state} after ${timeoutMs} ms`);
      }
    },
    async publish(name, definition) {
      return await call({ method: "PUT", path: `/v1/outcome-types/${encodeURIComponent(name)}`, body: definition });
    },
    as: (other) => apiClient(url, other, { patienceMs }),
  };
}

/** Either view of a job: the operator's has more fields, which stay unread here. */
function readJob(body: unknown): JobBody {
  return jobSchema.parse(body);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
