/** Rates as the API's JSON, and the way back. Prices are USD per million tokens there, nanos per million tokens here. */
import type { ImportRatesRequest, RateBody } from "@contingent/contracts/http/price-book";
import type { Rate, RateBand } from "@contingent/core/cost";
import { formatMoney, nanos } from "@contingent/core/money";
import type { RateInForce } from "@contingent/db/price-book-import";
import { isoTime } from "../jobs/render.ts";
import { nanosOf } from "../outcome-types/resolve-parts.ts";

export function renderRate({ rate, imported }: RateInForce): RateBody {
  const { model, provider, fromMs, untilMs, bands, fast } = rate;
  return {
    object: "rate",
    model,
    provider,
    currency: "USD",
    effective_from: isoTime(fromMs),
    effective_until: untilMs === null ? null : isoTime(untilMs),
    bands: bands.map(renderBand),
    fast: fast === null ? null : { input: price(fast.input), output: price(fast.output) },
    import: imported?.importId ?? null,
    source: imported?.source ?? null,
    imported_at: imported === null ? null : isoTime(imported.importedAtMs),
  };
}

function renderBand(band: RateBand): RateBody["bands"][number] {
  return {
    prompt_tokens_max: band.promptTokensMax,
    input: price(band.input),
    output: price(band.output),
    cache_write_5m: knownPrice(band.cacheWrite5m),
    cache_write_1h: knownPrice(band.cacheWrite1h),
    cache_read: knownPrice(band.cacheRead),
  };
}

function price(perMillion: bigint): string {
  return formatMoney(nanos(perMillion));
}

function knownPrice(perMillion: bigint | null): string | null {
  return perMillion === null ? null : price(perMillion);
}

/** A rate that the schema has let through. */
export function rateOf(requested: ImportRatesRequest["rates"][number]): Rate {
  const { model, provider, effective_from: fromMs, bands, fast } = requested;
  return {
    model,
    provider,
    fromMs,
    untilMs: null,
    bands: bands.map((band) => ({
      promptTokensMax: band.prompt_tokens_max,
      input: nanosOf(band.input),
      output: nanosOf(band.output),
      cacheWrite5m: knownNanosOf(band.cache_write_5m),
      cacheWrite1h: knownNanosOf(band.cache_write_1h),
      cacheRead: knownNanosOf(band.cache_read),
    })),
    fast: fast === null ? null : { input: nanosOf(fast.input), output: nanosOf(fast.output) },
  };
}

function knownNanosOf(text: string | null): bigint | null {
  return text === null ? null : nanosOf(text);
}
