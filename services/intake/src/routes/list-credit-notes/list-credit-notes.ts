import { listCreditNotes } from "@contingent/contracts/http/disputes";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listCreditNotes as readCreditNotes } from "@contingent/ledger/disputes/views";
import { renderCreditNote } from "../../disputes/render.ts";
import { customerAskedFor } from "../../http/customer-asked-for.ts";
import { idCursor } from "../../http/cursor.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";

export const listCreditNotesRoute = route(listCreditNotes, async ({ pool }, { caller, query }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const before = idCursor("crn", query.cursor);
  const customerId = customerAskedFor(caller, query.customer_id);
  const views = await readCreditNotes(pool, { customerId, jobId: query.job }, { before, limit: limit + 1 });
  const show = (view: (typeof views)[number]) => renderCreditNote(view, caller.kind);
  return { status: 200, body: pageOf(views, limit, show, ({ id }) => id) };
});
