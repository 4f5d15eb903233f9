import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import {
  orphans,
  otlpEnvironment,
  type OtlpReceiver,
  type ReceivedMetric,
  type ReceivedSpan,
  startOtlpReceiver,
} from "@contingent/testkit/otlp-receiver";
import { emptyDatabase } from "@contingent/testkit/postgres";
import { describeEachTransport, freshQueue } from "@contingent/testkit/transports";
import { until } from "@contingent/testkit/until";
import { afterEach, beforeEach, expect, it } from "vitest";

const RELAY = fileURLToPath(new URL("./relay-main.ts", import.meta.url));
const RECORD_LOADS = new URL("./record-loads.ts", import.meta.url).href;
const SOON = { timeoutMs: 20_000 };

interface Relay {
  readonly child: ChildProcess;
  /** What it wrote so far. */
  output(): string;
  /** Tells it to drain. @returns the exit code */
  stop(): Promise<unknown>;
}

function startRelay(env: Record<string, string>, ...nodeOptions: string[]): Relay {
  const child = spawn(process.execPath, [...nodeOptions, RELAY], { env: { ...process.env, ...env }, stdio: "pipe" });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const exited = once(child, "exit");
  return {
    child,
    output: () => output,
    async stop() {
      child.kill("SIGTERM");
      return (await exited)[0] as unknown;
    },
  };
}

describeEachTransport("a job's trace", (transport) => {
  let queueUrl: string;
  let receiver: OtlpReceiver;
  let relay: Relay | undefined;
  let cleanUp: () => Promise<void>;
  beforeEach(async () => {
    const database = await emptyDatabase();
    const queue = await freshQueue(transport, database.url);
    queueUrl = queue.url;
    receiver = await startOtlpReceiver();
    cleanUp = async () => {
      relay?.child.kill("SIGKILL");
      await receiver.close();
      await queue.drop();
      await database.drop();
    };
  });
  afterEach(async () => {
    await cleanUp();
  });

  /** Lets a relay do its work and stops it. @returns what it wrote */
  async function runRelay(env: Record<string, string>, ...nodeOptions: string[]): Promise<string> {
    const started = startRelay({ QUEUE_URL: queueUrl, ...env }, ...nodeOptions);
    relay = started;
    await until(() => started.output().includes('"settled":2'), SOON);
    expect(await started.stop()).toBe(0);
    return started.output();
  }

  it("is one tree from the request over every queue, and what causes a message from elsewhere is linked", async () => {
    await runRelay(otlpEnvironment(receiver));
    const spans = receiver.spans();
    expect(orphans(spans)).toEqual([]);
    const request = only(spans, "POST /v1/jobs");
    const sweep = only(spans, "sweep");
    let parent = request;
    for (const name of ["send attempt.fast", "process attempt.fast", "attempt", "send validate", "process validate"]) {
      const span = only(spans, name);
      expect(span).toMatchObject({ traceId: request.traceId, parentSpanId: parent.spanId, service: "relay" });
      parent = span;
    }
    const settles = new Map(
      spans.filter(({ name }) => name === "send settle").map((span) => [span.parentSpanId, span]),
    );
    expect(settles.size).toBe(2);
    expect(settles.get(parent.spanId)?.links).toEqual([]);
    expect(settles.get(request.spanId)?.links).toEqual([{ traceId: sweep.traceId, spanId: sweep.spanId }]);
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([request.traceId, sweep.traceId]));
    expect(only(spans, "process attempt.fast")).toMatchObject({
      kind: "consumer",
      attributes: {
        "messaging.system": "bullmq",
        "messaging.destination.name": "attempt.fast",
        "messaging.message.id": "job_relay01-1",
        "outcome.job.id": "job_relay01",
      },
    });
  });

  it("comes with the metrics of waiting, validating and closing, in their units", async () => {
    await runRelay(otlpEnvironment(receiver));
    const last = (name: string): ReceivedMetric | undefined =>
      receiver.metrics().findLast((metric) => metric.name === name);
    expect(last("outcome.jobs")).toMatchObject({
      unit: "{job}",
      points: [{ sum: 2, attributes: { "outcome.resolution": "success" } }],
    });
    expect(last("outcome.price")).toMatchObject({ unit: "nUSD", points: [{ sum: 40_000_000 }] });
    expect(last("outcome.validation.duration")).toMatchObject({ unit: "ms", points: [{ count: 1, sum: 5 }] });
    const waits = last("outcome.queue.wait");
    expect(waits?.unit).toBe("ms");
    const counts = waits?.points.map(({ attributes, count }) => [attributes["messaging.destination.name"], count]);
    expect(Object.fromEntries(counts ?? [])).toEqual({ "attempt.fast": 1, validate: 1, settle: 2 });
  });

  it("costs nothing when no endpoint is set: nothing of the SDK is loaded", async () => {
    const withTelemetry = await runRelay(otlpEnvironment(receiver), "--import", RECORD_LOADS);
    expect(withTelemetry).toMatch(/telemetry modules: .*@opentelemetry\/sdk-node/);
    const without = await runRelay({ OTEL_EXPORTER_OTLP_ENDPOINT: "" }, "--import", RECORD_LOADS);
    expect(without).toContain("telemetry modules: @opentelemetry/api\n");
  });
});

function only(spans: readonly ReceivedSpan[], name: string): ReceivedSpan {
  const [span, ...more] = spans.filter((candidate) => candidate.name === name);
  if (span === undefined || more.length > 0) throw new Error(`expected one span "${name}", got ${spans.length}`);
  return span;
}
