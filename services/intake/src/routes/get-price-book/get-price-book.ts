import { rates as shippedRates } from "@contingent/catalog/models";
import { getPriceBook } from "@contingent/contracts/http/price-book";
import { PAGE_SIZE_DEFAULT } from "@contingent/contracts/http/values";
import { listImportedRates, type RateInForce, ratesInForce } from "@contingent/db/price-book-import";
import type { Pool } from "@contingent/db/pool";
import { ApiError } from "../../http/api-error.ts";
import { pageOf } from "../../http/page.ts";
import { route } from "../../http/route.ts";
import { renderRate } from "../../price-book/render.ts";

interface Asked {
  readonly model: string | undefined;
  readonly cursor: string | undefined;
  readonly limit: number;
}

export const getPriceBookRoute = route(getPriceBook, async ({ pool }, { query }) => {
  const { model, cursor, at: atMs, limit = PAGE_SIZE_DEFAULT } = query;
  if (atMs !== undefined) {
    const inForce = await ratesInForce(pool, shippedRates(), { model, atMs });
    const rest = inForce.filter(({ rate }) => cursor === undefined || rate.model > cursor);
    return { status: 200, body: pageOf(rest, limit, renderRate, ({ rate }) => rate.model) };
  }
  const entries = await pageFrom(pool, { model, cursor, limit: limit + 1 });
  return {
    status: 200,
    body: pageOf(
      entries,
      limit,
      ({ entry }) => renderRate(entry),
      ({ place }) => place,
    ),
  };
});

interface Entry {
  readonly entry: RateInForce;
  /** Where it stands in the list, as its cursor. */
  readonly place: string;
}

const IMPORTED = /^\d{1,18}$/;
const SHIPPED = /^shipped-(\d{1,6})$/;

/** Imported rates, newest first, and after the last of them those that the program ships with. */
async function pageFrom(pool: Pool, { model, cursor, limit }: Asked): Promise<readonly Entry[]> {
  const afterShipped = SHIPPED.exec(cursor ?? "")?.[1];
  if (cursor !== undefined && afterShipped === undefined && !IMPORTED.test(cursor)) {
    const message = "The cursor is not one that this list gave. Use next_cursor of the page before.";
    throw new ApiError("invalid_field", message, { param: "cursor" });
  }
  const before = cursor === undefined || afterShipped !== undefined ? null : BigInt(cursor);
  const imported = afterShipped === undefined ? await listImportedRates(pool, { model, before, limit }) : [];
  const shipped = shippedRates().flatMap((rate, i) =>
    i > Number(afterShipped ?? -1) && (model === undefined || rate.model === model)
      ? [{ entry: { rate, imported: null }, place: `shipped-${i}` }]
      : [],
  );
  const newest = imported.map((found) => ({ entry: { rate: found.rate, imported: found }, place: String(found.seq) }));
  return [...newest, ...shipped].slice(0, limit);
}
