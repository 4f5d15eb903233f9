import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Rate, rateAt, type RateBand } from "./cost.ts";
import { additionsTo, bookFrom } from "./price-book.ts";

const BAND: RateBand = {
  promptTokensMax: null,
  input: 2n,
  output: 10n,
  cacheWrite5m: null,
  cacheWrite1h: null,
  cacheRead: null,
};

function rate(over: Partial<Rate> = {}): Rate {
  return { model: "m", provider: "p", fromMs: 0, untilMs: null, bands: [BAND], fast: null, ...over };
}

/** A rate that can be told from others by its input price. */
function priced(fromMs: number, input: bigint, over: Partial<Rate> = {}): Rate {
  return rate({ fromMs, bands: [{ ...BAND, input }], ...over });
}

function inputAt(book: readonly Rate[], atMs: number): bigint | null {
  return rateAt(book, "m", atMs)?.bands[0]?.input ?? null;
}

describe("which rate counts", () => {
  test("a rate that is imported ahead of its day counts from that day on", () => {
    const book = [priced(0, 1n), priced(1_000, 2n)];
    expect([inputAt(book, 999), inputAt(book, 1_000)]).toEqual([1n, 2n]);
  });

  test("of two that begin together the one that was imported later counts", () => {
    expect(inputAt([priced(1_000, 1n), priced(1_000, 2n), priced(1_000, 3n)], 1_000)).toBe(3n);
  });

  test("a rate that began earlier does not come back because it was imported later", () => {
    expect(inputAt([priced(1_000, 1n), priced(500, 2n)], 2_000)).toBe(1n);
    expect(inputAt([priced(1_000, 1n), priced(500, 2n)], 700)).toBe(2n);
  });

  test("an announced end leaves the model without a price, unless a later rate has begun", () => {
    const ending = priced(0, 1n, { untilMs: 1_000 });
    expect([inputAt([ending], 999), inputAt([ending], 1_000)]).toEqual([1n, null]);
    expect(inputAt([ending, priced(1_000, 2n)], 1_000)).toBe(2n);
    expect(inputAt([ending, priced(500, 2n)], 1_500)).toBe(2n);
  });

  test("an end does not bring back the rate before", () => {
    expect(inputAt([priced(0, 1n), priced(500, 2n, { untilMs: 1_000 })], 1_000)).toBe(null);
  });
});

const rates = fc.array(
  fc.record({
    model: fc.constantFrom("m", "n", "m-5"),
    fromMs: fc.nat({ max: 20 }),
    ends: fc.option(fc.nat({ max: 20 }), { freq: 3 }),
    input: fc.bigInt({ min: 1n, max: 4n }),
  }),
  { maxLength: 20 },
);
const books = rates.map((list) =>
  list.map(({ model, fromMs, ends, input }) =>
    priced(fromMs, input, { model, untilMs: ends === null ? null : fromMs + 1 + ends }),
  ),
);
const models = fc.constantFrom("m", "n", "m-5", "o");
const instants = fc.nat({ max: 45 });

describe("for any book", () => {
  test("the latest beginning counts, the last to become known of several, until it ends", () => {
    fc.assert(
      fc.property(books, models, instants, (book, model, atMs) => {
        const begun = book.filter((r) => r.model === model && r.fromMs <= atMs);
        const latest = begun.toSorted((left, right) => left.fromMs - right.fromMs).at(-1);
        const ended = latest === undefined || (latest.untilMs !== null && latest.untilMs <= atMs);
        expect(rateAt(book, model, atMs)).toBe(ended ? null : latest);
      }),
    );
  });

  test("an import changes nothing before the first instant of what it adds, and nothing of other models", () => {
    fc.assert(
      fc.property(books, books, models, instants, (book, imported, model, atMs) => {
        const added = additionsTo(book, imported).filter((r) => r.model === model && r.fromMs <= atMs);
        if (added.length > 0) return;
        expect(rateAt([...book, ...additionsTo(book, imported)], model, atMs)).toBe(rateAt(book, model, atMs));
      }),
    );
  });

  test("an import counts for every model and first instant in it, and repeating it adds nothing", () => {
    fc.assert(
      fc.property(books, books, (book, imported) => {
        const once = onePerBeginning(imported);
        const after = [...book, ...additionsTo(book, once)];
        for (const r of once) {
          const bands = rateAt(after, r.model, r.fromMs)?.bands;
          expect(bands).toEqual(r.bands);
        }
        expect(additionsTo(after, once)).toEqual([]);
      }),
    );
  });

  test("what a process remembers from an instant on gives the same rates from then on, with one begun rate a model", () => {
    fc.assert(
      fc.property(books, models, instants, instants, (book, model, fromMs, laterMs) => {
        const remembered = bookFrom(book, fromMs);
        expect(rateAt(remembered, model, fromMs + laterMs)).toBe(rateAt(book, model, fromMs + laterMs));
        const begun = remembered.filter((r) => r.model === model && r.fromMs <= fromMs);
        expect(begun.length).toBe(book.some((r) => r.model === model && r.fromMs <= fromMs) ? 1 : 0);
      }),
    );
  });
});

describe("what an import adds", () => {
  test.each<[string, Partial<Rate>]>([
    ["provider", { provider: "q" }],
    ["end", { untilMs: 9 }],
    ["fast mode", { fast: { input: 1n, output: 1n } }],
    ["number of bands", { bands: [{ ...BAND, promptTokensMax: 5 }, BAND] }],
    ["input price", { bands: [{ ...BAND, input: 3n }] }],
    ["output price", { bands: [{ ...BAND, output: 3n }] }],
    ["cache prices", { bands: [{ ...BAND, cacheRead: 3n }] }],
    ["5-minute cache writes", { bands: [{ ...BAND, cacheWrite5m: 3n }] }],
    ["1-hour cache writes", { bands: [{ ...BAND, cacheWrite1h: 3n }] }],
    ["first instant", { fromMs: 1 }],
    ["model", { model: "n" }],
  ])("a rate with another %s", (_, over) => {
    expect(additionsTo([rate()], [rate(over)])).toEqual([rate(over)]);
  });

  test("not one that says what the book says, though it be another object", () => {
    const fast = { input: 1n, output: 2n };
    expect(additionsTo([rate({ fast })], [rate({ fast: { ...fast } })])).toEqual([]);
  });

  test("one that was replaced since: the last word counts", () => {
    const book = [priced(0, 1n), priced(0, 2n)];
    expect(additionsTo(book, [priced(0, 1n)])).toEqual([priced(0, 1n)]);
    expect(additionsTo(book, [priced(0, 2n)])).toEqual([]);
  });
});

/** An import has one rate for each model and first instant. */
function onePerBeginning(list: readonly Rate[]): readonly Rate[] {
  const byBeginning = new Map(list.map((r) => [`${r.model} ${r.fromMs}`, { ...r, untilMs: null }]));
  return [...byBeginning.values()];
}
