/**
 * What the validators said when a charge was disputed is kept with the dispute. Their findings quote the texts of the job,
 * so they are sealed as those are.
 */
import type { ReverificationBody } from "@contingent/contracts/http/receipts";
import type { CustomerId, JobId } from "@contingent/core/ids";
import { isJsonObject, type JsonObject } from "@contingent/core/json";
import { openedOr, type Payloads, type Place } from "@contingent/db/payloads/payloads";
import type { DisputeView } from "@contingent/ledger/disputes/views";

function placeOf(jobId: JobId): Place {
  return `findings ${jobId}`;
}

export async function storedReverification(
  payloads: Payloads,
  customerId: CustomerId,
  body: ReverificationBody,
): Promise<JsonObject> {
  const shown = JSON.parse(JSON.stringify(body)) as JsonObject;
  const { recomputed, job } = shown;
  if (!isJsonObject(recomputed)) return shown;
  const { json } = await payloads.sealer(customerId);
  return {
    ...shown,
    recomputed: { ...recomputed, findings: json(placeOf(job as JobId), recomputed["findings"] ?? []) },
  };
}

/** The dispute with its findings as they were; without any once they are erased. */
export async function withOpenFindings(payloads: Payloads, view: DisputeView): Promise<DisputeView> {
  const { recomputed } = view.reverification;
  if (!isJsonObject(recomputed)) return view;
  const findings = await openedOr(payloads, placeOf(view.jobId), recomputed["findings"] ?? [], []);
  return { ...view, reverification: { ...view.reverification, recomputed: { ...recomputed, findings } } };
}
