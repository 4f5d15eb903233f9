import { createJobSchema, type BulkLine } from "@contingent/contracts/http/jobs";
import { NDJSON_TYPE } from "@contingent/contracts/http/operation";
import { bulkCreateJobs } from "@contingent/contracts/http/operations";
import { traceparentOf, withSpan } from "@contingent/runtime/tracing";
import type { IntakeContext } from "../../context.ts";
import { ApiError } from "../../http/api-error.ts";
import { check } from "../../http/check.ts";
import { readJson } from "../../http/json-text.ts";
import { BODY_BYTES_MAX, requireType } from "../../http/read-body.ts";
import { apiErrorOf, tellError, localsOf } from "../../http/respond.ts";
import { type Call, route } from "../../http/route.ts";
import { writeChunk } from "../../http/write-chunk.ts";
import { customerJob } from "../../jobs/render.ts";
import { submit } from "../../jobs/submit.ts";
import { unrecordedTraceparent } from "../../jobs/trace.ts";
import { inOrder } from "./in-order.ts";
import { type Line, linesOf } from "./lines.ts";

/** Lines of one request that are worked on at a time: as many as fit one accepting statement. */
const LINES_AT_ONCE = 64;

type BulkCall = Call<typeof bulkCreateJobs>;

export const bulkCreateJobsRoute = route(
  bulkCreateJobs,
  async (context, call) => {
    const { request, response, signal } = call;
    requireType(request, NDJSON_TYPE);
    response.writeHead(200, { "Content-Type": NDJSON_TYPE, "Cache-Control": "no-store", "X-Accel-Buffering": "no" });
    response.flushHeaders();
    // When the process drains no more lines are read; those that were read are answered.
    const lines = linesOf(request, BODY_BYTES_MAX, signal);
    for await (const answer of inOrder(paced(context, call, lines), LINES_AT_ONCE, (line) =>
      answerLine(context, call, line),
    )) {
      await writeChunk(response, `${JSON.stringify(answer)}\n`);
    }
    response.end(() => request.complete || request.destroy());
    return null;
  },
  { readsBody: true },
);

/** Lines no faster than the customer's rate of requests: what comes faster is read later. */
async function* paced(
  { requestLimits }: IntakeContext,
  { caller, signal }: BulkCall,
  lines: AsyncIterable<Line>,
): AsyncGenerator<Line> {
  for await (const line of lines) {
    await requestLimits.waitForLine(caller.customerId, signal);
    yield line;
  }
}

async function answerLine(context: IntakeContext, call: BulkCall, line: Line): Promise<BulkLine> {
  try {
    // One trace per job: the request's own is linked to.
    const links = call.traceparent === null ? [] : [call.traceparent];
    return await withSpan("accept job", { parent: null, links }, (span) =>
      acceptLine(context, call, line, traceparentOf(span)),
    );
  } catch (thrown) {
    const error = apiErrorOf(thrown);
    const { requestId: id, docsUrl } = localsOf(call.response);
    if (error.status >= 500)
      context.log.error({ err: error.cause ?? error, request_id: id, line: line.number }, "line failed");
    return { line: line.number, status: error.status, error: tellError(error, { id, docsUrl }) };
  }
}

async function acceptLine(
  context: IntakeContext,
  call: BulkCall,
  { number: line, bytes }: Line,
  traceparent: string | null,
): Promise<BulkLine> {
  if (bytes === null) {
    throw new ApiError("body_too_large", `The line is larger than ${BODY_BYTES_MAX / 1024} kB. Send a smaller one.`);
  }
  const submitted = await submit(context, {
    customerId: call.caller.customerId,
    body: check(createJobSchema, readJson(bytes), "body"),
    idempotencyKey: null,
    answersLater: false,
    traceparent: traceparent ?? unrecordedTraceparent(),
  });
  switch (submitted.kind) {
    case "accepted":
      return { line, status: 202, job: customerJob(submitted.view, {}) };
    case "existing": {
      const view = await context.views(submitted.jobId);
      if (view === null) throw new Error(`the job ${submitted.jobId} has vanished`);
      return { line, status: 200, existing: true, job: customerJob(view, {}) };
    }
    case "replayed":
    case "taken_over":
      throw new Error("a line has no Idempotency-Key");
  }
}
