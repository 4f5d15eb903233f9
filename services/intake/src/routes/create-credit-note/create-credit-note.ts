import { createCreditNote } from "@contingent/contracts/http/disputes";
import type { CreditNoteId } from "@contingent/core/ids";
import type { JobView } from "@contingent/db/job-views";
import { type IssuedCredit, issueCreditNote } from "@contingent/ledger/disputes/credit-note";
import { findCreditNote } from "@contingent/ledger/disputes/views";
import { statementClosing, tooMuch } from "../../disputes/refusals.ts";
import { renderCreditNote } from "../../disputes/render.ts";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { noCharge } from "../../jobs/no-charge.ts";
import { nanosOf } from "../../outcome-types/resolve-parts.ts";

export const createCreditNoteRoute = route(createCreditNote, async (context, { caller, body }) => {
  const { job: jobId, reason, ref } = body;
  const view = await context.views(jobId);
  if (view === null) throw new ApiError("job_not_found", `There is no job ${jobId}. Check the id.`, { param: "/job" });
  const issued = await issueCreditNote(context.pool, { jobId, amount: nanosOf(body.amount), reason, ref });
  const id = noteOf(issued, view, ref);
  const note = await findCreditNote(context.pool, id);
  if (note === null) throw new Error(`the credit note ${id} was written and is not there`);
  return { status: issued.kind === "repeated" ? 200 : 201, body: renderCreditNote(note, caller.kind) };
});

function noteOf(issued: IssuedCredit, view: JobView, ref: string): CreditNoteId {
  switch (issued.kind) {
    case "issued":
    case "repeated":
      return issued.id;
    case "ref_taken": {
      const message = `The ref "${ref}" stands for the credit note ${issued.id}, of another amount or reason. Use a new ref.`;
      throw new ApiError("credit_ref_reused", message, { param: "/ref" });
    }
    case "too_much":
      throw tooMuch(issued, `the charge for ${view.id}`);
    case "statement_closing":
      throw statementClosing(issued.statement);
    case "no_charge":
      throw noCharge(view, "nothing to give back", "/job");
  }
}
