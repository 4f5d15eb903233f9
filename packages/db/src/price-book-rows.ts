/** How imported rates stand in their rows, and the way back. Prices are texts, because JSON numbers are doubles. */
import type { Rate, RateBand } from "@contingent/core/cost";
import type { PriceImportId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import { msOf } from "./job-row.ts";

/** A rate that an operator imported. */
export interface ImportedRate {
  /** Ascending in the order of import. */
  readonly seq: bigint;
  readonly importId: PriceImportId;
  readonly source: string;
  readonly importedAtMs: number;
  readonly rate: Rate;
}

/** The columns of `price_book_rate r` joined to `price_book_import i`. */
export const RATE_COLUMNS = `
  r.seq, r.import_id, i.source, ${msOf("i.imported_at")} AS imported_ms, r.model, r.provider,
  ${msOf("r.effective_from")} AS from_ms, r.bands, r.fast`;

interface StoredBand {
  readonly prompt_tokens_max: number | null;
  readonly input: string;
  readonly output: string;
  readonly cache_write_5m: string | null;
  readonly cache_write_1h: string | null;
  readonly cache_read: string | null;
}

export interface RateRow {
  readonly seq: bigint;
  readonly import_id: PriceImportId;
  readonly source: string;
  readonly imported_ms: number;
  readonly model: string;
  readonly provider: string;
  readonly from_ms: number;
  readonly bands: readonly StoredBand[];
  readonly fast: { readonly input: string; readonly output: string } | null;
}

export function importedRateOf(row: RateRow): ImportedRate {
  const { seq, import_id: importId, source, imported_ms: importedAtMs, model, provider, from_ms: fromMs, fast } = row;
  const rate: Rate = {
    model,
    provider,
    fromMs,
    untilMs: null,
    bands: row.bands.map(bandOf),
    fast: fast === null ? null : { input: BigInt(fast.input), output: BigInt(fast.output) },
  };
  return { seq, importId, source, importedAtMs, rate };
}

function bandOf(stored: StoredBand): RateBand {
  return {
    promptTokensMax: stored.prompt_tokens_max,
    input: BigInt(stored.input),
    output: BigInt(stored.output),
    cacheWrite5m: priceOf(stored.cache_write_5m),
    cacheWrite1h: priceOf(stored.cache_write_1h),
    cacheRead: priceOf(stored.cache_read),
  };
}

function priceOf(text: string | null): bigint | null {
  return text === null ? null : BigInt(text);
}

/** A rate as the statement that adds it reads it. */
export function rateRow({ model, provider, fromMs, bands, fast }: Rate): JsonObject {
  return {
    model,
    provider,
    from_ms: fromMs,
    bands: bands.map((band) => ({
      prompt_tokens_max: band.promptTokensMax,
      input: band.input.toString(),
      output: band.output.toString(),
      cache_write_5m: band.cacheWrite5m?.toString() ?? null,
      cache_write_1h: band.cacheWrite1h?.toString() ?? null,
      cache_read: band.cacheRead?.toString() ?? null,
    })),
    fast: fast === null ? null : { input: fast.input.toString(), output: fast.output.toString() },
  };
}
