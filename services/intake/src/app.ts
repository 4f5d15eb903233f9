/** The Express application: an id for every request, the routes of the contract, and an error in the one form for all the rest. */
import { getHealth, getReadiness } from "@contingent/contracts/http/operations";
import { newId } from "@contingent/db/ids";
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import type { IntakeContext, IntakeContexts } from "./context.ts";
import { ApiError } from "./http/api-error.ts";
import { checkProtocol } from "./http/protocol.ts";
import { docsUrlOf, type Locals, sendError } from "./http/respond.ts";
import type { Route } from "./http/route.ts";
import { addressOf } from "./limits/address.ts";
import { referenceRouter } from "./routes/reference/reference.ts";
import { ROUTES } from "./routes/routes.ts";

const UNCOUNTED: ReadonlySet<string> = new Set([getHealth.path, getReadiness.path]);

export function intakeApp(contexts: IntakeContexts): Express {
  const app = express();
  app.disable("x-powered-by");
  app.set("etag", false);
  app.set("query parser", "simple");
  app.set("strict routing", true);
  app.set("case sensitive routing", true);
  app.set("trust proxy", contexts.trustProxy);
  app.use(identify(contexts.everybody));
  app.use(countRequests(contexts));
  app.use((request, _response, next) => {
    checkProtocol(request);
    next();
  });
  for (const [path, routes] of routesByPath()) {
    const endpoint = app.route(path);
    for (const { operation, handle } of routes) endpoint[operation.method](handle(contexts));
    endpoint.all(refuseMethod(routes));
  }
  app.use(referenceRouter());
  app.use((request) => {
    throw new ApiError("route_not_found", `There is nothing at ${request.method} ${request.path}. See /docs.`);
  });
  app.use(answerErrors(contexts.everybody));
  return app;
}

/** What every answer has: its id, and that it is not to be kept, nor to be taken for anything but what it says it is. */
function identify({ publicUrl }: IntakeContext): RequestHandler {
  return (request, response, next) => {
    const locals: Locals = { requestId: newId("req"), docsUrl: docsUrlOf(request, publicUrl) };
    Object.assign(response.locals, locals);
    response.setHeader("X-Request-Id", locals.requestId);
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("X-Content-Type-Options", "nosniff");
    next();
  };
}

/** Counts requests by where they come from; whoever asks whether the process is well is not counted. */
function countRequests({ everybody: { requestLimits, log }, trustProxy }: IntakeContexts): RequestHandler {
  let warned = trustProxy !== false;
  return async (request, _response, next) => {
    if (!warned && request.get("x-forwarded-for") !== undefined) {
      warned = true;
      log.warn(
        "requests come through a proxy that TRUST_PROXY does not name: limits by address count it as one client",
      );
    }
    if (!UNCOUNTED.has(request.path)) await requestLimits.countAddress(addressOf(request));
    next();
  };
}

/** Routes with their path in Express's form; the first ones first, so that /v1/jobs/bulk is not taken for an id. */
function routesByPath(): Map<string, Route[]> {
  const byPath = new Map<string, Route[]>();
  for (const route of ROUTES) {
    const path = route.operation.path.replaceAll(/\{(\w+)\}/g, ":$1");
    byPath.set(path, [...(byPath.get(path) ?? []), route]);
  }
  return byPath;
}

function refuseMethod(routes: readonly Route[]): RequestHandler {
  const methods = routes.map(({ operation }) => operation.method.toUpperCase());
  const Allow = (methods.includes("GET") ? [...methods, "HEAD"] : methods).join(", ");
  return (request) => {
    const message = `${request.method} is not possible here. Use ${Allow}.`;
    throw new ApiError("method_not_allowed", message, { headers: { Allow } });
  };
}

/** The last resort: what the routes did not answer themselves. Express knows an error handler by its four parameters. */
function answerErrors({ log }: IntakeContext): ErrorRequestHandler {
  return (error: unknown, _request, response, _next) => {
    sendError(response, isBadPath(error) ? badPath() : error, log);
  };
}

/** A path with a broken percent-encoding. */
function isBadPath(error: unknown): boolean {
  return error instanceof URIError;
}

function badPath(): ApiError {
  return new ApiError("route_not_found", "The path's percent-encoding is broken. Correct it.");
}
