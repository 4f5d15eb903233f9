import type { Job } from "../job/job.ts";
import type { VerdictId } from "../ids.ts";
import type { Nanos } from "../money.ts";
import { price } from "../pricing/price.ts";

/** How a job's hold ends: a charge with the verdict that justifies it, or nothing. */
export type Settlement =
  | { readonly kind: "capture"; readonly price: Nanos; readonly verdictId: VerdictId }
  | { readonly kind: "void" };

/** Decides billability: only an outcome with a passing or partial verdict in hand is charged, at its pinned terms. */
export function settlementOf(job: Job): Settlement {
  const { best } = job.progress;
  // Without a reason the resolution is not final: the customer may still reject the outcome.
  if (job.reason === null || best === null) return { kind: "void" };
  if (job.resolution === null || job.resolution === "failure") return { kind: "void" };
  const amount = price(job.terms.price, { resolution: job.resolution, score: best.score, value: best.value });
  return amount > 0n ? { kind: "capture", price: amount, verdictId: best.verdictId } : { kind: "void" };
}
