/**
 * The price book: the rates that the program ships with, and after them those that operators imported, in the order of
 * their import. It only grows. Which rate counts at an instant is said by `rateAt` of cost.ts; this file says what an
 * import adds and what of the book a process has to remember.
 */
import type { Rate, RateBand } from "./cost.ts";

/**
 * The rates of an import that say something new. One that is what the book says already for that model and that first
 * instant adds nothing, so that an import can be repeated; one that differs is added, even if it was there before and
 * was replaced since.
 * @param book in the order in which its rates became known
 */
export function additionsTo(book: readonly Rate[], imported: readonly Rate[]): readonly Rate[] {
  return imported.filter((rate) => {
    const last = book.findLast((known) => known.model === rate.model && known.fromMs === rate.fromMs);
    return last === undefined || !isSame(last, rate);
  });
}

/**
 * The part of a book that can still matter from an instant on, in the same order: for each model the rate that counts
 * then, ended or not, and those that begin later.
 */
export function bookFrom(book: readonly Rate[], fromMs: number): readonly Rate[] {
  const counting = new Map<string, Rate>();
  for (const rate of book) {
    const latest = counting.get(rate.model);
    if (rate.fromMs <= fromMs && (latest === undefined || rate.fromMs >= latest.fromMs)) counting.set(rate.model, rate);
  }
  return book.filter((rate) => rate.fromMs > fromMs || counting.get(rate.model) === rate);
}

/** Whether two rates of one model and first instant say the same. */
function isSame(left: Rate, right: Rate): boolean {
  return (
    left.provider === right.provider &&
    left.untilMs === right.untilMs &&
    left.bands.length === right.bands.length &&
    left.bands.every((band, i) => isSameBand(band, right.bands[i])) &&
    left.fast?.input === right.fast?.input &&
    left.fast?.output === right.fast?.output
  );
}

function isSameBand(left: RateBand, right: RateBand | undefined): boolean {
  return (
    left.promptTokensMax === right?.promptTokensMax &&
    left.input === right.input &&
    left.output === right.output &&
    left.cacheWrite5m === right.cacheWrite5m &&
    left.cacheWrite1h === right.cacheWrite1h &&
    left.cacheRead === right.cacheRead
  );
}
