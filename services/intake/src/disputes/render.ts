/** Disputes and credit notes as the API's JSON. By which name the operator gave a credit is shown to operators only. */
import type { CreditNoteBody, DisputeBody, OperatorCreditNoteBody } from "@contingent/contracts/http/disputes";
import { reverificationSchema } from "@contingent/contracts/http/receipts";
import type { CreditNoteView, DisputeView } from "@contingent/ledger/disputes/views";
import type { Caller } from "../http/authenticate.ts";
import { isoTime, money } from "../jobs/render.ts";

export function renderDispute(view: DisputeView): DisputeBody {
  const { currency, credit } = view;
  return {
    object: "dispute",
    id: view.id,
    job: view.jobId,
    customer: view.customerId,
    state: view.state,
    reason: view.reason,
    amount: money(view.amount, currency),
    reverification: reverificationSchema.parse(view.reverification),
    opened_at: isoTime(view.openedAtMs),
    resolved_at: view.resolvedAtMs === null ? null : isoTime(view.resolvedAtMs),
    resolution: view.resolution,
    credited: credit === null ? null : money(credit.amount, currency),
    credit_note: credit?.id ?? null,
  };
}

export function renderCreditNote(view: CreditNoteView, kind: Caller["kind"]): CreditNoteBody | OperatorCreditNoteBody {
  const note: CreditNoteBody = {
    object: "credit_note",
    id: view.id,
    job: view.jobId,
    customer: view.customerId,
    dispute: view.disputeId,
    amount: money(view.amount, view.currency),
    reason: view.reason,
    to: view.grantId === null ? "receivable" : "prepaid",
    grant: view.grantId,
    issued_at: isoTime(view.atMs),
  };
  return kind === "operator" ? { ...note, ref: view.ref } : note;
}
