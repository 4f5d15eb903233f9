/** Statements and their lines as the API's JSON. */
import type { StatementBody, StatementLineBody } from "@contingent/contracts/http/statements";
import { negate } from "@contingent/core/money";
import type { AuditCounts } from "@contingent/core/quality/false-bills";
import type { StatementLine } from "@contingent/core/statement/lines";
import { exactTotal, paidFromPrepaid, whole } from "@contingent/core/statement/totals";
import type { StatementView } from "@contingent/ledger/statement/read";
import { isoTime, money } from "../jobs/render.ts";
import { renderPrecision } from "../quality/render.ts";
import { chargedOf, returnedToPrepaid } from "./figures.ts";

const NOT_AUDITED: AuditCounts = { correct: 0, incorrect: 0 };

export function renderStatement(view: StatementView): StatementBody {
  const { head, totals, closedAtMs } = view;
  const { currency, period } = head;
  return {
    object: "statement",
    id: head.id,
    number: view.number,
    customer_id: head.customerId,
    customer_name: view.customerName,
    state: head.state,
    period: { start: isoTime(period.startMs), end: isoTime(period.endMs) },
    lines: { billed: totals.linesBilled, unbilled: totals.linesUnbilled, credit_notes: totals.linesCredits },
    gross: money(whole(totals.gross), currency),
    allowance: money(whole(totals.allowance), currency),
    bands: money(whole(totals.bands), currency),
    discount: money(whole(totals.discount), currency),
    fixed_discount: money(whole(totals.fixedDiscount), currency),
    credits: money(whole(totals.credits), currency),
    commitment_true_up: money(totals.commitment, currency),
    total: money(exactTotal(totals), currency),
    paid_from_prepaid: money(paidFromPrepaid(totals), currency),
    rounding: money(totals.rounding, currency),
    amount_due: money(totals.amountDue, currency),
    paid: money(view.paid, currency),
    balance: money(view.balance, currency),
    returned_to_prepaid: money(returnedToPrepaid(totals), currency),
    outcome_types: Array.from(
      totals.outcomeTypes,
      ([outcome_type, { billed, unbilled, gross, reductions, credits }]) => ({
        outcome_type,
        billed,
        unbilled,
        gross: money(gross, currency),
        reductions: money(reductions, currency),
        credits: money(credits, currency),
        precision: renderPrecision(view.audited.get(outcome_type) ?? NOT_AUDITED),
      }),
    ),
    terms_version: view.termsVersion,
    lines_sha256: view.linesHash,
    closed_at: closedAtMs === null ? null : isoTime(closedAtMs),
  };
}

export function renderLine(
  line: StatementLine,
  { head: { currency } }: Pick<StatementView, "head">,
): StatementLineBody {
  const about = {
    object: "statement_line",
    job: line.jobId,
    outcome_type: line.outcomeType,
    outcome_type_version: line.outcomeTypeVersion,
    outcome_key: line.outcomeKey,
  } as const;
  if (line.kind === "credit") {
    const { at, creditNoteId, reason, billing, amount } = line;
    return {
      ...about,
      kind: "credit",
      at,
      credit_note: creditNoteId,
      reason,
      paid_from: billing,
      amount: money(negate(amount), currency),
    };
  }
  const { charge, closedAt: at, resolution, reason, attempts, allowance, bands, discount, net } = line;
  return {
    ...about,
    kind: "job",
    at,
    resolution,
    reason,
    attempts,
    paid_from: charge?.billing ?? null,
    charged: money(chargedOf(line), currency),
    allowance: money(allowance, currency),
    bands: money(bands, currency),
    discount: money(discount, currency),
    amount: money(net, currency),
  };
}
