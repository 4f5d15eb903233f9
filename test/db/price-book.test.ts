/** Hazard: a rate that counts too early, too late or not in every process; a book that is lost while the database is away. */
import { type Rate, rateAt } from "@contingent/core/cost";
import type { KeyId } from "@contingent/core/ids";
import { createKey } from "@contingent/db/keys";
import { priceBook } from "@contingent/db/price-book";
import { type Imported, importRates } from "@contingent/db/price-book-import";
import { openPool } from "@contingent/db/pool";
import { startTcpLink } from "@contingent/testkit/tcp-link";
import { beforeAll, describe, expect, test } from "vitest";
import { outcomeOf } from "../ledger/by-hand.ts";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();
const LONG_MS = 3_600_000;
const SOON_MS = Date.now() + LONG_MS;
let operator: KeyId;

beforeAll(async () => {
  operator = (await createKey(db.pool, { kind: "operator", label: "test" })).id;
});

function rate(model: string, input: bigint, fromMs = SOON_MS): Rate {
  const none = { cacheWrite5m: null, cacheWrite1h: null, cacheRead: null };
  const bands = [{ promptTokensMax: null, input, output: 5n * input, ...none }];
  return { model, provider: "anthropic", fromMs, untilMs: null, bands, fast: null };
}

function importing(pool: typeof db.pool, ...rates: readonly Rate[]): Promise<Imported> {
  return importRates(pool, { source: "a test", importedBy: operator, rates, shipped: [], mayBeginInThePast: false });
}

function inputOf(rates: readonly Rate[], model: string): bigint | undefined {
  return rateAt(rates, model, SOON_MS)?.bands[0]?.input;
}

describe("what a process knows", () => {
  test("it reads what was imported elsewhere once its book is old, and not before", async () => {
    const [old, young] = [priceBook(db.pool, [], { ttlMs: 0 }), priceBook(db.pool, [], { ttlMs: LONG_MS })];
    await Promise.all([old.rates(), young.rates()]);
    await importing(db.pool, rate("elsewhere", 1n));
    expect(inputOf(await old.rates(), "elsewhere")).toBe(1n);
    expect(inputOf(await young.rates(), "elsewhere")).toBe(undefined);
    young.forget();
    expect(inputOf(await young.rates(), "elsewhere")).toBe(1n);
  });

  test("imported rates come after the shipped ones, in the order of their import", async () => {
    const shipped = [rate("ordered", 1n)];
    const book = priceBook(db.pool, shipped, { ttlMs: 0 });
    expect(inputOf(await book.rates(), "ordered")).toBe(1n);
    for (const input of [2n, 3n]) {
      await importing(db.pool, rate("ordered", input));
      expect(inputOf(await book.rates(), "ordered")).toBe(input);
    }
    const fresh = priceBook(db.pool, shipped);
    expect(inputOf(await fresh.rates(), "ordered")).toBe(3n);
  });

  test("many imports at once: none is missed, and every process gives the same one the last word", async () => {
    const watching = priceBook(db.pool, [], { ttlMs: 0 });
    const pools = [1, 2, 3, 4].map(() => db.another(2));
    const done = new AbortController();
    const watch = async (): Promise<void> => {
      while (!done.signal.aborted) await watching.rates();
    };
    const watched = watch();
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => importing(pools[i % 4] ?? db.pool, rate("raced", BigInt(i + 1)))),
    );
    done.abort();
    await watched;
    const all = await watching.rates();
    expect(new Set(all.filter(({ model }) => model === "raced").map((r) => r.bands[0]?.input)).size).toBe(40);
    expect(inputOf(all, "raced")).toBe(inputOf(await priceBook(db.pool, []).rates(), "raced"));
  });

  test("a read that had begun before something was imported here does not count as a fresh one", async () => {
    const [looked, imported] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const slow: Parameters<typeof priceBook>[0] = {
      query: async (statement) => {
        const result = await db.pool.query(statement);
        looked.resolve();
        await imported.promise;
        return result;
      },
    };
    const book = priceBook(slow, [], { ttlMs: LONG_MS });
    const first = book.rates();
    await looked.promise;
    await importing(db.pool, rate("meanwhile", 1n));
    book.forget();
    imported.resolve();
    await first;
    expect(inputOf(await book.rates(), "meanwhile")).toBe(1n);
  });

  // From here on the book has more than one page.
  test("more rates than fit a page", async () => {
    await importing(db.pool, ...Array.from({ length: 1_001 }, (_, i) => rate(`many-${i}`, BigInt(i + 1))));
    const all = await priceBook(db.pool, []).rates();
    expect(all.filter(({ model }) => model.startsWith("many-"))).toHaveLength(1_001);
  });

  test("those who ask at once share one read", async () => {
    let reads = 0;
    const counting: Parameters<typeof priceBook>[0] = {
      query: (statement) => {
        reads += 1;
        return db.pool.query(statement);
      },
    };
    const book = priceBook(counting, []);
    await importing(db.pool, rate("shared", 1n));
    await Promise.all(Array.from({ length: 20 }, () => book.rates()));
    // More than one page of rates is there by now.
    const first = reads;
    await Promise.all(Array.from({ length: 20 }, () => book.rates()));
    expect([first <= 2, reads]).toEqual([true, first]);
  });
});

describe("while the database is away", () => {
  test("the last known book goes on counting, and it is read again afterwards", async () => {
    const { hostname: host, port } = new URL(db.url);
    const link = await startTcpLink({ host, port: Number(port) });
    const pool = openPool(link.through(db.url), { applicationName: "test" });
    const warned: string[] = [];
    const log = { warn: (_: object, message: string) => void warned.push(message) };
    const book = priceBook(pool, [], { ttlMs: 0, log });
    await importing(db.pool, rate("kept", 1n));
    expect(inputOf(await book.rates(), "kept")).toBe(1n);
    await link.cut();
    await importing(db.pool, rate("kept", 2n));
    expect(inputOf(await book.rates(), "kept")).toBe(1n);
    expect(warned).toEqual([expect.stringContaining("the last known one")]);
    await link.restore();
    await expect.poll(async () => inputOf(await book.rates(), "kept"), { timeout: 10_000 }).toBe(2n);
    await pool.end();
    await link.close();
  });

  test("a book that was never read is not made up from what the program ships with", async () => {
    const { hostname: host, port } = new URL(db.url);
    const link = await startTcpLink({ host, port: Number(port) });
    const pool = openPool(link.through(db.url), { applicationName: "test" });
    await link.cut();
    await expect(priceBook(pool, [rate("shipped", 1n)]).rates()).rejects.toThrow(/ECONN|terminated/);
    await pool.end();
    await link.close();
  });
});

test.each(["price_book_import", "price_book_rate"])("%s only grows", async (table) => {
  await importing(db.pool, rate(`grown-${table}`, 1n));
  const RESTRICTED = "23001";
  const column = table === "price_book_rate" ? "provider" : "source";
  expect(await outcomeOf(db.pool, `UPDATE ${table} SET ${column} = 'x'`)).toBe(RESTRICTED);
  expect(await outcomeOf(db.pool, `DELETE FROM ${table}`)).toBe(RESTRICTED);
  expect(await outcomeOf(db.pool, `TRUNCATE ${table} CASCADE`)).toBe(RESTRICTED);
});
