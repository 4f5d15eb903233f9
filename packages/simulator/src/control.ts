/** `/__simulator/…`: scripts, releases and logs for tests in other processes. Not part of the API that is simulated. */
import { isJsonObject } from "@contingent/core/json";
import { ZodError } from "zod";
import { invalidRequest, notFound } from "./http/errors.ts";
import type { Exchange } from "./http/exchange.ts";
import type { Context } from "./messages.ts";
import { scriptInput } from "./script/step.ts";

export const CONTROL_PREFIX = "/__simulator";

export async function control(exchange: Exchange, context: Context, path: string): Promise<void> {
  const route = `${exchange.request.method ?? "GET"} ${path.slice(CONTROL_PREFIX.length)}`;
  switch (route) {
    case "POST /scripts":
      return addScript(exchange, context);
    case "GET /scripts":
      return exchange.sendJson(200, { data: context.scripts.list() });
    case "DELETE /scripts":
      context.scripts.clear();
      return exchange.sendJson(200, { deleted: true });
    case "POST /release":
      return release(exchange, context);
    case "GET /requests":
      return exchange.sendJson(200, { data: context.log.requests(), total: context.log.totals().requests });
    case "GET /billed":
      return exchange.sendJson(200, { data: context.log.billed(), total: context.log.totals().billed });
    case "DELETE /log":
      context.log.clear();
      return exchange.sendJson(200, { deleted: true });
    case "GET /healthz":
      return exchange.sendJson(200, { ok: true, seed: context.seed, latency_ms: context.latencyMs });
    default:
      return deleteScript(exchange, context, route);
  }
}

async function addScript(exchange: Exchange, context: Context): Promise<void> {
  const body = await exchange.json(context.bodyBytesMax);
  try {
    exchange.sendJson(201, { id: context.scripts.add(scriptInput.parse(body)) });
  } catch (error) {
    if (!(error instanceof ZodError)) throw error;
    const [issue] = error.issues;
    throw invalidRequest(`script: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a script"}`);
  }
}

async function release(exchange: Exchange, context: Context): Promise<void> {
  const body = await exchange.json(context.bodyBytesMax);
  const name = isJsonObject(body) ? body["name"] : undefined;
  exchange.sendJson(200, { released: context.holds.release(typeof name === "string" ? name : null) });
}

function deleteScript(exchange: Exchange, context: Context, route: string): void {
  const [, id] = /^DELETE \/scripts\/(\w+)$/.exec(route) ?? [];
  if (id === undefined || !context.scripts.remove(id)) throw notFound(`${route} is not something the simulator does`);
  exchange.sendJson(200, { deleted: true });
}
