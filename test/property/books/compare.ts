/** Holds a run's books against the reference, to the nano. */
import assert from "node:assert/strict";
import { earnDue } from "@contingent/ledger/earn";
import { expireGrants } from "@contingent/ledger/expire";
import { accountOf } from "@contingent/testkit/customers";
import { finishClosing } from "./perform-money.ts";
import type { Run } from "./run.ts";

const AT_ONCE_MAX = 500;

/** Every account that the run's transactions have moved. */
const BALANCES = `
  SELECT p.account_class, p.account_of, sum(p.amount_nanos)::bigint AS total
    FROM ledger_transaction t JOIN posting p ON p.transaction_id = t.id
   WHERE t.customer_id = ANY($1) OR t.job_id IN (SELECT id FROM job WHERE customer_id = ANY($1))
   GROUP BY 1, 2`;

const GRANTS = `
  SELECT id, customer_id, kind, amount_nanos AS amount, available_nanos AS available
    FROM credit_grant WHERE customer_id = ANY($1) ORDER BY id`;

interface GrantRow {
  readonly id: string;
  readonly customer_id: string;
  readonly kind: string;
  readonly amount: bigint;
  readonly available: bigint;
}

/** Ends what is due, and compares everything that both sides keep. */
export async function expectSameBooks(run: Run): Promise<void> {
  for (const index of run.customers.keys()) await finishClosing(run, index);
  while ((await expireGrants(run.pool)) > 0);
  while ((await earnDue(run.pool, AT_ONCE_MAX)) === AT_ONCE_MAX);
  run.reference.end();
  const names = await expectSameGrants(run);
  const { rows } = await run.pool.query<{ account_class: string; account_of: string; total: bigint }>(BALANCES, [
    [...run.customers],
  ]);
  const booked = rows.map((row) => {
    const of = names.get(row.account_of) ?? row.account_of;
    return [`${row.account_class} ${of}`, row.total] as const;
  });
  assert.deepEqual(nonZero(booked), nonZero([...run.reference.balances]), "the accounts differ");
  for (const [index, id] of run.customers.entries()) {
    const { held, spent } = await accountOf(run.pool, id);
    const { limit } = run.reference.customer(index);
    const expected = { held: run.reference.held(index), spent: run.reference.spent(index, limit?.period ?? "month") };
    assert.deepEqual({ held, spent }, expected, `the account of ${id} differs`);
  }
}

/** @returns what the reference calls the customers and grants that the database knows by their ids */
async function expectSameGrants(run: Run): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>(run.customers.map((id, index) => [id, String(index)]));
  const { rows } = await run.pool.query<GrantRow>(GRANTS, [[...run.customers]]);
  for (const [index, id] of run.customers.entries()) {
    const own = rows.filter((row) => row.customer_id === id);
    for (const [at, row] of own.entries()) names.set(row.id, `${index}.${at}`);
    const found = own.map(({ kind, amount, available }) => ({ kind, amount, available }));
    const expected = run.reference
      .customer(index)
      .grants.map(({ kind, amount, available }) => ({ kind, amount, available }));
    assert.deepEqual(found, expected, `the grants of ${id} differ`);
  }
  return names;
}

function nonZero(balances: readonly (readonly [string, bigint])[]): Readonly<Record<string, bigint>> {
  const sorted = balances.filter(([, total]) => total !== 0n).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(sorted);
}
