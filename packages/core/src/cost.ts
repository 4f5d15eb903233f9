/**
 * What a call to a model costs: exactly, from the provider's own usage report and the rates that held on that day.
 *
 * Rates are nanos per **million** tokens, so every published price is a whole number. A cost is one rational number
 * rounded up to a nano once, at the very end.
 */
import { max, type Nanos, nanos } from "./money.ts";

/** Prices of one model for prompts up to a size, nanos per million tokens. `null`: the price of this class is not known. */
export interface RateBand {
  /** The band holds for prompts (input + cache reads + cache writes) of at most this many tokens; null: of any size. */
  readonly promptTokensMax: number | null;
  readonly input: bigint;
  readonly output: bigint;
  readonly cacheWrite5m: bigint | null;
  readonly cacheWrite1h: bigint | null;
  readonly cacheRead: bigint | null;
}

/** The prices of one model from an instant on. A price change is a new rate with its own dates, never an edit. */
export interface Rate {
  /** The exact id the provider bills by. Never matched by prefix: `claude-sonnet-5` is not `claude-sonnet-5-5`. */
  readonly model: string;
  readonly provider: string;
  /** First instant of the period, inclusive, in ms since the epoch. */
  readonly fromMs: number;
  /** End of the period, exclusive, unless a later rate begins before; null while no end is announced. */
  readonly untilMs: number | null;
  /** Ascending by `promptTokensMax`; the last one is open. The band is chosen by the whole request. */
  readonly bands: readonly RateBand[];
  /** Input and output prices in fast mode; null when the model has none. No price of cached tokens in fast mode is known. */
  readonly fast: { readonly input: bigint; readonly output: bigint } | null;
}

/** Token counts of one call, in disjoint classes (`input` excludes what was read from or written to the cache). */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWrite5mTokens: number;
  readonly cacheWrite1hTokens: number;
  /** Processed by the batch service, at half price. */
  readonly batch: boolean;
  readonly fast: boolean;
  /** Inference pinned to the US, at 1.1 times the price. */
  readonly usOnly: boolean;
}

export const NO_USAGE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  batch: false,
  fast: false,
  usOnly: false,
};

/** A model or a token class has no known price. It is never free and never guessed: the attempt is refused. */
export class UnknownPriceError extends Error {
  override readonly name = "UnknownPriceError";
}

const TOKENS_PER_RATE = 1_000_000n;

/**
 * The rate of exactly this model at an instant, or null. Of those that have begun the one that began last counts, and of
 * several that began together the one that became known last: a later rate takes over whatever end the one before it had.
 * @param rates in the order in which they became known
 */
export function rateAt(rates: readonly Rate[], model: string, atMs: number): Rate | null {
  const begun = rates.reduce<Rate | null>((latest, r) => {
    if (r.model !== model || r.fromMs > atMs) return latest;
    return latest === null || r.fromMs >= latest.fromMs ? r : latest;
  }, null);
  return begun === null || hasEnded(begun, atMs) ? null : begun;
}

function hasEnded({ untilMs }: Rate, atMs: number): boolean {
  return untilMs !== null && untilMs <= atMs;
}

/**
 * The exact cost of a call, rounded up to a nano.
 * @throws UnknownPriceError when tokens were used of a class whose price is not known
 * @throws RangeError when a count is not a whole number from 0: no usage report may lower a cost
 */
export function costOf(rate: Rate, usage: Usage): Nanos {
  const standard = bandFor(rate, promptTokens(usage));
  const prices = usage.fast ? fastPrices(rate) : standard;
  const perMillion =
    counted(usage.inputTokens) * prices.input +
    counted(usage.outputTokens) * prices.output +
    priced(usage.cacheReadTokens, prices.cacheRead, rate, "cache reads") +
    priced(usage.cacheWrite5mTokens, prices.cacheWrite5m, rate, "5-minute cache writes") +
    priced(usage.cacheWrite1hTokens, prices.cacheWrite1h, rate, "1-hour cache writes");
  const batch = usage.batch ? { times: 1n, over: 2n } : { times: 1n, over: 1n };
  const region = usage.usOnly ? { times: 11n, over: 10n } : { times: 1n, over: 1n };
  return nanos(divideUp(perMillion * batch.times * region.times, TOKENS_PER_RATE * batch.over * region.over));
}

/**
 * The most a call can cost that asks for no caching, no fast mode and no region: every input token at the input price,
 * every allowed output token used. (Cache writes cost up to twice the input price: whoever asks for them must reserve
 * for them.)
 * @param inputTokens an upper bound of the prompt's tokens
 */
export function worstCaseCost(rate: Rate, inputTokens: number, outputTokensMax: number): Nanos {
  const costs = promptsUpTo(rate, inputTokens).map((tokens) =>
    costOf(rate, { ...NO_USAGE, inputTokens: tokens, outputTokens: outputTokensMax }),
  );
  return costs.reduce(max);
}

/**
 * How many output tokens fit into an amount after the prompt is paid; 0 when not even the prompt fits.
 * The inverse of `worstCaseCost`, rounded down.
 */
export function outputTokensThatFit(rate: Rate, inputTokens: number, amount: Nanos): number {
  const fits = promptsUpTo(rate, inputTokens).map((tokens) => {
    const band = bandFor(rate, tokens);
    const left = amount * TOKENS_PER_RATE - BigInt(tokens) * band.input;
    return left <= 0n ? 0 : Number(left / band.output);
  });
  return Math.min(...fits);
}

/**
 * The prompt sizes that can be dearest when the prompt has at most this many tokens: the bound itself, and the last one
 * of each cheaper-by-size band below it, since a larger prompt may fall into a band with lower prices.
 */
function promptsUpTo(rate: Rate, tokensMax: number): readonly number[] {
  const edges = rate.bands.flatMap(({ promptTokensMax }) => promptTokensMax ?? []);
  return [tokensMax, ...edges.filter((edge) => edge < tokensMax)];
}

/** Fast mode has one price for prompts of any size, and none for cached tokens. */
function fastPrices(rate: Rate): RateBand {
  const fast = known(rate.fast, rate, "fast mode");
  return { promptTokensMax: null, ...fast, cacheRead: null, cacheWrite5m: null, cacheWrite1h: null };
}

function promptTokens(usage: Usage): number {
  return usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
}

function bandFor(rate: Rate, tokens: number): RateBand {
  const band = rate.bands.find((b) => b.promptTokensMax === null || tokens <= b.promptTokensMax);
  return known(band ?? null, rate, `prompts of ${tokens} tokens`);
}

function priced(tokens: number, price: bigint | null, rate: Rate, what: string): bigint {
  return tokens === 0 ? 0n : counted(tokens) * known(price, rate, what);
}

function counted(tokens: number): bigint {
  if (tokens < 0) throw new RangeError(`${tokens} is no number of tokens`);
  return BigInt(tokens);
}

function known<T>(price: T | null, rate: Rate, what: string): T {
  if (price === null) throw new UnknownPriceError(`the price of ${what} of ${rate.model} is not known`);
  return price;
}

function divideUp(numerator: bigint, denominator: bigint): bigint {
  return (numerator + denominator - 1n) / denominator;
}
