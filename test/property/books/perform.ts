/** Each operation by its name. */
import { earnDue } from "@contingent/ledger/earn";
import { expireGrants } from "@contingent/ledger/expire";
import { sealWindow } from "@contingent/ledger/bookkeeping/seal";
import type { Pool } from "@contingent/db/pool";
import { surviving } from "./dying.ts";
import { inWords, type Operation, type OperationKind, pick } from "./operation.ts";
import { answer, deliver, race, resubmit, says, submit, sweep, twins } from "./perform-jobs.ts";
import * as money from "./perform-money.ts";
import type { Run } from "./run.ts";

/** @returns false where it had nothing to act on, and nothing happened */
type Perform = (run: Run, operation: Operation) => Promise<boolean>;

const EARNED_AT_ONCE_MAX = 500;

const PERFORM: Readonly<Record<OperationKind, Perform>> = {
  submit,
  resubmit,
  race,
  deliver: (run, operation) => deliver(run, operation),
  duplicate: (run, operation) => deliver(run, operation, true),
  twins,
  drop: async (run, { at }) => loses(run.messages, at),
  answer,
  vanish: async (run, { at }) => loses(run.calls, at),
  sweep,
  accept: (run, operation) => says(run, "accepted", operation),
  reject: (run, operation) => says(run, "rejected", operation),
  cancel: (run, operation) => says(run, "cancel", operation),
  advance: money.advance,
  topUp: money.topUp,
  limit: money.limit,
  terms: money.terms,
  correct: money.correct,
  dispute: money.dispute,
  resolve: money.resolve,
  credit: money.credit,
  // These look for what is due of everybody's. Somebody else's run may have done it just before.
  expire: (run, operation) => everybody(run, operation, expireGrants),
  earn: (run, operation) => everybody(run, operation, (pool) => earnDue(pool, EARNED_AT_ONCE_MAX)),
  seal: (run, operation) => everybody(run, operation, sealWindow),
  close: money.close,
  pay: money.pay,
};

async function everybody(run: Run, operation: Operation, does: (pool: Pool) => Promise<unknown>): Promise<true> {
  await surviving(run.pool, money.deathOf(operation), does);
  return true;
}

function loses(from: unknown[], at: number): boolean {
  const lost = pick([...from.keys()], at);
  if (lost === undefined) return false;
  from.splice(lost, 1);
  return true;
}

/** Does the operation. Where there is nothing to do it to, what was begun goes on, or something is begun. */
export async function perform(run: Run, operation: Operation): Promise<void> {
  run.log.push(inWords(operation));
  for (const does of [PERFORM[operation.do], answer, PERFORM.deliver, submit]) {
    if (await does(run, operation)) return;
  }
}
