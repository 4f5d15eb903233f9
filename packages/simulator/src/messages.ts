/** `POST /v1/messages` and `/v1/messages/count_tokens`: a request, its step, its answer, its bill. */
import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject } from "@contingent/core/json";
import {
  billingProblem,
  forbidden,
  invalidRequest,
  overloaded,
  rateLimited,
  serverError,
  spendLimitReached,
  unauthorized,
  type ApiError,
} from "./http/errors.ts";
import type { Exchange } from "./http/exchange.ts";
import { readMessagesRequest, type MessagesRequest } from "./http/request.ts";
import { streamReply } from "./http/stream.ts";
import type { Log, RequestRecord } from "./log.ts";
import { readTask } from "./mind/task.ts";
import { latencyOf, replyTo, type Reply } from "./reply.ts";
import type { Holds } from "./script/holds.ts";
import type { Scripts } from "./script/scripts.ts";
import { isAnswering, type FailingStep, type Step } from "./script/step.ts";
import { inputTokensOf, usageOf } from "./usage.ts";

export interface Context {
  readonly seed: string;
  readonly latencyMs: number;
  readonly bodyBytesMax: number;
  readonly scripts: Scripts;
  readonly holds: Holds;
  readonly log: Log;
}

const UNSCRIPTED: Step = { delayMs: 0, hold: null, act: { step: "model" } };
const RETRY_AFTER_S = 1;

/** The share of the latency that passes before a stream's first event. */
const FIRST_TOKEN_SHARE = 0.3;

export async function countTokens(exchange: Exchange, context: Context): Promise<void> {
  const { request, record, step } = await receive(exchange, context, "count_tokens");
  if (!(await waited(exchange, context, record, step))) return finishAborted(context, record);
  if (!isAnswering(step.act)) return fail(exchange, context, record, request, step.act);
  exchange.sendJson(200, { input_tokens: inputTokensOf(request) });
  record.status = 200;
  record.state = "answered";
  context.log.changed();
}

export async function createMessage(exchange: Exchange, context: Context): Promise<void> {
  const { request, record, step } = await receive(exchange, context, "messages");
  if (!(await waited(exchange, context, record, step))) return abortedBeforeAnswer(context, request, record, step);
  if (!isAnswering(step.act)) return fail(exchange, context, record, request, step.act);
  const reply = replyTo(request, step.act, context.seed, exchange.requestId);
  record.mistakes = reply.mistakes;
  const latencyMs = latencyOf(request, reply, context.seed, context.latencyMs);
  const share = request.stream ? FIRST_TOKEN_SHARE : 1;
  if (!(await slept(latencyMs * share, exchange.gone.signal)))
    return abortedBeforeAnswer(context, request, record, step);
  record.status = 200;
  if (!request.stream) {
    exchange.sendJson(200, reply.message());
    return finish(context, record, request, reply, 1);
  }
  const sent = await streamReply(exchange, reply, latencyMs * (1 - FIRST_TOKEN_SHARE), null);
  record.aborted = exchange.gone.signal.aborted;
  finish(context, record, request, reply, sent);
}

async function receive(
  exchange: Exchange,
  context: Context,
  endpoint: "messages" | "count_tokens",
): Promise<{ request: MessagesRequest; record: RequestRecord; step: Step }> {
  const request = readMessagesRequest(await exchange.json(context.bodyBytesMax), endpoint);
  const prompt = `${request.system}\n${request.user}`;
  const step = context.scripts.take(prompt, request.model.id, endpoint) ?? UNSCRIPTED;
  const record = context.log.received(
    {
      request_id: exchange.requestId,
      endpoint,
      model: request.model.id,
      max_tokens: request.outputTokensMax,
      stream: request.stream,
      findings: readTask(request.system, request.user, null).findings.length,
    },
    request.user,
  );
  record.step = step.act.step;
  return { request, record, step };
}

/** Waits as the step says. False: the client went away meanwhile. */
async function waited(exchange: Exchange, context: Context, record: RequestRecord, step: Step): Promise<boolean> {
  if (step.hold !== null) {
    record.state = "held";
    const released = context.holds.wait(step.hold, exchange.gone.signal);
    // Whoever waits for the log must find the request held, and not about to be.
    context.log.changed();
    await released;
    if (!exchange.gone.signal.aborted) record.state = "received";
  }
  return slept(step.delayMs, exchange.gone.signal);
}

async function slept(ms: number, signal: AbortSignal): Promise<boolean> {
  if (ms > 0 && !signal.aborted) await sleep(ms, null, { signal }).catch(() => null);
  return !signal.aborted;
}

/** The client left while the answer was being made. A model that has begun is billed to its end; an error costs nothing. */
function abortedBeforeAnswer(context: Context, request: MessagesRequest, record: RequestRecord, step: Step): void {
  finishAborted(context, record);
  if (!isAnswering(step.act)) return;
  const reply = replyTo(request, step.act, context.seed, record.request_id);
  context.log.bill(record, reply.usage, false);
}

function finishAborted(context: Context, record: RequestRecord): void {
  record.aborted = true;
  record.state = "aborted";
  context.log.changed();
}

function finish(
  context: Context,
  record: RequestRecord,
  request: MessagesRequest,
  reply: Reply,
  sentShare: number,
): void {
  record.state = record.aborted ? "aborted" : sentShare < 1 ? "cut" : "answered";
  context.log.bill(
    record,
    sentShare < 1 ? partOf(request, reply, sentShare) : reply.usage,
    sentShare === 1 && !record.aborted,
  );
}

/** The bill of an answer of which only a share was made. */
function partOf(request: MessagesRequest, reply: Reply, share: number): JsonObject {
  return { ...reply.usage, ...usageOf(request, Math.max(1, Math.ceil(reply.outputTokens * share))) };
}

async function fail(
  exchange: Exchange,
  context: Context,
  record: RequestRecord,
  request: MessagesRequest,
  step: FailingStep,
): Promise<void> {
  if (step.step === "hang") return hang(exchange, context, record, request);
  if (step.step === "cut") return cut(exchange, context, record, request, step.at ?? "half");
  const error = errorOf(step);
  exchange.sendError(error);
  record.status = error.status;
  record.state = "failed";
  context.log.changed();
}

function errorOf(step: Exclude<FailingStep, { step: "hang" | "cut" }>): ApiError {
  switch (step.step) {
    case "overloaded":
      return overloaded();
    case "server_error":
      return serverError(step.status ?? 500);
    case "rate_limited":
      return rateLimited(step.retry_after_s ?? RETRY_AFTER_S);
    case "spend_limit":
      return spendLimitReached();
    case "bad_request":
      return invalidRequest(step.message ?? "Simulated: a script asked for an invalid_request_error.");
    case "unauthorized":
      return unauthorized("invalid x-api-key");
    case "billing":
      return billingProblem();
    case "forbidden":
      return forbidden();
  }
}

/** No answer until the client goes away. The prompt was read, so it is billed; no answer was made. */
async function hang(
  exchange: Exchange,
  context: Context,
  record: RequestRecord,
  request: MessagesRequest,
): Promise<void> {
  record.state = "hung";
  context.log.changed();
  const { signal } = exchange.gone;
  if (!signal.aborted) await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  finishAborted(context, record);
  if (record.endpoint === "messages") context.log.bill(record, usageOf(request, 0), false);
}

async function cut(
  exchange: Exchange,
  context: Context,
  record: RequestRecord,
  request: MessagesRequest,
  at: "head" | "start" | "half",
): Promise<void> {
  record.state = "cut";
  const reply = replyTo(request, { step: "right" }, context.seed, exchange.requestId);
  let share = 0;
  if (at === "head") exchange.response.destroy();
  else if (request.stream) share = await streamReply(exchange, reply, 0, at);
  else exchange.sendHalf(reply.message());
  if (!request.stream && at !== "head") share = 1;
  context.log.bill(record, share === 1 ? reply.usage : partOf(request, reply, share), false);
}
