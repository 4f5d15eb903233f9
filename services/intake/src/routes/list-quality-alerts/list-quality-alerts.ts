import { listQualityAlerts } from "@contingent/contracts/http/quality";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listAlerts } from "@contingent/ledger/quality/alerts";
import { idCursor } from "../../http/cursor.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { renderAlert } from "../../quality/render.ts";

export const listQualityAlertsRoute = route(listQualityAlerts, async ({ pool }, { query }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const before = idCursor("alr", query.cursor);
  const isStanding = query.state === undefined ? undefined : query.state === "standing";
  const alerts = await listAlerts(pool, { outcomeType: query.outcome_type, isStanding }, { before, limit: limit + 1 });
  return { status: 200, body: pageOf(alerts, limit, renderAlert, ({ id }) => id) };
});
