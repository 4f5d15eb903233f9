/** Hazard: a transaction that waits for a second connection with locks in hand. When all of a pool do, all of them wait. */
import { nanos } from "@contingent/core/money";
import { statementIdOf } from "@contingent/core/statement/period";
import { closeStatement } from "@contingent/ledger/statement/close";
import { newJob, partsOf } from "@contingent/testkit/jobs";
import { expect, test } from "vitest";
import { databaseOfThisFile } from "../db/open.ts";
import { Billed } from "./billing.ts";

const db = databaseOfThisFile();
const AGREED = { commitmentMinimum: nanos(1_000_000_000n) };

test("a customer with terms needs one connection to have a job accepted", async () => {
  const { id: customerId } = await Billed.open(db.pool, AGREED);
  const job = await newJob(db.pool, { customerId });
  expect(await partsOf(db.another(1)).accept(job)).toMatchObject({ kind: "accepted" });
});

test("and one to have a month closed", async () => {
  const customer = await Billed.open(db.pool, AGREED);
  await customer.moveTo(1);
  const id = statementIdOf(customer.id, customer.first);
  expect(await closeStatement(db.another(1), id)).toEqual({ kind: "begun", id });
});
