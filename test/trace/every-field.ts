/**
 * A text of its own in every field that the contract has: of bodies, queries, paths and headers, of every endpoint. Most of
 * these requests are refused, some are not; none of the texts may turn up where texts must not.
 */
import { randomBytes } from "node:crypto";
import type { ApiClient, ApiRequest } from "@contingent/embedded/api-client";
import {
  type ApiDocument,
  type DocumentedRoute,
  readDocument,
  type Schema,
  scopeOf,
} from "../security/support/document.ts";

export interface Planted {
  /** All the texts that were sent. */
  readonly texts: readonly string[];
  readonly requests: number;
  /** How many were not refused. */
  readonly accepted: number;
}

const DEPTH_MAX = 8;
/** Streams that do not end, and what is for whoever runs the system. */
const LEFT_OUT = new Set(["watchJob"]);

/** What there is, by the beginning of its path: without it every request would be about nothing. */
export type Things = Readonly<Record<string, string>>;

/** Sends each request of the contract with both kinds of keys: about what there is, and about texts in its place. */
export async function plantEverywhere(operator: ApiClient, customer: ApiClient, things: Things): Promise<Planted> {
  const document = await readDocument(operator.url);
  const routes = document.routes.filter(({ operationId }) => !LEFT_OUT.has(operationId));
  const texts: string[] = [];
  const plant = (): string => {
    const text = `canary ${randomBytes(8).toString("hex")}`;
    texts.push(text);
    return text;
  };
  let accepted = 0;
  for (const route of routes) {
    for (const client of scopeOf(route) === null ? [operator] : [operator, customer]) {
      for (const about of [{}, things]) {
        const { status } = await client.send(requestOf(document, route, plant, about));
        if (status >= 500) throw new Error(`${route.method} ${route.path} answered ${status}`);
        if (status < 300) accepted += 1;
      }
    }
  }
  return { texts, requests: routes.length, accepted };
}

function requestOf(document: ApiDocument, route: DocumentedRoute, plant: () => string, things: Things): ApiRequest {
  const about = Object.entries(things).find(([start]) => route.path.startsWith(`${start}/{`))?.[1];
  // What there need not be is left out half of the time: a body with all that may be in it is often refused for one of them.
  const onlyRequired = Object.keys(things).length > 0;
  const sample = (schema: Schema): unknown => sampleOf({ document, plant, onlyRequired }, schema, 0);
  const query = route.parameters
    .filter((parameter) => parameter.in === "query")
    .map(({ name, schema }) => `${encodeURIComponent(name)}=${encodeURIComponent(String(sample(schema)))}`);
  const headers = route.parameters
    .filter((parameter) => parameter.in === "header")
    .map(({ name }) => [name, name.toLowerCase() === "prefer" ? "wait=0" : `"${plant()}"`] as const);
  const path = route.path
    .replace(/\{\w+\}/, () => about ?? encodeURIComponent(plant()))
    .replaceAll(/\{\w+\}/g, () => (about === undefined ? encodeURIComponent(plant()) : "1"));
  const [content] = Object.entries(route.requestBody?.content ?? {});
  const body = content === undefined ? {} : bodyOf(content[0], sample(content[1].schema));
  const type = content === undefined ? {} : { "content-type": content[0] };
  // A query that is refused would hide the body: it is left out where there is a body.
  const search = query.length === 0 || content !== undefined || about !== undefined ? "" : `?${query.join("&")}`;
  return {
    method: route.method,
    path: `${path}${search}`,
    headers: { ...Object.fromEntries(headers), ...type },
    ...body,
  };
}

function bodyOf(type: string, sample: unknown): { readonly body: unknown } {
  return { body: type === "application/json" ? sample : `${JSON.stringify(sample)}\n` };
}

interface Sampling {
  readonly document: ApiDocument;
  readonly plant: () => string;
  readonly onlyRequired: boolean;
}

/** A value of the schema's form, with a text of its own wherever it takes any text. */
function sampleOf(sampling: Sampling, schema: Schema, depth: number): unknown {
  const { document, plant } = sampling;
  const { $ref: reference, type, enum: allowed, const: only, items } = schema;
  const inner = (of: unknown): unknown => sampleOf(sampling, of as Schema, depth + 1);
  if (depth > DEPTH_MAX) return plant();
  if (typeof reference === "string") return inner(document.schemas[reference.split("/").at(-1) ?? ""] ?? {});
  if (only !== undefined) return only;
  if (Array.isArray(allowed)) return allowed[0];
  const choices = [schema["anyOf"], schema["oneOf"], schema["allOf"]].find(Array.isArray);
  if (choices !== undefined) return inner(choices[0]);
  if (schema["properties"] !== undefined || type === "object") return objectOf(sampling, schema, inner);
  return type === "array" ? [inner(items ?? {})] : scalarOf(schema, plant);
}

function objectOf({ plant, onlyRequired }: Sampling, schema: Schema, inner: (of: unknown) => unknown): unknown {
  const required = (schema["required"] ?? []) as readonly string[];
  const properties = Object.entries(schema["properties"] ?? {})
    .filter(([name]) => !onlyRequired || required.includes(name))
    .map(([name, of]) => [name, inner(of)]);
  const others = schema["additionalProperties"];
  const extra = typeof others === "object" && others !== null ? [[`key-${plant()}`, inner(others)]] : [];
  return Object.fromEntries([...properties, ...extra]) as unknown;
}

function scalarOf({ type, minimum, pattern, format, examples }: Schema, plant: () => string): unknown {
  if (type === "integer" || type === "number") return minimum ?? 1;
  if (type === "boolean") return true;
  // What has a form is sent in that form, if it says one, so that the rest of the request is looked at too.
  if ((pattern !== undefined || format !== undefined) && Array.isArray(examples)) return examples[0];
  return plant();
}
