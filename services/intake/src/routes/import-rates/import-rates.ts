import { providerNames, rates as shippedRates } from "@contingent/catalog/models";
import type { Problem } from "@contingent/contracts/http/errors";
import { importRates, type ImportRatesRequest, type PriceBookImportBody } from "@contingent/contracts/http/price-book";
import type { Rate } from "@contingent/core/cost";
import { importRates as addToPriceBook } from "@contingent/db/price-book-import";
import { ApiError } from "../../http/api-error.ts";
import { route } from "../../http/route.ts";
import { isoTime } from "../../jobs/render.ts";
import { rateOf, renderRate } from "../../price-book/render.ts";

export const importRatesRoute = route(importRates, async (context, { body, caller }) => {
  refuse(unknownProviders(body.rates));
  const rates = body.rates.map(rateOf);
  const imported = await addToPriceBook(context.pool, {
    source: body.source,
    importedBy: caller.keyId,
    rates,
    shipped: shippedRates(),
    mayBeginInThePast: body.correction,
  });
  if (imported.kind === "begun") throw refusal(inThePast(rates, imported.rates, imported.nowMs));
  context.priceBook.forget();
  const { added } = imported;
  const answer: PriceBookImportBody = {
    object: "price_book_import",
    id: added[0]?.importId ?? null,
    added: added.map((entry) => renderRate({ rate: entry.rate, imported: entry })),
    unchanged: rates.length - added.length,
  };
  return { status: added.length === 0 ? 200 : 201, body: answer };
});

function unknownProviders(rates: ImportRatesRequest["rates"]): readonly Problem[] {
  const known: readonly string[] = providerNames;
  return rates.flatMap(({ provider }, i) => {
    if (known.includes(provider)) return [];
    const message = `there is no provider "${provider}" that could be called; there is ${known.join(", ")}`;
    return [{ param: `/rates/${i}/provider`, message }];
  });
}

function inThePast(rates: readonly Rate[], begun: readonly Rate[], nowMs: number): readonly Problem[] {
  return rates.flatMap((rate, i) => {
    if (!begun.includes(rate)) return [];
    const message = `lies in the past (it is ${isoTime(nowMs)}), and what was called since keeps its price: send a time from now on, or "correction": true to let the rate count from now on`;
    return [{ param: `/rates/${i}/effective_from`, message }];
  });
}

function refuse(problems: readonly Problem[]): void {
  if (problems.length > 0) throw refusal(problems);
}

function refusal(problems: readonly Problem[]): ApiError {
  const [first] = problems;
  const message = `${first?.param ?? "The body"}: ${first?.message ?? "is not valid"}. Nothing was imported.`;
  return new ApiError("invalid_field", message, { param: first?.param ?? "", problems });
}
