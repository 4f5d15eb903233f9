import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Nanos, nanos, ZERO } from "../money.ts";
import type { PriceTerms } from "../pricing/price.ts";
import { NONE, ratio } from "../ratio.ts";
import { type Cohort, cohortOf, type PricedJobs } from "./cohort.ts";
import { isAttainable, type PricingGoal, type Recommendation, recommendPrice } from "./recommendation.ts";

const DOLLAR = nanos(1_000_000_000n);
const binary: PriceTerms = { shape: "binary", amount: DOLLAR };
const FREE: PricingGoal = { margin: NONE, feeShare: NONE, feeFixed: ZERO };

/** One closed job: what it cost, and what share of a dollar it was charged and kept, in thousandths. */
interface ClosedJob {
  readonly cost: Nanos;
  readonly thousandths: number;
  readonly credited: number;
}

function priced(job: ClosedJob): PricedJobs {
  const part = (thousandths: number): Nanos => nanos(BigInt(thousandths) * 1_000_000n);
  const charged = job.thousandths > 0;
  return {
    price: binary,
    success: Number(charged),
    partial: 0,
    failed: Number(!charged),
    cost: job.cost,
    billed: Number(charged),
    charged: part(job.thousandths),
    credited: part(Math.min(job.credited, job.thousandths)),
  };
}

const cost = fc.bigInt({ min: 1n, max: 10n ** 10n }).map(nanos);
const failure = fc.record({ cost, thousandths: fc.constant(0), credited: fc.constant(0) });
const delivered = fc.record({ cost, thousandths: fc.constantFrom(500, 1_000), credited: fc.constantFrom(0, 0, 100) });
/** At least 30 jobs, some of them delivered. */
const jobs = fc
  .tuple(fc.array(delivered, { minLength: 1, maxLength: 40 }), fc.array(failure, { minLength: 30, maxLength: 40 }))
  .map(([some, others]) => [...some, ...others]);
const goal = fc.record({
  margin: fc.bigInt({ min: 0n, max: 600n }).map((n) => ratio(n, 1_000n)),
  feeShare: fc.bigInt({ min: 0n, max: 399n }).map((n) => ratio(n, 1_000n)),
  feeFixed: fc.bigInt({ min: 0n, max: 10n ** 9n }).map(nanos),
});

type Estimate = Extract<Recommendation, { status: "point_estimate" }>;

function estimate(cohort: Cohort, wanted: PricingGoal = FREE): Estimate {
  const recommendation = recommendPrice(cohort, wanted);
  if (recommendation.status !== "point_estimate") throw new Error(recommendation.reason);
  return recommendation;
}

function of(list: readonly ClosedJob[]): Cohort {
  return cohortOf(list.map(priced));
}

describe("the cost of an outcome", () => {
  test("is the cost of all jobs for each that was billed: two of three fail, so that an outcome costs three times a job", () => {
    const list = Array.from({ length: 30 }, (_, n) => ({
      cost: nanos(100n),
      thousandths: n % 3 === 0 ? 1_000 : 0,
      credited: 0,
    }));
    expect(estimate(of(list))).toEqual({ status: "point_estimate", costPerBillable: 300n, floor: 300n, target: 300n });
  });

  test("is never below the mean cost of the jobs that were delivered", () => {
    fc.assert(
      fc.property(jobs, (list) => {
        const successes = list.filter((job) => job.thousandths > 0);
        const spent = successes.reduce((total, job) => total + job.cost, 0n);
        expect(estimate(of(list)).costPerBillable * BigInt(successes.length) > spent).toBe(true);
      }),
    );
  });

  test("rises with every failure, by exactly its cost spread over what was billed", () => {
    fc.assert(
      fc.property(jobs, cost, (list, more) => {
        const before = of(list);
        const after = of([...list, { cost: more, thousandths: 0, credited: 0 }]);
        expect(after.billable).toEqual(before.billable);
        expect(after.cost).toBe(before.cost + more);
        expect(estimate(after).costPerBillable >= estimate(before).costPerBillable).toBe(true);
        const dear = of([...list, { cost: nanos(more + 10n ** 12n), thousandths: 0, credited: 0 }]);
        expect(estimate(dear).floor > estimate(before).floor).toBe(true);
      }),
    );
  });

  test("rises with a credit, and with a partial in the place of a success", () => {
    const list = Array.from({ length: 40 }, () => ({ cost: nanos(1_000n), thousandths: 1_000, credited: 0 }));
    const [first, ...rest] = list;
    if (first === undefined) throw new Error("no jobs");
    const base = estimate(of(list)).costPerBillable;
    expect(base).toBe(1_000n);
    expect(estimate(of([{ ...first, credited: 1_000 }, ...rest])).costPerBillable).toBe(1_026n);
    expect(estimate(of([{ ...first, thousandths: 500 }, ...rest])).costPerBillable).toBe(1_013n);
  });

  test("depends neither on the order of the jobs nor on their number", () => {
    fc.assert(
      fc.property(jobs, (list) => {
        const whole = estimate(of(list));
        expect(estimate(of(list.toReversed()))).toEqual(whole);
        expect(estimate(of([...list, ...list]))).toEqual(whole);
      }),
    );
  });

  test("weighs each job by the price that it was accepted under", () => {
    const parts = (amount: bigint): PricedJobs => ({
      ...priced({ cost: nanos(600n), thousandths: 1_000, credited: 0 }),
      price: { shape: "binary", amount: nanos(amount) },
      charged: nanos(amount),
    });
    const { billable } = cohortOf([parts(7n), parts(3n), parts(5n)]);
    expect(billable.numerator).toBe(3n * billable.denominator);
  });
});

describe("floor and target", () => {
  test("at the floor the fees and all costs are paid, and a nano less would not do", () => {
    fc.assert(
      fc.property(jobs, goal, (list, wanted) => {
        const { costPerBillable, floor } = estimate(of(list), wanted);
        expect(isLeft(floor, wanted, NONE, costPerBillable)).toBe(true);
        expect(isLeft(floor - 1n, wanted, NONE, costPerBillable)).toBe(false);
      }),
    );
  });

  test("at the target the margin is left besides, and a nano less would not do", () => {
    fc.assert(
      fc.property(jobs, goal, (list, wanted) => {
        const { costPerBillable, target, floor } = estimate(of(list), wanted);
        expect(isLeft(target, wanted, wanted.margin, costPerBillable)).toBe(true);
        expect(isLeft(target - 1n, wanted, wanted.margin, costPerBillable)).toBe(false);
        expect(target >= floor).toBe(true);
      }),
    );
  });

  test("a margin of 40 % on a cost of 0.06 is a price of 0.10", () => {
    const list = Array.from({ length: 30 }, () => ({ cost: nanos(60_000_000n), thousandths: 1_000, credited: 0 }));
    const wanted = { margin: ratio(4n, 10n), feeShare: NONE, feeFixed: ZERO };
    expect(estimate(of(list), wanted)).toMatchObject({ floor: 60_000_000n, target: 100_000_000n });
  });

  test.each([
    [ratio(1n, 1n), NONE],
    [NONE, ratio(1n, 1n)],
    [ratio(6n, 10n), ratio(4n, 10n)],
  ])("a goal that leaves nothing for the costs is refused", (margin, feeShare) => {
    const wanted = { margin, feeShare, feeFixed: ZERO };
    expect(isAttainable(wanted)).toBe(false);
    expect(() => recommendPrice(of([]), wanted)).toThrow(RangeError);
  });
});

describe("too little is known", () => {
  const success = { cost: nanos(1n), thousandths: 1_000, credited: 0 };
  test.each([
    ["of 29 jobs", Array.from({ length: 29 }, () => success), "too_few_jobs"],
    ["of no jobs", [], "too_few_jobs"],
    ["of jobs that all failed", Array.from({ length: 30 }, () => ({ ...success, thousandths: 0 })), "nothing_billed"],
    [
      "of jobs that were all credited",
      Array.from({ length: 30 }, () => ({ ...success, credited: 1_000 })),
      "nothing_billed",
    ],
  ])("%s", (_, list, reason) => {
    expect(recommendPrice(of(list), FREE)).toEqual({ status: "insufficient_data", reason });
  });
});

/** Whether a price leaves at least this share of itself after the fees and the cost. */
function isLeft(
  price: bigint,
  { feeShare, feeFixed }: PricingGoal,
  margin: PricingGoal["margin"],
  due: Nanos,
): boolean {
  const denominator = feeShare.denominator * margin.denominator;
  const shares = feeShare.numerator * margin.denominator + margin.numerator * feeShare.denominator;
  return price * (denominator - shares) >= (due + feeFixed) * denominator;
}
