/**
 * From an operation of the contract and a handler to a route: a span around it, authentication, checks of everything that
 * the schemas name, the answer, and one place for errors. A handler sees values that are known to fit.
 */
import type { JSON_TYPE, Operation } from "@contingent/contracts/http/operation";
import { failSpan, traceparentOf, withSpan } from "@contingent/runtime/tracing";
import { type Span, SpanKind } from "@opentelemetry/api";
import type { Request, RequestHandler, Response } from "express";
import type { z } from "zod";
import type { IntakeContext, IntakeContexts } from "../context.ts";
import { addressOf } from "../limits/address.ts";
import { type Caller, requireScope } from "./authenticate.ts";
import { check, checkQuery } from "./check.ts";
import { readJsonBody } from "./read-body.ts";
import { localsOf, sendError } from "./respond.ts";

type OutputOf<O, Part extends string> = O extends { readonly [P in Part]: infer S extends z.ZodType }
  ? z.output<S>
  : undefined;
type BodyOf<O> = O extends {
  readonly body: { readonly type: typeof JSON_TYPE; readonly schema: infer S extends z.ZodType };
}
  ? z.output<S>
  : undefined;
/** Nobody where no key is asked for. */
type CallerOf<O> = O extends { readonly access: "public" }
  ? null
  : O extends { readonly access: "customer" }
    ? Extract<Caller, { kind: "customer" }>
    : Caller;

/** One request, checked. */
export interface Call<O extends Operation> {
  readonly params: OutputOf<O, "params">;
  readonly query: OutputOf<O, "query">;
  readonly headers: OutputOf<O, "headers">;
  /** The JSON body; undefined where there is none, or where the handler streams it. */
  readonly body: BodyOf<O>;
  readonly caller: CallerOf<O>;
  readonly requestId: string;
  /** Trace context of this request's span; null when telemetry is off. */
  readonly traceparent: string | null;
  /** Aborted when the caller has gone away, the key has ended or the process drains. */
  readonly signal: AbortSignal;
  readonly request: Request;
  readonly response: Response;
}

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers a call; null when the handler has written the answer itself. */
export type Handler<O extends Operation> = (context: IntakeContext, call: Call<O>) => Promise<Reply | null>;

export interface Route {
  readonly operation: Operation;
  readonly handle: (contexts: IntakeContexts) => RequestHandler;
}

export interface RouteOptions {
  /** The handler reads the body itself, because it streams it or reports its mistakes in its own way. */
  readonly readsBody?: boolean;
}

export function route<O extends Operation>(operation: O, handler: Handler<O>, options: RouteOptions = {}): Route {
  const name = `${operation.method.toUpperCase()} ${operation.path}`;
  const attributes = { "http.request.method": operation.method.toUpperCase(), "http.route": operation.path };
  return {
    operation,
    handle: (contexts) => async (request, response) => {
      // A caller's own trace is linked to, not continued: each job has a trace of its own, from here on.
      const links = [request.get("traceparent") ?? ""];
      await withSpan(name, { kind: SpanKind.SERVER, attributes, links, parent: null }, async (span) => {
        try {
          const call = await checkedCall(contexts, operation, options, request, response, span);
          const reply = await handler(contextOf(contexts, call.caller), call);
          if (reply !== null) send(response, reply);
        } catch (error) {
          const shown = sendError(response, error, contexts.everybody.log);
          if (shown.status >= 500) failSpan(span, shown);
        }
        span.setAttribute("http.response.status_code", response.statusCode);
      });
    },
  };
}

/** What a caller's request is answered with. */
function contextOf({ everybody, of }: IntakeContexts, caller: Caller | null): IntakeContext {
  return caller?.kind === "customer" ? of(caller.customerId) : everybody;
}

async function checkedCall<O extends Operation>(
  contexts: IntakeContexts,
  operation: O,
  options: RouteOptions,
  request: Request,
  response: Response,
  span: Span,
): Promise<Call<O>> {
  const { params, query, headers, body } = operation;
  const caller = operation.access === "public" ? null : await callerOf(contexts, request, response);
  if (caller !== null) requireScope(caller, operation);
  let signal: AbortSignal | undefined;
  const readsBody = body === undefined || options.readsBody === true;
  // The cast says what the checks have just established: each value is its schema's output.
  return {
    params: params && check(params, request.params, "path"),
    query: query && checkQuery(query, request.query),
    headers: headers && check(headers, request.headers, "header"),
    body: readsBody ? undefined : check(body.schema, await readJsonBody(request, body.type), "body"),
    caller,
    requestId: localsOf(response).requestId,
    traceparent: traceparentOf(span),
    // Made when it is asked for: most requests never wait.
    get signal() {
      return (signal ??= endOf(response, contexts.everybody, caller));
    },
    request,
    response,
  } as Call<O>;
}

async function callerOf(contexts: IntakeContexts, request: Request, response: Response): Promise<Caller> {
  const { authenticate, everybody } = contexts;
  const { requestLimits } = everybody;
  const caller = await requestLimits.authenticate(authenticate, request.get("authorization"), addressOf(request));
  await requestLimits.countCaller(caller, response);
  return caller;
}

/** Aborted when the caller has gone away, the caller's key has ended or the process drains. */
function endOf(response: Response, { keys, stopping }: IntakeContext, caller: Caller | null): AbortSignal {
  const gone = new AbortController();
  if (response.closed) gone.abort();
  if (caller === null || response.closed) return AbortSignal.any([gone.signal, stopping]);
  const key = keys.watch(caller.keyId);
  response.once("close", () => {
    gone.abort();
    key[Symbol.dispose]();
  });
  return AbortSignal.any([gone.signal, stopping, key.signal]);
}

function send(response: Response, reply: Reply): void {
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  response.status(reply.status).json(reply.body);
}
