import { listAudits } from "@contingent/contracts/http/quality";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listAudits as readAudits } from "@contingent/ledger/audits/views";
import { idCursor } from "../../http/cursor.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { renderAudit } from "../../quality/render.ts";

export const listAuditsRoute = route(listAudits, async ({ pool }, { query }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const after = idCursor("aud", query.cursor);
  const filter = { state: query.state, outcomeType: query.outcome_type };
  const audits = await readAudits(pool, filter, { after, limit: limit + 1 });
  return { status: 200, body: pageOf(audits, limit, renderAudit, ({ id }) => id) };
});
