/** A statement's lines as CSV (RFC 4180). Spreadsheets run what they take for a formula, and customers name their outcomes. */
import { formatMoney, negate, type Nanos } from "@contingent/core/money";
import type { StatementLine } from "@contingent/core/statement/lines";
import type { StatementTotals } from "@contingent/core/statement/totals";
import type { StatementHead } from "@contingent/ledger/statement/row";
import { chargedOf, wholeAdjustments } from "./figures.ts";

export const CSV_COLUMNS = [
  "statement",
  "line",
  "at",
  "job",
  "credit_note",
  "outcome_type",
  "outcome_type_version",
  "outcome_key",
  "resolution",
  "reason",
  "attempts",
  "paid_from",
  "currency",
  "charged",
  "allowance",
  "bands",
  "discount",
  "amount",
] as const;
type Column = (typeof CSV_COLUMNS)[number];

/** A text is somebody's words; anything else is ours, and may begin with a minus. */
type Cell = string | number | { readonly amount: Nanos } | null;

const LINE_END = "\r\n";
/**
 * Where a spreadsheet may take a text for a formula. The signs also in their full width, which some read as the same; and not
 * only where the text begins: some separate cells by semicolons or tabs, and then quotes of ours do not hold it together.
 */
const FORMULAS = /^(?=[=+\-@\t\r\n＝＋－＠])|(?<=[;\t\r\n])(?=[=+\-@＝＋－＠])/gu;
const NEEDS_QUOTES = /[",\r\n]/;

export function csvHeader(): string {
  return `${CSV_COLUMNS.join(",")}${LINE_END}`;
}

export function csvLines(lines: readonly StatementLine[], head: StatementHead): string {
  return lines.map((line) => row(head, cellsOf(line))).join("");
}

/** The adjustments of the statement as a whole: with them, the column `amount` adds up to it. */
export function csvAdjustments(totals: StatementTotals, head: StatementHead): string {
  return wholeAdjustments(totals)
    .map(({ kind, billing, amount }) =>
      row(head, { line: kind, paid_from: billing === "prepaid" ? "prepaid" : "on_account", amount: { amount } }),
    )
    .join("");
}

function cellsOf(line: StatementLine): Partial<Record<Column, Cell>> {
  const about = {
    job: line.jobId,
    outcome_type: line.outcomeType,
    outcome_type_version: line.outcomeTypeVersion,
    outcome_key: line.outcomeKey,
  };
  if (line.kind === "credit") {
    const { at, creditNoteId, reason, billing, amount } = line;
    return {
      ...about,
      line: "credit",
      at,
      credit_note: creditNoteId,
      reason,
      paid_from: billing,
      amount: { amount: negate(amount) },
    };
  }
  return {
    ...about,
    line: "job",
    at: line.closedAt,
    resolution: line.resolution,
    reason: line.reason,
    attempts: line.attempts,
    paid_from: line.charge?.billing ?? null,
    charged: { amount: chargedOf(line) },
    allowance: { amount: line.allowance },
    bands: { amount: line.bands },
    discount: { amount: line.discount },
    amount: { amount: line.net },
  };
}

function row({ id: statement, currency }: StatementHead, cells: Partial<Record<Column, Cell>>): string {
  const all: Partial<Record<Column, Cell>> = { statement, currency, ...cells };
  return `${CSV_COLUMNS.map((column) => written(all[column] ?? null)).join(",")}${LINE_END}`;
}

function written(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return cell.toString();
  if (typeof cell === "object") return formatMoney(cell.amount);
  const safe = cell.replaceAll(FORMULAS, "'");
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
