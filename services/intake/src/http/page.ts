import type { Page } from "@contingent/contracts/http/values";

/** A page made of one entry more than it shows: that entry says whether there is a next page. */
export function pageOf<Entry, Shown>(
  entries: readonly Entry[],
  limit: number,
  show: (entry: Entry) => Shown,
  cursorOf: (entry: Entry) => string,
): Page<Shown> {
  const shown = entries.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = entries.length > limit && last !== undefined;
  return {
    object: "list",
    data: shown.map(show),
    has_more: hasMore,
    next_cursor: hasMore ? cursorOf(last) : null,
  };
}
