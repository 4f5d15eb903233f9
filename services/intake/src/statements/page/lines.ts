/** The rows of a page's table of lines. */
import { negate, subtract } from "@contingent/core/money";
import type { CreditLine, JobLine, StatementLine } from "@contingent/core/statement/lines";
import { chargedOf } from "../figures.ts";
import { aligned, escaped, foreign, fractionDigits, minute, REASON_WORDS, RESOLUTION_WORDS } from "./markup.ts";

const COLUMNS = 6;

/** The table's head, which is repeated on every printed page with the statement's name. */
export function linesHead(running: string, currency: string): string {
  return `<div class="scroll"><table class="lines"><thead>
<tr class="running"><th colspan="${COLUMNS}">${running}</th></tr>
<tr><th>Closed (UTC)</th><th>Outcome</th><th>Result</th><th class="n">Charged</th><th class="n">Reductions</th><th class="n">Amount, ${escaped(currency)}</th></tr>
</thead><tbody>
`;
}

export const LINES_END = "</tbody></table></div>\n";

/** Digits after the point in each column of amounts. */
export interface LineDigits {
  readonly charged: number;
  readonly reductions: number;
  readonly amount: number;
}

/** As many as these lines need: the first ones decide for all. */
export function lineDigits(lines: readonly StatementLine[]): LineDigits {
  const jobs = lines.filter((line) => line.kind === "job");
  return {
    charged: fractionDigits(jobs.map(chargedOf)),
    reductions: fractionDigits(jobs.map((line) => subtract(chargedOf(line), line.net))),
    amount: fractionDigits(lines.map((line) => (line.kind === "job" ? line.net : line.amount))),
  };
}

export function lineRows(lines: readonly StatementLine[], digits: LineDigits): string {
  return lines.map((line) => (line.kind === "job" ? jobRow(line, digits) : creditRow(line, digits))).join("");
}

function jobRow(line: JobLine, digits: LineDigits): string {
  const { charge, reason, resolution, net } = line;
  if (charge === null) {
    // A partial outcome may be delivered at a price of zero.
    const result = resolution === "failure" ? "" : `${RESOLUTION_WORDS[resolution]}, `;
    const why = `${result}${REASON_WORDS[reason]}`;
    return `<tr class="free">${when(line.closedAt)}${outcome(line)}<td>Not charged<br><span class="tag">${why}</span></td><td class="n">–</td><td class="n">–</td><td class="n">${aligned(net, digits.amount)}</td></tr>\n`;
  }
  const reductions = subtract(chargedOf(line), net);
  const paidFrom = charge.billing === "prepaid" ? ", prepaid" : "";
  return `<tr>${when(line.closedAt)}${outcome(line)}<td>${RESOLUTION_WORDS[resolution]}<br><span class="tag">${REASON_WORDS[reason]}${paidFrom}</span></td><td class="n">${aligned(charge.amount, digits.charged)}</td><td class="n">${reductions === 0n ? "–" : aligned(negate(reductions), digits.reductions)}${reductionWords(line)}</td><td class="n">${aligned(net, digits.amount)}</td></tr>\n`;
}

function reductionWords({ allowance, bands, discount }: JobLine): string {
  const names = [
    ...(allowance > 0n ? ["included"] : []),
    ...(bands > 0n ? ["band"] : []),
    ...(discount > 0n ? ["discount"] : []),
  ];
  return names.length === 0 ? "" : `<br><span class="tag">${names.join(", ")}</span>`;
}

function creditRow(line: CreditLine, digits: LineDigits): string {
  const to = line.billing === "prepaid" ? "to prepaid balance" : "off the amount due";
  const of = line.ofPeriod ? "" : "of an earlier period, ";
  return `<tr class="credit">${when(line.at)}${outcome(line)}<td>Credit note<br><span class="tag">${of}${to}<br>${foreign(line.reason)}</span><br><span class="id">${escaped(line.creditNoteId)}</span></td><td class="n">–</td><td class="n">–</td><td class="n">${aligned(negate(line.amount), digits.amount)}</td></tr>\n`;
}

function when(at: string): string {
  return `<td class="when">${minute(at)}</td>`;
}

function outcome({ outcomeType, outcomeTypeVersion, outcomeKey, jobId }: StatementLine): string {
  const key = outcomeKey === null ? "" : `${foreign(outcomeKey)}<br>`;
  return `<td class="key">${key}<span class="tag">${escaped(outcomeType)} v${outcomeTypeVersion}</span><br><span class="id">${escaped(jobId)}</span></td>`;
}
