/** A customer's months at the API: the clock is moved, never waited for. */
import { type StatementBody, statementSchema } from "@contingent/contracts/http/statements";
import type { JobId, StatementId } from "@contingent/core/ids";
import { nanos, ZERO } from "@contingent/core/money";
import type { CustomerTerms } from "@contingent/core/pricing/rating/customer-terms";
import { type Period, periodAfter, periodAt, statementIdOf } from "@contingent/core/statement/period";
import { issueCreditNote } from "@contingent/ledger/disputes/credit-note";
import { publishTerms } from "@contingent/db/customer-terms";
import { newId } from "@contingent/db/ids";
import { answer, happens, judge, take } from "@contingent/testkit/jobs";
import { type Api, claim, JOB, SUCCEED } from "./harness.ts";

const DAY_MS = 86_400_000;

/** The first whole month after now, and those that follow. */
export function month(n: number): Period {
  let period = periodAfter(periodAt(Date.now()));
  for (let i = 0; i < n; i += 1) period = periodAfter(period);
  return period;
}

export function statementId(api: Api, n: number): StatementId {
  return statementIdOf(api.customerId, month(n));
}

/** Sets the customer's clock to a day of a month. */
export async function moveTo(api: Api, n: number, day = 2): Promise<void> {
  await api.pool.query({
    text: "UPDATE customer_account SET clock_offset = to_timestamp($2::float8 / 1000) - clock_timestamp() WHERE customer_id = $1",
    values: [api.customerId, month(n).startMs + (day - 1) * DAY_MS],
  });
}

export async function agree(api: Api, terms: Partial<CustomerTerms>): Promise<void> {
  const none = { prices: {}, outcomeTypes: {}, discountShare: 0, discountFixed: ZERO, commitmentMinimum: ZERO };
  const definition = { nth: newId("req") };
  await publishTerms(api.pool, api.customerId, { definition, terms: { ...none, ...terms }, effectiveFromMs: null });
}

/** A job that is delivered and charged. */
export async function charged(api: Api, outcomeKey?: string): Promise<JobId> {
  const { id } = await api.customer.submit({
    ...JOB,
    ...(outcomeKey === undefined ? {} : { outcome_key: outcomeKey }),
  });
  await take(api.pool, id, ...SUCCEED);
  return id;
}

/** A job that comes to nothing. */
export async function unbilled(api: Api): Promise<JobId> {
  const { id } = await api.customer.submit(JOB);
  await take(api.pool, id, claim(), answer(), judge("fail"), happens("cancel"), happens("settled"));
  return id;
}

export const CREDIT_REASON = "The <b>total</b> was wrong.";

/** A credit note off what the customer owes. */
export async function credited(api: Api, jobId: JobId, amount: bigint): Promise<void> {
  const note = { jobId, amount: nanos(amount), reason: CREDIT_REASON, ref: newId("req") };
  const issued = await issueCreditNote(api.pool, note);
  if (issued.kind !== "issued") throw new Error(`there is no credit note: ${issued.kind}`);
}

/** Closes the n-th month, a day after its end. */
export async function closed(api: Api, n: number): Promise<StatementBody> {
  await moveTo(api, n + 1);
  const path = `/v1/statements/${statementId(api, n)}/close`;
  return statementSchema.parse(await api.operator.call({ method: "POST", path }));
}
