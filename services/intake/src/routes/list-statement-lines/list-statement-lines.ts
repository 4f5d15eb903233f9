import { listStatementLines } from "@contingent/contracts/http/statements";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import type { StatementLine } from "@contingent/core/statement/lines";
import { linePages } from "@contingent/ledger/statement/lines";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { cursorText, readCursor } from "../../statements/cursor.ts";
import { findVisibleStatement } from "../../statements/find.ts";
import { renderLine } from "../../statements/render.ts";

export const listStatementLinesRoute = route(listStatementLines, async (context, { caller, params, query }) => {
  const limit = query.limit ?? PAGE_SIZE_DEFAULT;
  const after = readCursor(query.cursor);
  const found = await findVisibleStatement(context, caller, params.id);
  const lines: StatementLine[] = [];
  for await (const page of linePages(context.pool, context.terms, found.lines, { after, linesPerPage: limit + 1 })) {
    lines.push(...page);
    if (lines.length > limit) break;
  }
  return { status: 200, body: pageOf(lines, limit, (line) => renderLine(line, found), cursorText) };
});
