/** Jobs that the system could not finish, brought there the way real ones get there. */
import type { DeadLetterBody } from "@contingent/contracts/http/dead-letters";
import type { CustomerId, JobId } from "@contingent/core/ids";
import type { DeadLetterCause } from "@contingent/core/job/dead-letter";
import { answer, happens, take, type TestStep, validatorBreaks } from "@contingent/testkit/jobs";
import { type Api, claim, DEFINITION } from "../harness.ts";

/** A type with one tier, so that whoever vanishes there has vanished to the last. */
export const ONE_TIER = { ...DEFINITION, cascade: [{ tier: "fast" }] };

export const INPUT = { note: "first", document: "A text that nobody else may read." };
export const METADATA = { order: "4711" };

const LOST = [claim(), happens("woke")];
const DEATHS: Readonly<Record<DeadLetterCause, readonly TestStep[]>> = {
  validator_error: [claim(), answer(), validatorBreaks(), validatorBreaks(), validatorBreaks(), happens("woke")],
  worker_lost: [...LOST, ...LOST, ...LOST],
  not_attempted: [happens("woke")],
  not_judged: [claim(), answer(), happens("woke")],
};

export async function submitted(api: Api, outcomeType: string, key?: string): Promise<JobId> {
  const named = key === undefined ? {} : { outcome_key: key };
  const body = { outcome_type: outcomeType, input: INPUT, metadata: METADATA, ...named };
  return (await api.customer.submit(body)).id;
}

/** A job of the type that died of this. */
export async function dead(api: Api, outcomeType: string, cause: DeadLetterCause, key?: string): Promise<JobId> {
  const id = await submitted(api, outcomeType, key);
  await take(api.pool, id, ...DEATHS[cause], happens("settled"));
  return id;
}

export async function letters(api: Api, query: string): Promise<readonly DeadLetterBody[]> {
  const { status, body } = await api.operator.send({ path: `/v1/dead-letters?${query}` });
  if (status !== 200) throw new Error(`the list was answered with ${status}`);
  return (body as { data: readonly DeadLetterBody[] }).data;
}

/** What the customer's jobs hold of its money just now, nanos. */
export async function heldOf(api: Api, id: CustomerId): Promise<bigint> {
  const { rows } = await api.pool.query<{ held_nanos: bigint }>({
    text: "SELECT held_nanos FROM customer_account WHERE customer_id = $1",
    values: [id],
  });
  return rows[0]?.held_nanos ?? 0n;
}
