import { type BookCheckBody, checkBooks, listBookChecks } from "@contingent/contracts/http/book-checks";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { type BookCheck, bookChecks, runBookCheck } from "@contingent/ledger/book-checks";
import { ApiError } from "../../http/api-error.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { isoTime } from "../../jobs/render.ts";

/** More checks than there will be. */
const NUMBER = /^[1-9]\d{0,8}$/;

export const checkBooksRoute = route(checkBooks, async (context, { body }) => {
  const check = await runBookCheck(context.pool, context.versions, body.mode);
  if (check !== null) return { status: 200, body: render(check) };
  throw new ApiError("check_in_progress", "The books are being checked just now. Ask again when that check is done.", {
    headers: { "Retry-After": "10" },
  });
});

export const listBookChecksRoute = route(listBookChecks, async (context, { query }) => {
  const { limit = PAGE_SIZE_DEFAULT, cursor } = query;
  if (cursor !== undefined && !NUMBER.test(cursor)) {
    const message = "The cursor is not one that this list gave. Use next_cursor of the page before.";
    throw new ApiError("invalid_field", message, { param: "cursor" });
  }
  const before = cursor === undefined ? null : Number(cursor);
  const checks = await bookChecks(context.pool, { before, limit: limit + 1 });
  return { status: 200, body: pageOf(checks, limit, render, ({ number }) => String(number)) };
});

function render(check: BookCheck): BookCheckBody {
  const { number, mode, isClean, startedAtMs, durationMs, invariants } = check;
  return {
    object: "book_check",
    number,
    mode,
    is_clean: isClean,
    started_at: isoTime(startedAtMs),
    duration_ms: durationMs,
    invariants: invariants.map((each) => ({
      number: each.number,
      promise: each.promise,
      duration_ms: each.durationMs,
      violations: [...each.violations],
    })),
  };
}
