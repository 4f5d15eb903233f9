/**
 * The price book as a process uses it: the rates that the program ships with and all that were imported, read again when
 * they are a few seconds old. What changes is only ever added, so a reader asks for what came after the last it has seen.
 * Reads by primary key, takes no lock.
 */
import type { Rate } from "@contingent/core/cost";
import { bookFrom } from "@contingent/core/price-book";
import { importedRateOf, RATE_COLUMNS, type RateRow } from "./price-book-rows.ts";
import type { Queryable } from "./pool.ts";

export interface PriceBook {
  /**
   * Every rate that can still matter, in the order in which they became known. While the database is away, those that
   * were known last.
   * @throws the database's error when it has never been read
   */
  readonly rates: () => Promise<readonly Rate[]>;
  /** Reads it again for the next one who asks: something has just been imported here. */
  readonly forget: () => void;
}

export interface PriceBookOptions {
  readonly log?: { readonly warn: (fields: object, message: string) => void };
  readonly ttlMs?: number;
}

/** A rate that was imported by another process counts here after this long at most. */
export const PRICE_BOOK_TTL_MS = 2_000;
/** Rates that are no longer in force are forgotten once that long ago: the clocks of two machines differ by less. */
const REMEMBERED_MS = 60 * 60_000;
const ROWS_MAX = 1_000;

const READ = `
  SELECT ${RATE_COLUMNS} FROM price_book_rate r JOIN price_book_import i ON i.id = r.import_id
   WHERE r.seq > $1 ORDER BY r.seq LIMIT ${ROWS_MAX}`;

/** The book on this database, over these rates. */
export function priceBook(db: Queryable, shipped: readonly Rate[], options: PriceBookOptions = {}): PriceBook {
  const { log, ttlMs = PRICE_BOOK_TTL_MS } = options;
  let known: readonly Rate[] | null = null;
  let seenSeq = 0n;
  let freshUntilMs = -Infinity;
  let isOutdated = false;
  let reading: Promise<readonly Rate[]> | null = null;

  const read = async (): Promise<readonly Rate[]> => {
    const { rates, lastSeq } = await importedAfter(db, seenSeq);
    seenSeq = lastSeq;
    return bookFrom([...(known ?? shipped), ...rates], Date.now() - REMEMBERED_MS);
  };
  const refresh = async (): Promise<readonly Rate[]> => {
    // Counted from the beginning of the read: what is imported during it is noticed in time.
    const untilMs = performance.now() + ttlMs;
    isOutdated = false;
    try {
      known = await read();
    } catch (error) {
      if (known === null) throw error;
      log?.warn({ err: error }, "the price book cannot be read: the last known one goes on counting");
    } finally {
      reading = null;
    }
    freshUntilMs = isOutdated ? -Infinity : untilMs;
    return known;
  };
  const rates = async (): Promise<readonly Rate[]> => {
    if (reading !== null) {
      await reading.catch(() => null);
      return await rates();
    }
    if (known !== null && performance.now() < freshUntilMs) return known;
    reading = refresh();
    return await reading;
  };
  return {
    rates,
    forget() {
      freshUntilMs = -Infinity;
      // A read that is under way may have begun too early.
      isOutdated = true;
    },
  };
}

/** All rates that were imported after the one with this number, and the number of the last of them. */
async function importedAfter(
  db: Queryable,
  seq: bigint,
): Promise<{ readonly rates: readonly Rate[]; readonly lastSeq: bigint }> {
  const rates: Rate[] = [];
  for (let lastSeq = seq; ;) {
    const { rows } = await db.query<RateRow>({ name: "price-book", text: READ, values: [lastSeq] });
    rates.push(...rows.map((row) => importedRateOf(row).rate));
    lastSeq = rows.at(-1)?.seq ?? lastSeq;
    if (rows.length < ROWS_MAX) return { rates, lastSeq };
  }
}
