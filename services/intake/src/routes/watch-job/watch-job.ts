import { EVENTS_TYPE } from "@contingent/contracts/http/operation";
import { watchJob } from "@contingent/contracts/http/operations";
import { jobEventsAfter } from "@contingent/db/job-views-events";
import type { IntakeContext } from "../../context.ts";
import { ApiError } from "../../http/api-error.ts";
import { type Call, route } from "../../http/route.ts";
import { writeChunk } from "../../http/write-chunk.ts";
import { findJob } from "../../jobs/find.ts";
import { renderEvent } from "../../jobs/render.ts";
import type { Watched } from "../../jobs/watcher.ts";

/** A comment this often keeps proxies from closing a silent stream. */
const HEARTBEAT_INTERVAL_MS = 15_000;
/** How long a client should wait before it connects again. */
const RECONNECT_DELAY_MS = 1_000;

export const watchJobRoute = route(watchJob, async (context, call) => {
  const after = revisionOf(call.headers["last-event-id"]);
  const job = await findJob(context, call.caller, call.params.id);
  call.response.writeHead(200, { "Content-Type": EVENTS_TYPE, "Cache-Control": "no-store", "X-Accel-Buffering": "no" });
  if (call.request.method === "HEAD") {
    call.response.end();
    return null;
  }
  await writeChunk(call.response, `retry: ${RECONNECT_DELAY_MS}\n\n`);
  const heartbeat = setInterval(() => call.response.write(": still here\n\n"), HEARTBEAT_INTERVAL_MS);
  try {
    await stream(context, call, job, after);
  } finally {
    clearInterval(heartbeat);
  }
  call.response.end();
  return null;
});

/** Writes events until the job is closed, the client is gone or the process drains. */
async function stream(context: IntakeContext, call: Call<typeof watchJob>, job: Watched, after: number): Promise<void> {
  const { response, signal } = call;
  const { id } = job;
  for (let revision = after; !signal.aborted;) {
    const events = await jobEventsAfter(context.pool, id, revision);
    for (const event of events) {
      const data = JSON.stringify(renderEvent(id, event));
      await writeChunk(response, `id: ${event.revision}\nevent: ${event.type}\ndata: ${data}\n\n`);
      revision = event.revision;
      if (event.type === "job.closed") return;
    }
    if (events.length > 0) continue;
    // A stream that resumes after the last event has nothing to wait for.
    const view = await context.views(id);
    if (view?.state === "closed" && view.revision <= revision) return;
    await context.watcher.until(job, (position) => position.revision > revision, { signal });
  }
}

function revisionOf(header: string | undefined): number {
  if (header === undefined || header === "") return 0;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  throw new ApiError("invalid_field", "Last-Event-ID must be the id of an event of this stream: a whole number.", {
    param: "last-event-id",
  });
}
