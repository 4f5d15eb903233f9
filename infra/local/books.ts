/** The books after the samples: what the customer's statement says so far, as a page to look at, and whether everything adds up. */
import fs from "node:fs";
import path from "node:path";
import { bookCheckSchema } from "@contingent/contracts/http/book-checks";
import { statementPageSchema } from "@contingent/contracts/http/statements";
import type { Screen } from "./screen.ts";
import type { Stack } from "./stack.ts";

/** Shows the open statement, keeps its printable page in the data folder, and checks every invariant of the books. */
export async function showBooks(screen: Screen, stack: Stack, dataFolder: string): Promise<void> {
  screen.heading("Books");
  await showStatement(screen, stack, dataFolder);
  const request = { method: "POST", path: "/v1/books/checks", body: { mode: "full" } };
  const { invariants } = bookCheckSchema.parse(await stack.operator.call(request));
  const broken = invariants.filter(({ violations }) => violations.length > 0);
  screen.line(
    `  check       ${invariants.length - broken.length} of ${invariants.length} invariants hold (npm run check:books)`,
  );
  for (const { number, promise, violations } of broken) {
    screen.line(`              BROKEN ${number} ${promise}: ${violations.join("; ")}`);
  }
}

async function showStatement(screen: Screen, stack: Stack, dataFolder: string): Promise<void> {
  const { data } = statementPageSchema.parse(await stack.api.call({ path: "/v1/statements?state=open&limit=1" }));
  const [statement] = data;
  if (statement === undefined) return;
  const { lines, amount_due: due, period } = statement;
  const month = period.start.slice(0, 7);
  screen.line(
    `  statement   ${month}, ${lines.billed} outcomes billed and ${lines.unbilled} jobs for nothing: ${due.amount} ${due.currency} so far`,
  );
  const page = await stack.api.call({ path: `/v1/statements/${statement.id}/html` });
  const file = path.join(dataFolder, `statement-${month}.html`);
  fs.writeFileSync(file, String(page), { mode: 0o600 });
  screen.line(`              printable: ${path.relative(process.cwd(), file)}`);
}
