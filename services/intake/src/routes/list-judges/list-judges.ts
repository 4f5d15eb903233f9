import { listJudges } from "@contingent/contracts/http/judges";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listJudges as readJudges } from "@contingent/db/judges";
import { idCursor } from "../../http/cursor.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { renderJudge } from "../../judges/render.ts";

export const listJudgesRoute = route(listJudges, async ({ pool }, { query }) => {
  const { outcome_type: outcomeType, limit = PAGE_SIZE_DEFAULT } = query;
  const judges = await readJudges(pool, { outcomeType, after: idCursor("jdg", query.cursor), limit: limit + 1 });
  return { status: 200, body: pageOf(judges, limit, renderJudge, ({ id }) => id) };
});
