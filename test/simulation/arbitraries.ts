/** Terms, prices and circumstances of every kind that a job may meet. */
import type { CascadeStep, Terms } from "@contingent/core/outcome-type";
import { rate } from "@contingent/core/job/job.fixture";
import { nanos, ZERO } from "@contingent/core/money";
import fc from "fast-check";
import type { Setting } from "./deeds.ts";

const MODELS = ["a", "b", "c", "d", "e"] as const;

const retry = fc.record({
  initialDelayMs: fc.constantFrom(0, 1, 500, 5_000),
  multiplier: fc.constantFrom(1, 2, 3),
  jitter: fc.constantFrom(0, 0.2, 1),
  delayMaxMs: fc.constantFrom(1_000, 30_000),
});

const step: fc.Arbitrary<CascadeStep> = fc.record({
  tier: fc.constantFrom("fast", "standard", "premium"),
  models: fc
    .tuple(fc.constantFrom(...MODELS), fc.array(fc.constantFrom(...MODELS), { maxLength: 2 }))
    .map(([first, others]): CascadeStep["models"] => [first, ...others]),
  attemptsMax: fc.integer({ min: 1, max: 3 }),
  retry,
  timeoutMs: fc.constantFrom(500, 5_000, 60_000),
  timeNeededMs: fc.constantFrom(0, 500, 20_000),
  successAt: fc.constant(null),
});

const cascade = fc
  .tuple(step, fc.array(step, { maxLength: 3 }))
  .map(([first, others]): Terms["cascade"] => [first, ...others]);

const outputTokens = fc
  .tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 400 }))
  .map(([min, more, most]) => ({ min, start: min + more, max: min + more + most }));

const acceptance: fc.Arbitrary<Terms["acceptance"]> = fc.oneof(
  fc.constant({ mode: "automatic" } as const),
  fc.record({
    mode: fc.constantFrom("window" as const, "explicit" as const),
    durationMs: fc.constantFrom(1, 10_000, 200_000),
    onSilence: fc.constantFrom("accept" as const, "release" as const),
  }),
);

const price: fc.Arbitrary<Terms["price"]> = fc.oneof(
  fc.constant({ shape: "binary", amount: nanos(1_000n) } as const),
  fc.constant({
    shape: "tiered",
    amount: nanos(999n),
    bands: [
      { fromScore: 0.2, fraction: 0.333 },
      { fromScore: 0.8, fraction: 1.5 },
    ],
  } as const),
  fc.constant({ shape: "linear", amount: nanos(1_000n), floor: nanos(200n), ceiling: nanos(900n) } as const),
  fc.constant({ shape: "value", rate: 0.5, path: "/recovered", min: ZERO, max: nanos(1_500n) } as const),
);

/** In half of the worlds verdicts cost something: a trifle, about as much as an answer, or more than most caps have room for. */
const validation: fc.Arbitrary<Terms["validation"]> = fc.option(
  fc.record({
    provider: fc.constant("judges"),
    name: fc.constant("court"),
    cost: fc.oneof(fc.bigInt({ min: 1n, max: 100n }), fc.bigInt({ min: 1n, max: 100_000n })).map(nanos),
  }),
  { nil: null, freq: 2 },
);

/** And in half of them somebody has to be asked, for as much. */
const inquiryReserve = fc.oneof(
  fc.constant(0n),
  fc.oneof(fc.bigInt({ min: 1n, max: 100n }), fc.bigInt({ min: 1n, max: 50_000n })),
);

export const terms: fc.Arbitrary<Terms> = fc.record({
  cascade,
  attemptsMax: fc.integer({ min: 1, max: 10 }),
  outputTokens,
  costCap: fc.bigInt({ min: 1n, max: 200_000n }).map(nanos),
  deadlineMs: fc.constantFrom(1_000, 60_000, 300_000, 600_000, 3_600_000),
  successAt: fc.constant(0.8),
  partialAt: fc.constant(0.2),
  price,
  validation,
  inquiryReserve: inquiryReserve.map(nanos),
  acceptance,
  rework: fc.boolean(),
  disputeWindowMs: fc.constant(0),
});

/** Some models have no known price. */
export const rates = fc
  .tuple(
    ...MODELS.map((model) =>
      fc.option(fc.tuple(fc.constant(model), fc.nat(20), fc.integer({ min: 1, max: 100 })), { freq: 10 }),
    ),
  )
  .map((list) => list.flatMap((r) => (r === null ? [] : [rate(r[0], BigInt(r[1]), BigInt(r[2]))])));

export const setting: fc.Arbitrary<Setting> = fc.record({
  terms,
  rates,
  inputTokens: fc.integer({ min: 1, max: 300 }),
  sweepLagMs: fc.constantFrom(0, 1_000, 20_000, null),
  overruns: fc.boolean(),
});
