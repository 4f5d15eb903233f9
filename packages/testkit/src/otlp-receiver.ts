/** Receives OTLP over HTTP (protobuf, as the services send it) and keeps the spans and metrics for assertions. */
import { createServer, type IncomingMessage } from "node:http";
import { gunzipSync } from "node:zlib";
import { double, type Fields, hex, integer, last, messages, readFields, text } from "./protobuf.ts";

export type AttributeValue = string | number | boolean | readonly AttributeValue[] | null;
export type ReceivedAttributes = Readonly<Record<string, AttributeValue>>;

const KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;
const STATUSES = ["unset", "ok", "error"] as const;

export interface ReceivedSpan {
  readonly service: string;
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Null for the root of a trace. */
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: (typeof KINDS)[number];
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly status: (typeof STATUSES)[number];
  readonly attributes: ReceivedAttributes;
  readonly events: readonly { readonly name: string; readonly attributes: ReceivedAttributes }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

export interface ReceivedPoint {
  readonly attributes: ReceivedAttributes;
  /** A counter's value, or the sum of what a histogram recorded. */
  readonly sum: number;
  /** How often a histogram recorded; 1 for a counter. */
  readonly count: number;
}

export interface ReceivedMetric {
  readonly service: string;
  /** The process that sent it: values are cumulative per process. */
  readonly instance: string;
  readonly name: string;
  readonly unit: string;
  readonly points: readonly ReceivedPoint[];
}

export interface OtlpReceiver {
  /** For OTEL_EXPORTER_OTLP_ENDPOINT. */
  readonly url: string;
  spans(): readonly ReceivedSpan[];
  /** Everything received; values are cumulative, so the last of a name and service counts. */
  metrics(): readonly ReceivedMetric[];
  close(): Promise<void>;
}

/** What a service needs in its environment so that a test need not wait for batches. */
export function otlpEnvironment(receiver: OtlpReceiver): Record<string, string> {
  return {
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_BSP_SCHEDULE_DELAY: "50",
    OTEL_METRIC_EXPORT_INTERVAL: "200",
    OTEL_METRIC_EXPORT_TIMEOUT: "200",
  };
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const metrics: ReceivedMetric[] = [];
  const receive = async (request: IncomingMessage): Promise<void> => {
    const body = await bodyOf(request);
    if (request.url === "/v1/traces") spans.push(...readSpans(body));
    if (request.url === "/v1/metrics") metrics.push(...readMetrics(body));
  };
  const server = createServer((request, response) => {
    const answer = (status: number) => (): unknown =>
      response.writeHead(status, { "content-type": "application/x-protobuf" }).end();
    receive(request).then(answer(200), answer(400));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    spans: () => spans,
    metrics: () => metrics,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Spans whose parent is in none of the spans: in a complete trace there are none. */
export function orphans(spans: readonly ReceivedSpan[]): readonly ReceivedSpan[] {
  const known = new Set(spans.map(({ traceId, spanId }) => `${traceId}/${spanId}`));
  return spans.filter((span) => span.parentSpanId !== null && !known.has(`${span.traceId}/${span.parentSpanId}`));
}

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  return request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body;
}

function readSpans(body: Uint8Array): ReceivedSpan[] {
  return scopesOf(body).flatMap(({ service, scope, items }) => items.map((span) => readSpan(service, scope, span)));
}

function readSpan(service: string, scope: string, span: Fields): ReceivedSpan {
  const [status = new Map()] = messages(span, 15);
  return {
    service,
    scope,
    traceId: hex(span, 1),
    spanId: hex(span, 2),
    parentSpanId: hex(span, 4) || null,
    name: text(span, 5),
    kind: KINDS[Number(integer(span, 6))] ?? "unspecified",
    startNs: integer(span, 7),
    endNs: integer(span, 8),
    status: STATUSES[Number(integer(status, 3))] ?? "unset",
    attributes: attributesOf(span, 9),
    events: messages(span, 11).map((event) => ({ name: text(event, 2), attributes: attributesOf(event, 3) })),
    links: messages(span, 13).map((link) => ({ traceId: hex(link, 1), spanId: hex(link, 2) })),
  };
}

/** Counters (sums), gauges and histograms. */
function readMetrics(body: Uint8Array): ReceivedMetric[] {
  return scopesOf(body).flatMap(({ service, instance, items }) =>
    items.map((metric) => {
      const [name, unit] = [text(metric, 1), text(metric, 3)];
      return { service, instance, name, unit, points: pointsOf(metric) };
    }),
  );
}

function pointsOf(metric: Fields): ReceivedPoint[] {
  const numbers = [...messages(metric, 5), ...messages(metric, 7)].flatMap((data) => messages(data, 1));
  const histograms = messages(metric, 9).flatMap((data) => messages(data, 1));
  return [
    ...numbers.map((point) => ({
      attributes: attributesOf(point, 7),
      sum: double(point, 4) ?? Number(BigInt.asIntN(64, integer(point, 6))),
      count: 1,
    })),
    ...histograms.map((point) => ({
      attributes: attributesOf(point, 9),
      sum: double(point, 5) ?? 0,
      count: Number(integer(point, 4)),
    })),
  ];
}

/** Traces and metrics are nested alike: resources (1) hold scopes (2), which hold items (2). */
function scopesOf(body: Uint8Array): { service: string; instance: string; scope: string; items: Fields[] }[] {
  return messages(readFields(body), 1).flatMap((resourceItems) => {
    const [resource = new Map()] = messages(resourceItems, 1);
    const about = attributesOf(resource, 1);
    const service = String(about["service.name"] ?? "");
    const instance = String(about["service.instance.id"] ?? "");
    return messages(resourceItems, 2).map((scopeItems) => {
      const [scope = new Map()] = messages(scopeItems, 1);
      return { service, instance, scope: text(scope, 1), items: messages(scopeItems, 2) };
    });
  });
}

function attributesOf(fields: Fields, number: number): ReceivedAttributes {
  return Object.fromEntries(
    messages(fields, number).map((pair) => {
      const [value = new Map()] = messages(pair, 2);
      return [text(pair, 1), valueOf(value)];
    }),
  );
}

function valueOf(value: Fields): AttributeValue {
  if (value.has(1)) return text(value, 1);
  if (value.has(2)) return last(value, 2) === 1n;
  if (value.has(3)) return Number(BigInt.asIntN(64, integer(value, 3)));
  if (value.has(4)) return double(value, 4);
  if (value.has(5)) return messages(value, 5).flatMap((array) => messages(array, 1).map(valueOf));
  return null;
}
