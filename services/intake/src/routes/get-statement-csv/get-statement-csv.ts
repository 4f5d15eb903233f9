import { CSV_TYPE } from "@contingent/contracts/http/operation";
import { getStatementCsv } from "@contingent/contracts/http/statements";
import { EMPTY_TALLY, statementTotals, tallied } from "@contingent/core/statement/totals";
import { linePages } from "@contingent/ledger/statement/lines";
import { route } from "../../http/route.ts";
import { writeChunk } from "../../http/write-chunk.ts";
import { csvAdjustments, csvHeader, csvLines } from "../../statements/csv.ts";
import { findVisibleStatement } from "../../statements/find.ts";

export const getStatementCsvRoute = route(getStatementCsv, async (context, { caller, params, response, signal }) => {
  const { head, lines } = await findVisibleStatement(context, caller, params.id);
  response.writeHead(200, {
    "Content-Type": `${CSV_TYPE}; charset=utf-8; header=present`,
    "Content-Disposition": `attachment; filename="${head.id}.csv"`,
    "X-Accel-Buffering": "no",
  });
  await writeChunk(response, csvHeader());
  let tally = EMPTY_TALLY;
  for await (const page of linePages(context.pool, context.terms, lines)) {
    tally = tallied(tally, page);
    await writeChunk(response, csvLines(page, head));
    // Half a file must not look like a whole one: the connection is cut.
    if (signal.aborted) {
      response.destroy();
      return null;
    }
  }
  const terms = head.termsId === null ? null : await context.terms(head.termsId);
  response.end(csvAdjustments(statementTotals(tally, terms), head));
  return null;
});
