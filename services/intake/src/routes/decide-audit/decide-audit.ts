import { decideAudit } from "@contingent/contracts/http/quality";
import type { AuditId, JobId } from "@contingent/core/ids";
import { creditAudit } from "@contingent/ledger/audits/credit";
import { decideAudit as decide } from "@contingent/ledger/audits/decide";
import type { AlertChange } from "@contingent/ledger/quality/alerts";
import { recordAudit, recordQualityAlert } from "@contingent/runtime/metrics";
import type { IntakeContext } from "../../context.ts";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { auditBody, unknownAudit } from "../../quality/find-audit.ts";

export const decideAuditRoute = route(decideAudit, async (context, { caller, params: { id }, body }) => {
  const decided = await decide(context.pool, id, { ...body, decidedBy: caller.keyId });
  if (decided === null) throw unknownAudit(id);
  if (decided.kind === "decided_otherwise") {
    const message = `The audit ${id} was found ${decided.result} already, in other words or with another result. Read it.`;
    throw new ApiError("audit_decided", message, { param: "id" });
  }
  const audit = await auditBody(context, id);
  if (decided.kind === "decided") {
    recordAudit({ outcomeType: audit.outcome_type, result: body.result });
    if (decided.alert !== null) tellOf(context, decided.alert);
  }
  if (audit.credit?.state !== "due") return { status: 200, body: audit };
  await creditAtOnce(context, id, audit.job);
  return { status: 200, body: await auditBody(context, id) };
});

/** The result stands whatever becomes of this: what cannot be given back just now is due, and is given by the ledger service. */
async function creditAtOnce({ pool, log }: IntakeContext, id: AuditId, job: JobId): Promise<void> {
  try {
    await creditAudit(pool, id, job);
  } catch (error) {
    log.warn({ audit: id, error: error instanceof Error ? error.message : String(error) }, "a credit has to wait");
  }
}

function tellOf({ log }: IntakeContext, alert: AlertChange): void {
  const { outcomeType, version, change, counts, rateMax, id } = alert;
  recordQualityAlert({ outcomeType, change });
  const fields = { alert: id, outcomeType, version, change, maximum: rateMax, ...counts };
  if (change === "cleared") log.info(fields, "the false-bill rate is within its maximum again");
  else log.warn(fields, "the false-bill rate is above its maximum");
}
