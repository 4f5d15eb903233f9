/** Hazard: a job that waits for its customer's account while new terms are published, and is accepted at the old price. */
import { nanos } from "@contingent/core/money";
import type { CustomerTerms } from "@contingent/core/pricing/rating/customer-terms";
import { publishTerms } from "@contingent/db/customer-terms";
import { customerWith } from "@contingent/testkit/customers";
import { acceptedJob, loadedJob, OUTCOME_TYPE } from "@contingent/testkit/jobs";
import { until } from "@contingent/testkit/until";
import { expect, test } from "vitest";
import { databaseOfThisFile } from "./open.ts";

const db = databaseOfThisFile();

function termsAt(amount: bigint): CustomerTerms {
  const prices = { [OUTCOME_TYPE]: { shape: "binary", amount: nanos(amount) } } as const;
  return { prices, outcomeTypes: {}, discountShare: 0, discountFixed: nanos(0n), commitmentMinimum: nanos(0n) };
}

async function waiters(count: number): Promise<void> {
  const text =
    "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'";
  const waiting = async (): Promise<boolean> => (await db.pool.query(text)).rowCount === count;
  await until(waiting, { timeoutMs: 10_000, intervalMs: 5, what: `${count} statements to wait for the account` });
}

test("a job is accepted under the terms that came into force while it waited for the account", async () => {
  const { id: customerId } = await customerWith(db.pool);
  // Both have been loaded before: the race is about the account alone.
  await acceptedJob(db.pool, { customerId });
  const holder = await db.pool.connect();
  await holder.query("BEGIN");
  await holder.query("SELECT FROM customer_account WHERE customer_id = $1 FOR UPDATE", [customerId]);
  const publishing = publishTerms(db.another(1), customerId, {
    definition: { version: 1 },
    terms: termsAt(777n),
    effectiveFromMs: null,
  });
  await waiters(1);
  const accepting = acceptedJob(db.pool, { customerId });
  await waiters(2);
  await holder.query("COMMIT");
  holder.release();

  expect(await publishing).toMatchObject({ kind: "published", isNew: true });
  expect((await loadedJob(db.pool, await accepting)).hold.amount).toBe(777n);
});
