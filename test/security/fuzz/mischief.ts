/** Everything that can be wrong with a request, one thing at a time. */
import fc from "fast-check";

/** A request as it goes over the wire. */
export interface WireRequest {
  readonly method: string;
  /** As it is sent, percent-encoding included. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | null;
  /** What was done to it, for people. */
  readonly made: string;
  /** No server may take it. */
  readonly isWrong: boolean;
}

const TOO_DEEP = 3_000;
const TOO_LARGE_BYTES = 300 * 1024;

/** Texts that have broken programs before. */
export const NASTY_TEXTS = [
  "",
  " ",
  "\u0000",
  "\ud800",
  "\u202e\u2066abc",
  "e\u0301".repeat(200),
  "😀".repeat(300),
  "' OR 1=1; --",
  "$1; DROP TABLE job",
  "{{constructor.constructor('return process')()}}",
  "../../../../etc/passwd",
  "%s%n%x",
  "<script>alert(1)</script>",
  "=cmd|' /C calc'!A0",
  "__proto__",
  "null",
  "NaN",
  "1e309",
  "2026-02-30T25:61:61Z",
  "999999999999-01-01T00:00:00Z",
  "x".repeat(70_000),
];

const NASTY_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -0,
  -1,
  0.1,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  1e308,
  5e-324,
  [],
  {},
  [[[[]]]],
  [null],
  { $ref: "#" },
  { length: 1 },
  Array.from({ length: 2_000 }, () => 0),
  ...NASTY_TEXTS,
];

/** A value in which one node is another one, is gone, is there more often or has company. */
export function spoiledValue(value: unknown): fc.Arbitrary<unknown> {
  const paths = pathsIn(value);
  return fc
    .tuple(
      fc.constantFrom(...paths),
      fc.constantFrom("replace", "remove", "add", "wrap"),
      fc.constantFrom(...NASTY_VALUES),
    )
    .map(([path, how, nasty]) => changed(value, path, (node) => deed(node, how, nasty)));
}

const GONE = Symbol("gone");

function deed(node: unknown, how: string, nasty: unknown): unknown {
  switch (how) {
    case "remove":
      return GONE;
    case "add":
      if (Array.isArray(node)) return [...(node as readonly unknown[]), nasty];
      return typeof node === "object" && node !== null ? { ...node, unheard_of: nasty } : nasty;
    case "wrap":
      return [node];
    default:
      return nasty;
  }
}

function pathsIn(value: unknown, path: readonly string[] = []): readonly (readonly string[])[] {
  if (typeof value !== "object" || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([name, node]) => pathsIn(node, [...path, name]))];
}

function changed(value: unknown, path: readonly string[], change: (node: unknown) => unknown): unknown {
  const [name, ...rest] = path;
  if (name === undefined) {
    const node = change(value);
    return node === GONE ? null : node;
  }
  const node = changed((value as Readonly<Record<string, unknown>>)[name], rest, change);
  const isGone = rest.length === 0 && change((value as Readonly<Record<string, unknown>>)[name]) === GONE;
  if (Array.isArray(value)) {
    const items = (value as readonly unknown[]).map((item, index) => (String(index) === name ? node : item));
    return isGone ? items.filter((_, index) => String(index) !== name) : items;
  }
  const fields = Object.entries(value as object).filter(([field]) => !(isGone && field === name));
  return Object.fromEntries(fields.map(([field, old]) => [field, field === name ? node : old]));
}

type Spoil = (request: WireRequest) => WireRequest;

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf({ body }: WireRequest): string {
  return new TextDecoder().decode(body ?? new Uint8Array());
}

function withText(made: string, change: (text: string) => string): Spoil {
  return (request) => ({ ...request, made, isWrong: true, body: bytes(change(textOf(request))) });
}

function withHeader(made: string, name: string, value: string, isWrong: boolean): Spoil {
  return (request) => ({ ...request, made, isWrong, headers: { ...request.headers, [name]: value } });
}

/** What no endpoint with a JSON body takes, whatever the body says. */
export const SPOILED_BODIES: readonly Spoil[] = [
  withText("a body that is cut off", (text) => text.slice(0, -1)),
  withText("a body with something behind it", (text) => `${text}{}`),
  withText("a body with a comment", (text) => `${text}// x`),
  withText("a body in single quotes", (text) => text.replaceAll('"', "'").replace(/^\{\}$/, "{'a':1}")),
  withText("a body with NaN", (text) => text.replace("{", '{"unheard_of":NaN,').replace(",}", "}")),
  withText("a number of 400 digits", (text) => inPlaceOf(/(?<=:)-?\d+(?=[,}])/, text, "9".repeat(400))),
  withText("half a surrogate pair", (text) => inPlaceOf(A_TEXT, text, String.raw`"\ud800"`)),
  withText("a NUL", (text) => inPlaceOf(A_TEXT, text, String.raw`"a\u0000"`)),
  // Were the last one to count, the body would be as good as before.
  withText("a key twice", (text) => twice(text, (key) => key)),
  withText("a key twice, once with an escape", (text) => twice(text, escaped)),
  withText("a body that is deep", (text) =>
    inPlaceOf(/(?<="input":)\{\}|(?<="input":\{"\w+":)"[^"]*"/, text, nested("[", "]")),
  ),
  withText("a body that is nothing but depth", () => nested('{"a":', "}", "1")),
  withText("an empty body", () => ""),
  withText("a body of white space", () => " \n\t "),
  withText("a list for an object", (text) => `[${text}]`),
  withText("a text for an object", (text) => JSON.stringify(text)),
  withText("null for an object", () => "null"),
  withText("a body that is too large", (text) =>
    text.replace("{", `{"a":"${"x".repeat(TOO_LARGE_BYTES)}",`).replace(",}", "}"),
  ),
  (request) => ({
    ...request,
    made: "a body in UTF-16",
    isWrong: true,
    body: Buffer.from(textOf(request), "utf16le"),
  }),
  (request) => ({
    ...request,
    made: "a body that is no UTF-8",
    isWrong: true,
    body: Buffer.concat([bytes('{"a":"'), Buffer.from([0xc3, 0x28, 0xff]), bytes('"}')]),
  }),
  withHeader("another content type", "content-type", "text/plain", true),
  withHeader("a form's content type", "content-type", "application/x-www-form-urlencoded", true),
  withHeader("another charset", "content-type", "application/json; charset=latin1", true),
  withHeader("a compressed body that is none", "content-encoding", "gzip", true),
  withHeader("an unknown encoding", "content-encoding", "br, x-unheard-of", true),
];

/** What can be wrong around any request. */
export const SPOILED_HEADS: readonly Spoil[] = [
  ...["", "Basic eDp5", "Bearer", "Bearer a b", "bearer x", "Bearer ctg_live__", `Bearer ${"x".repeat(8_000)}`].map(
    (value) => withHeader(`the authorization ${value.slice(0, 20)}`, "authorization", value, true),
  ),
  // Both are refused before there is a route.
  withHeader("an expectation that nobody meets", "expect", "the-best", true),
  withHeader("a host that is none", "host", "x/y z", true),
  withHeader("a broken trace context", "traceparent", "00-zz-zz-zz", false),
  withHeader("an id of one's own", "x-request-id", "req_mine", false),
  withHeader("nothing acceptable", "accept", "image/png", false),
  withHeader("a host of one's own", "x-forwarded-host", "evil.example", false),
  withHeader("another method by header", "x-http-method-override", "DELETE", false),
  withHeader("an empty idempotency key", "idempotency-key", "", false),
  withHeader("a long idempotency key", "idempotency-key", "k".repeat(300), false),
  withHeader("a preference that is none", "prefer", "wait=x, respond-async;;;=", false),
  withHeader("a position that is none", "last-event-id", "-1", false),
  ...["DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "PROPFIND"].map((method): Spoil => (request) => ({
    ...request,
    made: `the method ${method}`,
    isWrong: false,
    method,
    body: null,
  })),
  ...["//", "/%2e%2e/", "/%00", "/%E0%A4%A", "/./", "/%2F", ";x=1", "#x"].map((piece): Spoil => (request) => ({
    ...request,
    made: `a path with ${piece}`,
    isWrong: false,
    target: request.target.replace(/(?<=\/v1)/, piece),
  })),
  ...[
    "unheard_of=1",
    "__proto__[x]=1",
    "limit=1&limit=2",
    "limit=%00",
    "cursor=%F0%9F%98%80",
    "cursor=key_%27",
    "limit=1e3",
    "=",
    "&&&",
  ].map((query): Spoil => (request) => ({
    ...request,
    made: `the query ${query}`,
    isWrong: false,
    target: `${request.target}${request.target.includes("?") ? "&" : "?"}${query}`,
  })),
];

const A_TEXT = /(?<=:)"[^"]*"(?=[,}])/;

/** What is there of this form becomes this; where there is nothing of it the body gets a field more. */
function inPlaceOf(what: RegExp, text: string, piece: string): string {
  return what.test(text)
    ? text.replace(what, () => piece)
    : text.replace("{", () => `{"unheard_of":${piece},`).replace(",}", "}");
}

function twice(text: string, spelled: (key: string) => string): string {
  const key = /^\{"(\w+)":/.exec(text)?.[1];
  return key === undefined ? '{"a":1,"a":1}' : text.replace("{", () => `{"${spelled(key)}":null,`);
}

function escaped(key: string): string {
  return `\\u${key.charCodeAt(0).toString(16).padStart(4, "0")}${key.slice(1)}`;
}

function nested(open: string, close: string, inner = ""): string {
  return `${open.repeat(TOO_DEEP)}${inner}${close.repeat(TOO_DEEP)}`;
}
