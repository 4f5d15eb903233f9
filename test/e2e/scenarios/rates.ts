/** What models cost changes while jobs run: a new rate counts for the next call, and never for one that has begun. */
import type { OperatorJobBody } from "@contingent/contracts/http/job";
import { PRICE_BOOK_TTL_MS } from "@contingent/db/price-book";
import type { BilledRecord } from "@contingent/simulator/server";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { nanosOf } from "../support/bills.ts";
import { answer, settle, submit } from "../support/cases.ts";
import { RIGHT, step, WRONG } from "../support/sums.ts";
import type { GetSystem } from "../support/use-system.ts";

/** A model that no other test of the system uses, so that its price can be changed under them. */
const MODEL = "claude-fable-5-1";
const CASCADE = { cascade: [step("premium", { models: [MODEL], attempts_max: 2 })] };
const SEEN = { timeoutMs: 10 * PRICE_BOOK_TTL_MS, what: "the workers to know the new rate" };

export function rateTests(system: GetSystem): void {
  async function importRate(input: string, output: string): Promise<void> {
    const band = {
      prompt_tokens_max: null,
      input,
      output,
      cache_write_5m: null,
      cache_write_1h: null,
      cache_read: null,
    };
    const effective_from = new Date().toISOString();
    const rates = [{ model: MODEL, provider: "anthropic", effective_from, bands: [band] }];
    await system().operator.call({ method: "POST", path: "/v1/price-book", body: { source: "a price list", rates } });
  }

  test("an imported rate prices the next call; a call that has begun keeps the rate that it was reserved at", async () => {
    const held = { step: "hold", name: "before-the-rise", do: { step: "answer_json", json: WRONG } } as const;
    const it = await submit(system(), { terms: CASCADE, steps: [held, answer(RIGHT)] });
    await it.reached("held");
    // Shipped: 10 and 50 USD per million tokens. From now on a tenth more.
    await importRate("11", "55");
    // Each worker of the tier reads the book for itself: what one knows, another may not until its own is out of date.
    const knownToAllAtMs = performance.now() + PRICE_BOOK_TTL_MS;
    await until(async () => performance.now() > knownToAllAtMs && (await costPerToken()) === 11_000n, SEEN);
    expect(system().simulator.release("before-the-rise")).toBe(1);
    const job = await it.closed();
    const [first, second] = it.billed();
    expect(costs(job)).toEqual([bill(first, 10_000n), bill(second, 11_000n)]);
    expect(nanosOf(job.cost)).toBe(bill(first, 10_000n) + bill(second, 11_000n));
  });

  /** What a token of input costs just now, by a job that is tried once. */
  async function costPerToken(): Promise<bigint> {
    const { it, job } = await settle(system(), { terms: CASCADE });
    const [billed] = it.billed();
    return [10_000n, 11_000n].find((price) => bill(billed, price) === nanosOf(job.cost)) ?? 0n;
  }
}

function costs(job: OperatorJobBody): readonly bigint[] {
  return (job.attempt_list ?? []).map((attempt) => nanosOf(attempt.cost));
}

/** Output costs five times what input does, before and after. */
function bill(billed: BilledRecord | undefined, input: bigint): bigint {
  const count = (name: string): bigint => BigInt(Number(billed?.usage[name]));
  return input * count("input_tokens") + input * 5n * count("output_tokens");
}
