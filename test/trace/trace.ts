/**
 * One trace per job, over every process it passes through, and metrics of the business; ids and numbers in all of them,
 * never what a customer wrote, a model answered or a key says.
 */
import { randomBytes } from "node:crypto";
import {
  orphans,
  otlpEnvironment,
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from "@contingent/testkit/otlp-receiver";
import type { TransportName } from "@contingent/testkit/transports";
import { until } from "@contingent/testkit/until";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nanosOf } from "../e2e/support/bills.ts";
import { answer, type Case, settle } from "../e2e/support/cases.ts";
import { HAIKU, PRICE, SONNET, step, WRONG } from "../e2e/support/sums.ts";
import { describeOn, type GetSystem, useSystem } from "../e2e/support/use-system.ts";
import { secrecyTests } from "./secrecy.ts";

/** In the environment of the workers: must turn up nowhere. */
const PROVIDER_KEY = `sk-ant-canary-${randomBytes(8).toString("hex")}`;
const ARRIVE = { timeout: 20_000, interval: 20 };

export function traceTests(transport: TransportName): void {
  describeOn(transport, "telemetry", () => {
    let receiver: OtlpReceiver | undefined;
    const received = (): OtlpReceiver => {
      if (receiver === undefined) throw new Error("the receiver has not been started");
      return receiver;
    };
    beforeAll(async () => {
      receiver = await startOtlpReceiver();
    });
    afterAll(async () => {
      await receiver?.close();
    });
    const system = useSystem(() => ({
      transport,
      workers: { premium: 0 },
      env: { ...otlpEnvironment(received()), ANTHROPIC_API_KEY: PROVIDER_KEY, LOG_LEVEL: "trace" },
    }));
    treeTests(system, received);
    metricTests(system, received);
    secrecyTests(system, received, PROVIDER_KEY);
    silenceTests(system, received);
  });
}

/** Waits until the trace of a closed job has arrived in full, and returns it as a tree. */
async function traceOf(received: () => OtlpReceiver, traceId: string): Promise<Tree> {
  return await until(
    () => {
      const spans = received()
        .spans()
        .filter((span) => span.traceId === traceId);
      const settled = spans.some(({ name }) => name === "process settle");
      return settled && orphans(spans).length === 0 && new Tree(spans);
    },
    { timeoutMs: ARRIVE.timeout, intervalMs: ARRIVE.interval, what: `the whole trace ${traceId}` },
  );
}

class Tree {
  readonly spans: readonly ReceivedSpan[];

  constructor(spans: readonly ReceivedSpan[]) {
    this.spans = spans.toSorted((a, b) => (a.startNs < b.startNs ? -1 : 1));
  }

  named(name: string): readonly ReceivedSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  one(name: string): ReceivedSpan {
    const [span, ...more] = this.named(name);
    if (span === undefined || more.length > 0) throw new Error(`there are ${this.named(name).length} spans "${name}"`);
    return span;
  }

  childrenOf(parent: ReceivedSpan): readonly ReceivedSpan[] {
    return this.spans.filter((span) => span.parentSpanId === parent.spanId);
  }

  /** Names from the root to the span. */
  pathTo(span: ReceivedSpan): readonly string[] {
    const parent = this.spans.find(({ spanId }) => spanId === span.parentSpanId);
    return parent === undefined ? [span.name] : [...this.pathTo(parent), span.name];
  }
}

function treeTests(system: GetSystem, received: () => OtlpReceiver): void {
  let it: Case;
  let job: Awaited<ReturnType<Case["closed"]>>;
  let tree: Tree;
  beforeAll(async () => {
    const cascade = [step("fast", { attempts_max: 2 }), step("standard", { attempts_max: 1 })];
    const stepsOf = { [HAIKU]: [answer(WRONG), answer(WRONG)] };
    ({ it, job } = await settle(system(), { terms: { cascade }, stepsOf }));
    tree = await traceOf(received, job.trace_id ?? "");
  });

  test("a job's trace is one tree whose root is the request, under the id that the job's JSON names", () => {
    const root = tree.one("POST /v1/jobs");
    expect(root).toMatchObject({ kind: "server", parentSpanId: null, traceId: job.trace_id, service: "intake" });
    expect(root.attributes).toMatchObject({ "http.route": "/v1/jobs", "http.response.status_code": 202 });
    expect(tree.spans.filter((span) => span.parentSpanId === null)).toEqual([root]);
    expect(new Set(tree.spans.map(({ service }) => service))).toEqual(
      new Set(["intake", "worker", "validator", "ledger"]),
    );
    expect(it.accepted.trace_id).toBe(job.trace_id);
  });

  test("every hop has a span that sends and one that processes, in the services that do it", () => {
    const hops = tree.spans.filter(({ kind }) => kind === "producer" || kind === "consumer");
    expect(hops.map(({ name, service }) => `${service}: ${name}`)).toEqual([
      "intake: send attempt.fast",
      "worker: process attempt.fast",
      "worker: send validate",
      "validator: process validate",
      "validator: send attempt.fast",
      "worker: process attempt.fast",
      "worker: send validate",
      "validator: process validate",
      "validator: send attempt.standard",
      "worker: process attempt.standard",
      "worker: send validate",
      "validator: process validate",
      "validator: send settle",
      "ledger: process settle",
    ]);
    for (const span of hops) {
      expect(span.attributes).toMatchObject({ "messaging.system": "bullmq", "outcome.job.id": it.id });
    }
    // Each one is a child of the one before it, so that the way of the job can be read off the tree.
    expect(tree.pathTo(tree.one("settle"))).toEqual([
      "POST /v1/jobs",
      "send attempt.fast",
      "process attempt.fast",
      "attempt fast",
      "send validate",
      "process validate",
      "send attempt.fast",
      "process attempt.fast",
      "attempt fast",
      "send validate",
      "process validate",
      "send attempt.standard",
      "process attempt.standard",
      "attempt standard",
      "send validate",
      "process validate",
      "send settle",
      "process settle",
      "settle",
    ]);
  });

  test("each attempt has a span with its tier, number and cost, and is linked to the attempt before it", () => {
    const attempts = tree.spans.filter(({ name }) => name.startsWith("attempt "));
    expect(attempts.map(({ name }) => name)).toEqual(["attempt fast", "attempt fast", "attempt standard"]);
    for (const [index, span] of attempts.entries()) {
      const made = job.attempt_list?.[index];
      expect(span.attributes).toMatchObject({
        "outcome.job.id": it.id,
        "outcome.type": it.type,
        "outcome.tier": made?.tier,
        "outcome.attempt": index + 1,
        "outcome.attempt.id": made?.id,
        "outcome.attempt.result": "answered",
        "outcome.cost_nanos": Number(nanosOf(made?.cost ?? null)),
        "gen_ai.request.model": made?.model,
      });
      const before = attempts[index - 1];
      expect(span.links).toEqual(before === undefined ? [] : [{ traceId: before.traceId, spanId: before.spanId }]);
    }
  });

  test("under each attempt stands the model SDK's own span of its call, with the GenAI attributes", () => {
    const attempts = tree.spans.filter(({ name }) => name.startsWith("attempt "));
    const calls = attempts.map((attempt) => tree.childrenOf(attempt).filter(({ kind }) => kind === "client"));
    expect(calls.map((spans) => spans.length)).toEqual([1, 1, 1]);
    for (const [index, span] of calls.flat().entries()) {
      const made = job.attempt_list?.[index];
      expect(span.scope).toBe("com.anthropic.sdk.typescript");
      expect(span.attributes).toMatchObject({
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.request.model": made?.model,
        "gen_ai.request.max_tokens": 256,
        "gen_ai.output.type": "json",
      });
      expect(typeof span.attributes["gen_ai.response.id"]).toBe("string");
      expect(span.attributes["gen_ai.usage.input_tokens"]).toBe(made?.tokens?.input);
      expect(span.attributes["gen_ai.usage.output_tokens"]).toBe(made?.tokens?.output);
    }
    expect(calls.flat().map((span) => span.attributes["gen_ai.request.model"])).toEqual([HAIKU, HAIKU, SONNET]);
  });

  test("each verdict has a span with its evaluation as a GenAI event", () => {
    const judged = tree.named("validate");
    expect(judged.map((span) => span.attributes["outcome.verdict"])).toEqual(["fail", "fail", "pass"]);
    for (const [index, span] of judged.entries()) {
      const verdict = job.attempt_list?.[index]?.verdict;
      expect(span.attributes).toMatchObject({
        "outcome.job.id": it.id,
        "outcome.attempt.id": job.attempt_list?.[index]?.id,
        "outcome.score": verdict?.score,
      });
      expect(span.events.map(({ name }) => name)).toEqual(["gen_ai.evaluation.result"]);
      expect(span.events[0]?.attributes).toMatchObject({
        "gen_ai.evaluation.name": "json_schema@1 arithmetic@1",
        "gen_ai.evaluation.score.value": verdict?.score,
        "gen_ai.evaluation.score.label": verdict?.decision,
        "gen_ai.evaluation.explanation": verdict?.decision === "fail" ? "sum_mismatch" : "",
      });
    }
  });

  test("the settlement says what came of it", () => {
    expect(tree.one("settle").attributes).toMatchObject({
      "outcome.job.id": it.id,
      "outcome.customer.id": system().keys.customerId,
      "outcome.type": it.type,
      "outcome.type.version": 1,
      "outcome.resolution": "success",
      "outcome.reason": "verified",
      "outcome.billable": true,
      "outcome.price_nanos": Number(nanosOf({ amount: PRICE })),
      "outcome.cost_nanos": Number(nanosOf(job.cost)),
    });
    expect(tree.spans.every(({ status }) => status !== "error")).toBe(true);
  });

  test("a call that fails marks its attempt's span, and the one that stands in is linked to it", async () => {
    const cascade = [step("fast", { attempts_max: 1, timeout_ms: 300 }), step("standard", { attempts_max: 1 })];
    const failed = await settle(system(), { terms: { cascade }, steps: ["hang"] });
    const its = await traceOf(received, failed.job.trace_id ?? "");
    const first = its.one("attempt fast");
    expect(first).toMatchObject({ status: "error", attributes: { "error.type": "timeout" } });
    // What is in the books: the worst case, because the answer was lost.
    const booked = Number(nanosOf(failed.job.attempt_list?.[0]?.cost ?? null));
    expect(booked).toBeGreaterThan(0);
    expect(first.attributes["outcome.cost_nanos"]).toBe(booked);
    expect(its.one("attempt standard").links).toEqual([{ traceId: first.traceId, spanId: first.spanId }]);
  });
}

function metricTests(system: GetSystem, received: () => OtlpReceiver): void {
  test("the metrics of the business arrive, in agreement with the jobs", async () => {
    const cascade = [step("fast", { attempts_max: 2, timeout_ms: 300 }), step("standard", { attempts_max: 1 })];
    const [good, slow, bad] = await Promise.all([
      settle(system(), { terms: { cascade }, steps: [answer(WRONG)] }),
      settle(system(), { terms: { cascade }, steps: ["hang"] }),
      settle(system(), { terms: { cascade }, steps: ["refuse", "refuse"] }),
    ]);
    const sum = (name: string, where: object): number => valueOf(received(), name, where).sum;
    const count = (name: string, where: object): number => valueOf(received(), name, where).count;
    const jobs = (type: string, resolution: string, reason: string): (() => number) => {
      const where = { "outcome.type": type, "outcome.resolution": resolution, "outcome.reason": reason };
      return () => sum("outcome.jobs", where);
    };
    const price = Number(nanosOf({ amount: PRICE }));
    // Each process sends what it has counted when its time comes.
    await expect.poll(jobs(good.it.type, "success", "verified"), ARRIVE).toBe(1);
    await expect.poll(jobs(slow.it.type, "success", "verified"), ARRIVE).toBe(1);
    await expect.poll(jobs(bad.it.type, "failure", "refused"), ARRIVE).toBe(1);
    await expect.poll(() => sum("outcome.price", { "outcome.type": good.it.type }), ARRIVE).toBe(price);
    expect(sum("outcome.price", { "outcome.type": bad.it.type })).toBe(0);
    for (const verdict of ["pass", "fail"]) {
      const where = { "outcome.type": good.it.type, "outcome.verdict": verdict };
      await expect.poll(() => count("outcome.validation.duration", where), ARRIVE).toBe(1);
    }

    // Over all jobs of this system so far: attempts by tier and result, and their cost, as in the books.
    const { rows } = await system().pool.query<{ tier: string; outcome: string; attempts: bigint; cost: string }>({
      text: "SELECT tier, outcome, count(*) AS attempts, sum(cost_nanos)::text AS cost FROM attempt GROUP BY 1, 2",
    });
    for (const { tier, outcome, attempts } of rows) {
      const where = { "outcome.tier": tier, "outcome.attempt.result": outcome };
      await expect.poll(() => sum("outcome.attempts", where), ARRIVE).toBe(Number(attempts));
    }
    const booked = rows.reduce((total, row) => total + Number(row.cost), 0);
    await expect.poll(() => sum("outcome.cost", {}), ARRIVE).toBe(booked);
    for (const queue of ["attempt.fast", "attempt.standard", "validate", "settle"]) {
      const where = { "messaging.destination.name": queue };
      await expect.poll(() => count("outcome.queue.wait", where), ARRIVE).toBeGreaterThan(0);
    }
  });
}

const RECORD_LOADS = new URL("../telemetry/record-loads.ts", import.meta.url).href;

function silenceTests(system: GetSystem, received: () => OtlpReceiver): void {
  test("without an endpoint no service loads any of the telemetry SDK, and jobs have a trace id all the same", async () => {
    const names = system()
      .processes()
      .map(({ name }) => name);
    const silent = { OTEL_EXPORTER_OTLP_ENDPOINT: "", NODE_OPTIONS: `--import=${RECORD_LOADS}` };
    await Promise.all(names.map((name) => system().restart(name, silent)));
    const { job } = await settle(system(), { steps: [answer(WRONG)] });
    expect(job).toMatchObject({ resolution: "success" });
    expect(job.trace_id).toMatch(/^[0-9a-f]{32}$/);
    const children = system()
      .processes()
      .map(({ child }) => child);
    await Promise.all(
      children.map(async (child) => {
        child.send("SIGTERM");
        await child.exited;
      }),
    );
    for (const name of names) {
      const [, loaded] = /telemetry modules: (.*)/.exec(system().log(name)) ?? [];
      expect(loaded, name).toBe("@opentelemetry/api");
    }
    expect(
      received()
        .spans()
        .filter(({ traceId }) => traceId === job.trace_id),
    ).toEqual([]);
  });
}

/** The latest value of a metric over all processes and all points with these attributes. */
function valueOf(
  receiver: OtlpReceiver,
  name: string,
  where: object,
): { readonly sum: number; readonly count: number } {
  const latest = new Map<string, { sum: number; count: number }>();
  for (const metric of receiver.metrics().filter((each) => each.name === name)) {
    const points = metric.points.filter(({ attributes }) =>
      Object.entries(where).every(([key, value]) => attributes[key] === value),
    );
    const sum = points.reduce((total, point) => total + point.sum, 0);
    const count = points.reduce((total, point) => total + point.count, 0);
    latest.set(metric.instance, { sum, count });
  }
  return [...latest.values()].reduce(
    (total, each) => ({ sum: total.sum + each.sum, count: total.count + each.count }),
    {
      sum: 0,
      count: 0,
    },
  );
}
