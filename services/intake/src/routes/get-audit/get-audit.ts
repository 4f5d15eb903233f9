import { getAudit } from "@contingent/contracts/http/quality";
import { route } from "../../http/route.ts";
import { auditBody } from "../../quality/find-audit.ts";

export const getAuditRoute = route(getAudit, async (context, { params: { id } }) => ({
  status: 200,
  body: await auditBody(context, id),
}));
