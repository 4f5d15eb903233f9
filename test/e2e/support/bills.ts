/**
 * What the provider would charge, reckoned apart from the product: from the simulator's own record of what it made, at
 * prices that are written down here once more.
 */
import { parseMoney } from "@contingent/core/money";
import type { BilledRecord } from "@contingent/simulator/server";

/** Nanos per token. 1 USD per million tokens is 1,000 nanos per token. */
const PRICES: Readonly<Record<string, { readonly input: bigint; readonly output: bigint }>> = {
  "claude-haiku-5-5": { input: 100n, output: 500n },
  "claude-haiku-4-5": { input: 1_000n, output: 5_000n },
  "claude-sonnet-5-5": { input: 2_000n, output: 10_000n },
  "claude-opus-5-5": { input: 4_000n, output: 20_000n },
};

/** The price of one answer, nanos. */
export function billOf({ model, usage }: BilledRecord): bigint {
  const price = PRICES[model];
  if (price === undefined) throw new Error(`${model} has no price here: add it`);
  return price.input * tokens(usage["input_tokens"]) + price.output * tokens(usage["output_tokens"]);
}

function tokens(count: unknown): bigint {
  if (typeof count !== "number") throw new Error("a bill without token counts");
  return BigInt(count);
}

/** An amount of the API as nanos. */
export function nanosOf(money: { readonly amount: string } | null): bigint {
  const amount = money === null ? 0n : parseMoney(money.amount);
  if (amount === null) throw new Error("not an amount");
  return amount;
}
