/**
 * The models that may be called, with what they cost and since when. Data under review like code: a price change is a
 * new period with its own dates, never an edit, so that yesterday's calls keep yesterday's price.
 *
 * Sources, read on 2026-11-23 (prices in USD per million tokens):
 *   platform.claude.com, model overview pages and pricing; github.com/kurofune/claudit v1.9.2 (haiku-5-5 bands);
 *   github.com/TheKrush/PromptFuel v1.0.21–23 (opus-5-5, sonnet-5-5); @pydantic/genai-prices 0.1.8 (the others).
 *
 * Left out: claude-fable-5-2. Its input and output prices come from one unconfirmed article and no source gives its
 * cache prices. A model that is not here is refused, never priced by guess.
 */
import type { Rate, RateBand } from "@contingent/core/cost";
import { parseMoney } from "@contingent/core/money";

type Prices = Omit<RateBand, "promptTokensMax">;

/** The providers whose models can be called, by the names that rates give. */
export const providerNames = ["anthropic"] as const;

/** In the price lists of these models no first day is given: they were on sale before this catalog began. */
const BEFORE_THIS_CATALOG = "2026-01-01";

const SONNET_5_5 = { input: "2", output: "10", cacheWrite5m: "2.5", cacheWrite1h: "4" };

const RATES: readonly Rate[] = [
  model("claude-haiku-5-5", "2026-10-07", [
    // The whole request is priced by the band that its prompt (input, cache reads and cache writes) falls into.
    {
      promptTokensMax: 100_000,
      ...prices({ input: "0.10", output: "0.50", cacheWrite5m: "0.125", cacheWrite1h: "0.20", cacheRead: "0.01" }),
    },
    {
      promptTokensMax: null,
      ...prices({ input: "0.50", output: "2.50", cacheWrite5m: "0.625", cacheWrite1h: "1", cacheRead: "0.05" }),
    },
  ]),
  // Cache reads became half as dear ten days after the launch.
  {
    ...model("claude-sonnet-5-5", "2026-09-28", anySize({ ...SONNET_5_5, cacheRead: "0.20" })),
    untilMs: startOf("2026-10-07"),
  },
  model("claude-sonnet-5-5", "2026-10-07", anySize({ ...SONNET_5_5, cacheRead: "0.10" })),
  {
    ...model(
      "claude-opus-5-5",
      "2026-09-22",
      anySize({ input: "4", output: "20", cacheWrite5m: "5", cacheWrite1h: "8", cacheRead: "0.20" }),
    ),
    fast: { input: usd("8"), output: usd("40") },
  },
  model(
    "claude-fable-5-1",
    "2026-09-01",
    anySize({ input: "10", output: "50", cacheWrite5m: "12.5", cacheWrite1h: "20", cacheRead: "0.25" }),
  ),
  model(
    "claude-sonnet-5",
    BEFORE_THIS_CATALOG,
    anySize({ input: "2", output: "10", cacheWrite5m: "2.5", cacheWrite1h: "4", cacheRead: "0.20" }),
  ),
  model(
    "claude-opus-5",
    BEFORE_THIS_CATALOG,
    anySize({ input: "5", output: "25", cacheWrite5m: "6.25", cacheWrite1h: "10", cacheRead: "0.50" }),
  ),
  model(
    "claude-haiku-4-5",
    BEFORE_THIS_CATALOG,
    anySize({ input: "1", output: "5", cacheWrite5m: "1.25", cacheWrite1h: "2", cacheRead: "0.10" }),
  ),
];

/**
 * Every rate that the program ships with. Operators add to them (core/price-book); find one with `rateAt` of core/cost: by
 * the exact id and the moment of the call.
 */
export function rates(): readonly Rate[] {
  return RATES;
}

function model(id: string, from: string, bands: readonly RateBand[]): Rate {
  return { model: id, provider: providerNames[0], fromMs: startOf(from), untilMs: null, bands, fast: null };
}

function anySize(text: Record<keyof Prices, string>): readonly RateBand[] {
  return [{ promptTokensMax: null, ...prices(text) }];
}

function prices(text: Record<keyof Prices, string>): Prices {
  return {
    input: usd(text.input),
    output: usd(text.output),
    cacheWrite5m: usd(text.cacheWrite5m),
    cacheWrite1h: usd(text.cacheWrite1h),
    cacheRead: usd(text.cacheRead),
  };
}

/** USD per million tokens, as printed in the price list, in nanos per million tokens. */
function usd(text: string): bigint {
  const amount = parseMoney(text);
  if (amount === null) throw new Error(`${JSON.stringify(text)} is no price: write a decimal such as "0.125"`);
  return amount;
}

/** Price lists give days; a day begins at midnight UTC. */
function startOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}
