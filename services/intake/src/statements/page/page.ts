/**
 * A statement as one page for printing and filing: no script, nothing from elsewhere, everything escaped. Written in
 * parts, so that its lines need not be in memory together.
 */
import { createHash } from "node:crypto";
import { type Nanos, negate, sum } from "@contingent/core/money";
import { precisionOf } from "@contingent/core/quality/false-bills";
import { exactTotal, paidFromPrepaid, whole } from "@contingent/core/statement/totals";
import type { StatementView } from "@contingent/ledger/statement/read";
import { percent } from "../../quality/page/words.ts";
import { returnedToPrepaid } from "../figures.ts";
import { aligned, amount, count, day, escaped, foreign, fractionDigits, month } from "./markup.ts";
import { STYLE } from "./style.ts";

/** Only this style, and nothing else: whatever a customer's texts may hold, it does nothing. */
export const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

export interface PageOptions {
  readonly operatorName: string;
  /** Lines on the page; the rest is in the CSV. */
  readonly linesShown: number;
  readonly nowMs: number;
}

/** So many lines follow the sums on the first printed page; more begin on a page of their own. */
const LINES_ON_FIRST_PAGE_MAX = 4;

/** Everything before the lines. */
export function pageHead(view: StatementView, options: PageOptions): string {
  const title = `Statement ${view.number ?? `${monthName(view)} (open)`}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`${title} – ${options.operatorName}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<header><div class="operator">${foreign(options.operatorName)}</div>
<div class="title"><h1>Statement</h1><p class="number">${view.number === null ? "Not numbered: open" : `No. ${escaped(view.number)}`}</p><p>${periodWords(view)}</p></div></header>
${facts(view)}${notice(view, options)}
<h2>Summary</h2>
${outcomeTypes(view)}${precisionNotes(view)}
<h2>Adjustments and amount due</h2>
${sums(view)}${prepaidNote(view)}
<h2${options.linesShown > LINES_ON_FIRST_PAGE_MAX ? ' class="detail"' : ""}>Lines</h2>
${shownNote(view, options)}`;
}

/** What the head of the lines' table says again on every printed page. */
export function runningHead(view: StatementView, { operatorName }: PageOptions): string {
  const number = view.number === null ? "Open statement" : `Statement ${escaped(view.number)}`;
  return `${number} · ${periodWords(view)} · ${foreign(view.customerName)} · ${foreign(operatorName)}`;
}

/** Everything after the lines. */
export function pageEnd(view: StatementView): string {
  const { head, linesHash } = view;
  const proof = linesHash === null ? "" : ` Lines ${escaped(linesHash)}.`;
  return `<footer>${escaped(head.id)}. Amounts in ${escaped(head.currency)}. Times are UTC. You pay for verified outcomes only; what was not reached is listed and free.${proof}</footer>
</body>
</html>
`;
}

function facts(view: StatementView): string {
  const { head, totals, closedAtMs, termsVersion, balance, paid } = view;
  const due = totals.amountDue < 0n ? "In your favour" : "Amount due";
  const shown = totals.amountDue < 0n ? negate(totals.amountDue) : totals.amountDue;
  const still =
    paid === 0n
      ? ""
      : `<span class="still">${balance === 0n ? "Paid in full" : `Still to pay ${amount(balance)}`}</span>`;
  return `<section class="facts"><dl>
<dt>Customer</dt><dd class="customer">${foreign(view.customerName)}</dd>
<dt>Customer id</dt><dd><code>${escaped(head.customerId)}</code></dd>
<dt>Period</dt><dd>${periodWords(view)} (UTC)</dd>
<dt>Status</dt><dd>${closedAtMs === null ? "Open" : `Closed on ${day(closedAtMs)}`}</dd>
<dt>Terms</dt><dd>${termsVersion === null ? "List prices" : `Version ${termsVersion} of your terms`}</dd>
</dl><div class="due"><span>${due}</span><strong>${escaped(head.currency)} ${amount(shown)}</strong>${still}</div></section>
`;
}

function notice({ head }: StatementView, { nowMs }: PageOptions): string {
  if (head.state === "closed") return "";
  const until = head.state === "open" ? `as of ${day(nowMs)}` : "being added up";
  return `<p class="notice">This statement is not closed: its figures are ${until} and may change. Do not pay it.</p>\n`;
}

function outcomeTypes({ totals, head }: StatementView): string {
  const types = Array.from(totals.outcomeTypes).toSorted(([left], [right]) => (left < right ? -1 : 1));
  const digits = fractionDigits(types.flatMap(([, type]) => [type.gross, type.reductions, type.credits]));
  const rows = types.map(([name, type]) => {
    const { billed, unbilled, gross, reductions, credits } = type;
    const net = sum([gross, negate(reductions), negate(credits)]);
    return `<tr><td>${escaped(name)}</td><td class="n">${count(billed)}</td><td class="n">${count(unbilled)}</td>${cells([gross, negate(reductions), negate(credits), net], digits)}</tr>\n`;
  });
  const all = types.map(([, type]) => type);
  const gross = sum(all.map((type) => type.gross));
  const reductions = negate(sum(all.map((type) => type.reductions)));
  const credits = negate(sum(all.map((type) => type.credits)));
  return `<div class="scroll"><table><thead><tr><th>Outcome type</th><th class="n">Billed</th><th class="n">Not billed</th><th class="n">Charged</th><th class="n">Reductions</th><th class="n">Credits</th><th class="n">Net, ${escaped(head.currency)}</th></tr></thead>
<tbody>${rows.join("")}</tbody>
<tfoot><tr><td>All outcomes</td><td class="n">${count(totals.linesBilled)}</td><td class="n">${count(totals.linesUnbilled)}</td>${cells([gross, reductions, credits, sum([gross, reductions, credits])], digits)}</tr></tfoot></table></div>
`;
}

/** What the validators' word is worth, by those who looked again. */
function precisionNotes({ audited, head }: StatementView): string {
  const when = head.state === "closed" ? "when this statement was closed" : "until now";
  const notes = Array.from(audited, ([name, counts]) => {
    const precision = precisionOf(counts);
    if (precision === null) return "";
    const all = counts.correct + counts.incorrect;
    return `<p class="note">Of ${escaped(name)}, ${count(all)} billed outcomes of all customers had been audited at random ${when}, and ${count(counts.correct)} were right: ${percent(precision.point)}, with 95 % confidence ${percent(precision.low)} to ${percent(precision.high)}.</p>\n`;
  });
  return notes.join("");
}

function cells(amounts: readonly Nanos[], digits: number): string {
  return amounts.map((each) => `<td class="n">${each === 0n ? "–" : aligned(each, digits)}</td>`).join("");
}

interface Sum {
  readonly label: string;
  readonly value: Nanos;
  /** In smaller letters below. */
  readonly explained?: string;
  /** A sum of what stands above it, or what the statement comes to. */
  readonly kind?: "total" | "result";
  /** Shown even when it is nothing. */
  readonly always?: boolean;
}

function sums(view: StatementView): string {
  const rows = sumsOf(view).filter(({ value, always }) => always === true || value !== 0n);
  const digits = fractionDigits(rows.map(({ value }) => value));
  const html = rows.map(({ label, value, explained, kind }) => {
    const small = explained === undefined ? "" : `<small>${escaped(explained)}</small>`;
    const marked = kind === undefined ? "" : ` class="${kind}"`;
    return `<tr${marked}><td>${escaped(label)}${small}</td><td class="n">${aligned(value, digits)}</td></tr>\n`;
  });
  return `<table class="sums"><tbody>\n${html.join("")}</tbody></table>\n`;
}

function sumsOf({ totals, paid, balance, head }: StatementView): readonly Sum[] {
  const { amountDue, commitment, rounding } = totals;
  const isCredit = amountDue < 0n;
  const off = (label: string, value: Nanos, explained?: string): Sum => ({
    label,
    value: negate(value),
    ...(explained === undefined ? {} : { explained }),
  });
  return [
    { label: `Outcomes charged (${count(totals.linesBilled)})`, value: whole(totals.gross), always: true },
    off("Included allowance", whole(totals.allowance)),
    off("Bands by quantity", whole(totals.bands)),
    off("Discount", whole(totals.discount), "Agreed share of each line"),
    off("Fixed discount", whole(totals.fixedDiscount), "Agreed amount per statement"),
    off(`Credit notes (${count(totals.linesCredits)})`, whole(totals.credits)),
    { label: "Minimum commitment", value: commitment, explained: "Difference to the agreed minimum" },
    { label: "Total", value: exactTotal(totals), kind: "total", always: true },
    off("Paid from prepaid balance", paidFromPrepaid(totals)),
    { label: "Rounding to cents", value: rounding },
    {
      label: `${isCredit ? "In your favour" : "Amount due"}, ${head.currency}`,
      value: isCredit ? negate(amountDue) : amountDue,
      kind: "result",
      always: true,
    },
    off("Payments received", paid),
    ...(paid === 0n ? [] : [{ label: "Balance", value: balance, kind: "total", always: true } as const]),
  ];
}

function prepaidNote({ totals, head }: StatementView): string {
  const returned = returnedToPrepaid(totals);
  if (returned === 0n) return "";
  const when = head.state === "closed" ? "were returned" : "will be returned when the statement is closed";
  return `<p class="note">Reductions of ${amount(returned)} on outcomes that were paid from prepaid money ${when} to the prepaid balance.</p>\n`;
}

function shownNote({ totals, head }: StatementView, { linesShown }: PageOptions): string {
  const all = totals.linesBilled + totals.linesUnbilled + totals.linesCredits;
  if (all === 0) return `<p class="note">No job was closed in this period.</p>\n`;
  if (linesShown >= all) return "";
  return `<p class="notice">The first ${count(linesShown)} of ${count(all)} lines. All of them are in the CSV: <code>/v1/statements/${escaped(head.id)}/csv</code></p>\n`;
}

function periodWords({ head: { period } }: StatementView): string {
  return month(period);
}

function monthName({ head: { period } }: StatementView): string {
  return day(period.startMs).replace(/^1 /, "");
}
