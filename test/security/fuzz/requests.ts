/** Requests for every route: right ones, right ones at their edges, and wrong ones of every kind. */
import fc from "fast-check";
import type { Asked } from "../authorisation/rows.ts";
import { type DocumentedRoute, type Schema, scopeOf } from "../support/document.ts";
import { NASTY_TEXTS, SPOILED_BODIES, SPOILED_HEADS, spoiledValue, type WireRequest } from "./mischief.ts";
import { SIGNATURE } from "./symbols.ts";
import type { Values } from "./values.ts";

const JSON_TYPE = "application/json";
const NDJSON_TYPE = "application/x-ndjson";

export interface FuzzedRequest {
  /** Null: the path or the method is not one of the document's any more. */
  readonly route: DocumentedRoute | null;
  readonly request: WireRequest;
}

export interface Means {
  readonly values: Values;
  /** A request of each operation that is known to be right. */
  readonly samples: Readonly<Record<string, Asked>>;
  /** First a key that opens the route, and then others. */
  readonly keysFor: (route: DocumentedRoute) => readonly string[];
}

interface Parts {
  readonly path: string;
  readonly query: readonly (readonly [string, unknown])[];
  readonly headers: Readonly<Record<string, string>>;
  /** Undefined: there is none. */
  readonly body: unknown;
}

/** The request for this route that is known to be right. */
export function rightRequest(route: DocumentedRoute, means: Means): FuzzedRequest {
  const [key = ""] = means.keysFor(route);
  return {
    route,
    request: wired(route, withKey(sampleOf(route, means.samples[route.operationId] ?? {}), key), "right"),
  };
}

/** A request for this route: as it should be, or with one thing wrong. */
export function requestsFor(route: DocumentedRoute, means: Means): fc.Arbitrary<FuzzedRequest> {
  const right = partsOf(route, means);
  const whole = right.map((parts): FuzzedRequest => ({ route, request: wired(route, parts, "as documented") }));
  const isJson = route.requestBody?.content[JSON_TYPE] !== undefined;
  const ways = [
    { weight: 3, arbitrary: whole },
    { weight: 2, arbitrary: spoiledHeads(route, whole) },
    { weight: 2, arbitrary: spoiledParameters(route, right) },
    ...(route.requestBody === undefined ? [] : [{ weight: 4, arbitrary: spoiledValues(route, right) }]),
    ...(isJson ? [{ weight: 3, arbitrary: spoiledTexts(route, whole) }] : []),
  ];
  return fc.oneof(...ways);
}

function partsOf(route: DocumentedRoute, { values, samples, keysFor }: Means): fc.Arbitrary<Parts> {
  const made = madeParts(route, values);
  const sample = sampleOf(route, samples[route.operationId] ?? {});
  const mixed = fc.tuple(made, fc.nat()).map(([other, which]) => mixedParts(sample, other, which));
  const parts = fc.oneof(made, fc.constant(sample), mixed);
  return fc.tuple(parts, fc.constantFrom(...keysFor(route))).map(([whole, key]) => withKey(whole, key));
}

function withKey(parts: Parts, key: string): Parts {
  return key === "" ? parts : { ...parts, headers: { ...parts.headers, authorization: `Bearer ${key}` } };
}

/** The sample with another query and, by the bits of a number, other fields of its body: each of them fits the document. */
function mixedParts(sample: Parts, other: Parts, which: number): Parts {
  if (!isObject(sample.body) || !isObject(other.body)) return { ...sample, query: other.query };
  const taken = Object.entries(other.body).filter((_, index) => ((which >> (index % 31)) & 1) === 1);
  return { ...sample, query: other.query, body: { ...sample.body, ...Object.fromEntries(taken) } };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function madeParts({ path, parameters, requestBody }: DocumentedRoute, values: Values): fc.Arbitrary<Parts> {
  const place = (where: string): fc.Arbitrary<Readonly<Record<string, unknown>>> => {
    const here = parameters.filter((parameter) => parameter.in === where);
    const fields = Object.fromEntries(here.map(({ name, schema }) => [name, values.of(schema, name)]));
    return fc.record(fields, { requiredKeys: here.filter(({ required }) => required).map(({ name }) => name) });
  };
  const [type, schema] = bodyOf(requestBody);
  const body = schema === null ? fc.constant(undefined) : values.of(schema);
  return fc.tuple(place("path"), place("query"), place("header"), body).map(([inPath, query, headers, value]) => ({
    path: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(inPath[name]))),
    query: Object.entries(query),
    headers: { ...(type === null ? {} : { "content-type": type }), ...headersOf(headers) },
    body: value,
  }));
}

function bodyOf(requestBody: DocumentedRoute["requestBody"]): readonly [string | null, Schema | null] {
  const [entry] = Object.entries(requestBody?.content ?? {});
  return entry === undefined ? [null, null] : [entry[0], entry[1].schema];
}

/** Nobody is waited for; and what no header can hold is not sent as one. */
function headersOf(headers: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const sendable = Object.entries(headers).filter(
    ([name, value]) => name !== "prefer" && /^[ -~]*$/.test(String(value)),
  );
  return Object.fromEntries(sendable.map(([name, value]) => [name, String(value)]));
}

function sampleOf({ path, requestBody }: DocumentedRoute, asked: Asked): Parts {
  const { id, name, version, body, headers = {}, isSigned = false } = asked;
  const [type] = bodyOf(requestBody);
  const filled = path
    .replace("{id}", id ?? "")
    .replace("{name}", name ?? "")
    .replace("{version}", version ?? "");
  const value = typeof body === "string" ? (JSON.parse(body) as unknown) : body;
  return {
    path: filled,
    query: [],
    headers: {
      ...(type === null ? {} : { "content-type": type }),
      ...(isSigned ? { "webhook-signature": SIGNATURE } : {}),
      ...headers,
    },
    body: value,
  };
}

function wired({ method }: DocumentedRoute, { path, query, headers, body }: Parts, made: string): WireRequest {
  const asked = query.flatMap(([name, value]) =>
    [value].flat().map((one) => `${encodeURIComponent(name)}=${encoded(one)}`),
  );
  const target = asked.length === 0 ? path : `${path}?${asked.join("&")}`;
  // A list of lines is one line here: how a stream is cut into lines has tests of its own.
  const text =
    body === undefined ? null : `${JSON.stringify(body)}${headers["content-type"] === NDJSON_TYPE ? "\n" : ""}`;
  return { method, target, headers, body: text === null ? null : new TextEncoder().encode(text), made, isWrong: false };
}

function encoded(value: unknown): string {
  return encodeURIComponent(String(value).toWellFormed());
}

function spoiledHeads(route: DocumentedRoute, whole: fc.Arbitrary<FuzzedRequest>): fc.Arbitrary<FuzzedRequest> {
  return fc.tuple(whole, fc.constantFrom(...SPOILED_HEADS)).map(([{ request }, spoil]) => {
    const spoiled = spoil(request);
    const isElsewhere =
      "expect" in spoiled.headers ||
      "host" in spoiled.headers ||
      spoiled.method !== request.method ||
      /^[^?]*/.exec(spoiled.target)?.[0] !== /^[^?]*/.exec(request.target)?.[0];
    // What needs no key does not care for a bad one.
    const isWrong = spoiled.isWrong && scopeOf(route) !== null;
    return { route: isElsewhere ? null : route, request: { ...spoiled, isWrong } };
  });
}

/** A parameter that is anything at all. */
function spoiledParameters(route: DocumentedRoute, right: fc.Arbitrary<Parts>): fc.Arbitrary<FuzzedRequest> {
  const names = route.parameters.filter((parameter) => parameter.in === "query").map(({ name }) => name);
  const bad = fc.tuple(fc.constantFrom("unheard_of", ...names), fc.constantFrom(...NASTY_TEXTS));
  return fc.tuple(right, bad).map(([parts, [name, value]]) => {
    // A target that is larger than headers may be is an answer of its own, without a route.
    const short = value.slice(0, 2_000);
    const kept = parts.query.filter(([other]) => other !== name);
    // Nobody waits for what happens to be a number of seconds.
    const said = name === "wait" && /^\d+$/.test(short) ? "x" : short;
    const made = `the parameter ${name} = ${JSON.stringify(said.slice(0, 40))}`;
    return { route, request: wired(route, { ...parts, query: [...kept, [name, said]] }, made) };
  });
}

function spoiledValues(route: DocumentedRoute, right: fc.Arbitrary<Parts>): fc.Arbitrary<FuzzedRequest> {
  return right.chain((parts) =>
    spoiledValue(parts.body).map((body) => ({
      route,
      request: wired(route, { ...parts, body }, "a value of the body"),
    })),
  );
}

function spoiledTexts(route: DocumentedRoute, whole: fc.Arbitrary<FuzzedRequest>): fc.Arbitrary<FuzzedRequest> {
  return fc
    .tuple(whole, fc.constantFrom(...SPOILED_BODIES))
    .map(([{ request }, spoil]) => ({ route, request: spoil(request) }));
}
