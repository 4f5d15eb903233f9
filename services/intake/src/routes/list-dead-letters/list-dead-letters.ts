import { listDeadLetters } from "@contingent/contracts/http/dead-letters";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listDeadLetters as readDeadLetters } from "@contingent/db/dead-letters";
import { renderDeadLetter } from "../../dead-letters/render.ts";
import { idCursor } from "../../http/cursor.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";

export const listDeadLettersRoute = route(listDeadLetters, async ({ pool }, { query }) => {
  const { limit = PAGE_SIZE_DEFAULT, state, cause, outcome_type: outcomeType, customer: customerId } = query;
  const after = idCursor("job", query.cursor);
  const filter = { state, cause, outcomeType, customerId, fromMs: query.died_from, untilMs: query.died_until };
  const letters = await readDeadLetters(pool, filter, { after, limit: limit + 1 });
  return { status: 200, body: pageOf(letters, limit, renderDeadLetter, ({ jobId }) => jobId) };
});
