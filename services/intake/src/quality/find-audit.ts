import type { AuditWithEvidenceBody } from "@contingent/contracts/http/quality";
import type { AuditId } from "@contingent/core/ids";
import { findAudit } from "@contingent/ledger/audits/views";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import { renderAuditWithEvidence } from "./render.ts";

/** The audit as it stands. @throws ApiError audit_not_found */
export async function auditBody(
  { pool, payloads }: Pick<IntakeContext, "pool" | "payloads">,
  id: AuditId,
): Promise<AuditWithEvidenceBody> {
  const audit = await findAudit(pool, id, payloads);
  if (audit === null) throw unknownAudit(id);
  return renderAuditWithEvidence(audit);
}

export function unknownAudit(id: AuditId): ApiError {
  return new ApiError("audit_not_found", `There is no audit ${id}. Check the id.`, { param: "id" });
}
