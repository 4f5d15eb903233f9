/** One trace per job, over every process that it passes through. */
import { beforeAll, expect, test } from "vitest";
import { nanosOf } from "../e2e/support/bills.ts";
import { answer, type Case, settle } from "../e2e/support/cases.ts";
import { HAIKU, PRICE, SONNET, step, WRONG } from "../e2e/support/sums.ts";
import type { GetSystem } from "../e2e/support/use-system.ts";
import { type GetReceiver, traceOf, type Tree } from "./tree.ts";

export function treeTests(system: GetSystem, received: GetReceiver): void {
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
        // An answer whose sums are wrong is not worth the process that would check its form.
        "gen_ai.evaluation.name": verdict?.decision === "fail" ? "arithmetic@1" : "arithmetic@1 json_schema@1",
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
