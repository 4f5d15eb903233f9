/**
 * The people that the samples need, played through the API: a reviewer who releases payments and a customer who accepts
 * outcomes. What they do is as plain as it is said to be: nobody is told that a person has looked.
 */
import { pageOf } from "@contingent/contracts/http/values";
import { jobSchema } from "@contingent/contracts/http/job";
import { type ReviewInFullBody, reviewInFullSchema, reviewSchema } from "@contingent/contracts/http/reviews";
import { isJsonObject, type Json } from "@contingent/core/json";
import type { Stack } from "./stack.ts";

/** How often they look whether there is something for them to do. */
const LOOK_EVERY_MS = 300;
/** One look may fail: what it looked at was decided meanwhile, a connection was dropped. So many in a row are a fault. */
const FAILED_LOOKS_MAX = 5;

const reviewPage = pageOf(reviewSchema, "ReviewPage");
const jobPage = pageOf(jobSchema, "JobPage");

export interface Attended {
  readonly released: number;
  readonly rejected: number;
  readonly accepted: number;
}

/** Decides what waits for people until the work is done. */
export async function attendUntil(done: Promise<unknown>, stack: Stack): Promise<Attended> {
  const ended = new AbortController();
  const work = done.finally(() => ended.abort());
  // It may fail while somebody is being looked after, before it is waited for below.
  work.catch(() => undefined);
  const attended = { released: 0, rejected: 0, accepted: 0 };
  let failedLooks = 0;
  while (!ended.signal.aborted) {
    try {
      const { released, rejected } = await review(stack);
      attended.released += released;
      attended.rejected += rejected;
      attended.accepted += await accept(stack);
      failedLooks = 0;
    } catch (error) {
      failedLooks += 1;
      if (failedLooks >= FAILED_LOOKS_MAX) throw error;
    }
    await Promise.race([work, pause(LOOK_EVERY_MS)]);
  }
  await work;
  return attended;
}

/** Releases what says of number, seller and total what the document says, as the instructions have it. */
async function review({ operator }: Stack): Promise<Pick<Attended, "released" | "rejected">> {
  const open = reviewPage.parse(await operator.call({ path: "/v1/reviews?outcome_type=invoice-approval" }));
  let released = 0;
  for (const { id } of open.data) {
    const inFull = reviewInFullSchema.parse(await operator.call({ path: `/v1/reviews/${id}` }));
    const passes = isAsInTheDocument(inFull);
    const body = passes
      ? { decision: "pass", reason: "Number, seller and total are those of the document." }
      : { decision: "fail", reason: "Number, seller or total is not that of the document." };
    // Whoever was faster, or the end of the time, has decided otherwise: that is no reason to stop.
    const { status } = await operator.send({ method: "POST", path: `/v1/reviews/${id}/decision`, body });
    if (status === 200 && passes) released += 1;
  }
  return { released, rejected: open.data.length - released };
}

function isAsInTheDocument({ input, output }: ReviewInFullBody): boolean {
  const document = fieldOf(input, "document");
  if (typeof document !== "string") return false;
  const plain = document.replaceAll(/(?<=\d)[.,'](?=\d{3}\b)/g, "");
  return ["number", "seller", "total"].every((name) => {
    const value = fieldOf(output, name);
    return (typeof value === "string" || typeof value === "number") && plain.includes(String(value));
  });
}

function fieldOf(value: Json, name: string): Json | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}

/** Accepts every outcome that waits for the customer. */
async function accept({ api }: Stack): Promise<number> {
  const waiting = jobPage.parse(await api.call({ path: "/v1/jobs?state=awaiting_acceptance" }));
  for (const { id } of waiting.data)
    await api.send({ method: "POST", path: `/v1/jobs/${id}/acceptance`, body: { decision: "accept" } });
  return waiting.data.length;
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs).unref());
}
