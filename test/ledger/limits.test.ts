/** Hazard: a spending limit that forgets open holds, carries charges into the next period, or tells of itself again and again. */
import type { CustomerId, JobId } from "@contingent/core/ids";
import { changeBilling } from "@contingent/db/customer-billing";
import { listCustomerEvents } from "@contingent/db/customer-events";
import { nanos } from "@contingent/core/money";
import { checkBooks } from "@contingent/ledger/check-books";
import { accountOf, clockMoved, customerWith } from "@contingent/testkit/customers";
import { acceptedJob, answer, claim, driveTo, happens, judge, partsOf, take } from "@contingent/testkit/jobs";
import { describe, expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";

const db = databaseOfThisFile();
/** Of core's fixture: what is held for a job, and charged for a success. */
const HOLD = 500n;
const DAY_MS = 24 * 3_600_000;
const SUCCEED = [claim(), answer(), judge("pass"), happens("settled")] as const;
const FAIL = [happens("cancel"), happens("settled")] as const;
/** Longer than the clock is moved by in these tests. */
const PATIENT = { terms: { deadlineMs: 400 * DAY_MS } };

const submit = (customerId: CustomerId): Promise<JobId> => acceptedJob(db.pool, { customerId, ...PATIENT });

async function expectRefused(customerId: CustomerId): Promise<void> {
  await expect(submit(customerId)).rejects.toThrow("spending_limit");
}

async function toldOf(customerId: CustomerId): Promise<readonly unknown[]> {
  const events = await listCustomerEvents(db.pool, { customerId }, { before: null, limit: 100 });
  return events.map(({ data }) => data["share"]).toReversed();
}

/** The customer's clock at the beginning of the next day or month. */
async function nextPeriod(customerId: CustomerId, period: "day" | "month"): Promise<void> {
  const { nowMs } = await accountOf(db.pool, customerId);
  const next = new Date(nowMs);
  if (period === "day") next.setUTCDate(next.getUTCDate() + 1);
  else next.setUTCMonth(next.getUTCMonth() + 1, 1);
  next.setUTCHours(0, 0, 0, 0);
  await clockMoved(db.pool, customerId, { toMs: next.getTime() });
}

describe("a limit", () => {
  test("counts open holds at what they may cost, and gives back what a failure does not", async () => {
    const { id } = await customerWith(db.pool, { limit: { amount: 2n * HOLD, period: "day" } });
    const [first] = [await submit(id), await submit(id)];
    await expectRefused(id);
    await take(db.pool, first, ...FAIL);
    await submit(id);
    await expectRefused(id);
    expect(await accountOf(db.pool, id)).toMatchObject({ held: 2n * HOLD, spent: 0n });
  });

  test.each(["day", "month"] as const)("of a %s is new at its end, but for what is still held", async (period) => {
    const { id } = await customerWith(db.pool, { limit: { amount: 3n * HOLD, period } });
    const held = await submit(id);
    await driveTo(db.pool, "closed", { customerId: id });
    await driveTo(db.pool, "closed", { customerId: id });
    await expectRefused(id);
    await nextPeriod(id, period);
    expect(await accountOf(db.pool, id)).toMatchObject({ held: HOLD, spent: 0n });
    await submit(id);
    await submit(id);
    await expectRefused(id);
    // The old hold is charged in the new period.
    await take(db.pool, held, ...SUCCEED);
    expect(await accountOf(db.pool, id)).toMatchObject({ held: 2n * HOLD, spent: HOLD });
    await expectRefused(id);
  });

  test("that is lowered below what is in use says by how much, until that is used no more", async () => {
    const { id } = await customerWith(db.pool, { limit: { amount: 4n * HOLD, period: "month" } });
    const jobs = [await submit(id), await submit(id), await submit(id)];
    const limit = { amount: nanos(HOLD), period: "month" } as const;
    const settings = { billing: "on_account", limit, alertShares: [], alertBelow: null, openJobsMax: null } as const;
    expect(await changeBilling(db.pool, id, settings)).toBe("changed");
    expect((await accountOf(db.pool, id)).limit).toMatchObject({ amount: HOLD, floor: 3n * HOLD });
    await Promise.all(jobs.map((job, n) => take(db.pool, job, ...(n === 0 ? SUCCEED : FAIL))));
    await expectRefused(id);
    await nextPeriod(id, "month");
    await submit(id);
  });

  test("of nothing accepts nothing", async () => {
    const { id } = await customerWith(db.pool, { limit: { amount: 0n, period: "day" } });
    await expectRefused(id);
    expect(await accountOf(db.pool, id)).toMatchObject({ held: 0n, spent: 0n });
  });
});

describe("a threshold of the limit", () => {
  test("is told once in a period, whoever crosses it how often, and again in the next one", async () => {
    const limit = { amount: 4n * HOLD, period: "day" } as const;
    const { id } = await customerWith(db.pool, { limit, alertShares: [0.5, 1] });
    const first = await submit(id);
    expect(await toldOf(id)).toEqual([]);
    await submit(id);
    expect(await toldOf(id)).toEqual([0.5]);
    await take(db.pool, first, ...FAIL);
    const crossing = await Promise.all([submit(id), submit(id), submit(id)]);
    expect(await toldOf(id)).toEqual([0.5, 1]);
    await Promise.all(crossing.map((job) => take(db.pool, job, ...FAIL)));
    await nextPeriod(id, "day");
    await submit(id);
    expect(await toldOf(id)).toEqual([0.5, 1, 0.5]);
  });

  test("that one job passes with another one is told together with it", async () => {
    const { id } = await customerWith(db.pool, { limit: { amount: HOLD, period: "day" }, alertShares: [0.2, 0.9] });
    await submit(id);
    expect(new Set(await toldOf(id))).toEqual(new Set([0.2, 0.9]));
  });
});

test("and after all of it every invariant holds", async () => {
  const results = await checkBooks(db.pool, partsOf(db.pool).versions);
  expect(results.filter((r) => r.violations.length > 0)).toEqual([]);
});
