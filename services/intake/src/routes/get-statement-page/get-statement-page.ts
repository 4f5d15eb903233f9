import { HTML_TYPE } from "@contingent/contracts/http/operation";
import { getStatementPage } from "@contingent/contracts/http/statements";
import { linePages } from "@contingent/ledger/statement/lines";
import { route } from "../../http/route.ts";
import { writeChunk } from "../../http/write-chunk.ts";
import { viewVisibleStatement } from "../../statements/find.ts";
import { type LineDigits, lineDigits, LINES_END, lineRows, linesHead } from "../../statements/page/lines.ts";
import { PAGE_POLICY, pageEnd, pageHead, runningHead } from "../../statements/page/page.ts";

/** About 170 printed pages. A browser lays out no more without a wait, and nobody files more. */
const LINES_MAX = 5_000;
/** Of a statement that has more than that. */
const LINES_OF_LONG = 500;

export const getStatementPageRoute = route(getStatementPage, async (context, { caller, params, response, signal }) => {
  const view = await viewVisibleStatement(context, caller, params.id);
  const { linesBilled, linesUnbilled, linesCredits } = view.totals;
  const all = linesBilled + linesUnbilled + linesCredits;
  const linesShown = all > LINES_MAX ? LINES_OF_LONG : all;
  const options = { operatorName: context.operatorName, linesShown, nowMs: Date.parse(view.lines.until) - 1 };
  response.writeHead(200, {
    "Content-Type": `${HTML_TYPE}; charset=utf-8`,
    "Content-Security-Policy": PAGE_POLICY,
    "Referrer-Policy": "no-referrer",
  });
  await writeChunk(response, pageHead(view, options));
  if (linesShown > 0) await writeChunk(response, linesHead(runningHead(view, options), view.head.currency));
  let left = linesShown;
  let digits: LineDigits | null = null;
  for await (const page of linePages(context.pool, context.terms, view.lines)) {
    const shown = page.slice(0, left);
    digits ??= lineDigits(shown);
    await writeChunk(response, lineRows(shown, digits));
    left -= shown.length;
    if (left === 0 || signal.aborted) break;
  }
  response.end(`${linesShown > 0 ? LINES_END : ""}${pageEnd(view)}`);
  return null;
});
