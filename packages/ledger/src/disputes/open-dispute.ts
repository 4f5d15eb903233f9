/** A customer contests a charge: the dispute with what the validators say to it, and its revenue put in doubt. */
import { disputeOpened } from "@contingent/core/books/after-charge";
import { type Opening, openingOf } from "@contingent/core/books/disputes";
import type { DisputeId, JobId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import { type Nanos, nanos } from "@contingent/core/money";
import { newId } from "@contingent/db/ids";
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";
import { storableJsonText } from "@contingent/db/storable";
import { book } from "../book.ts";
import { lockCharge, type LockedCharge } from "./charge-lock.ts";

export interface DisputeRequest {
  readonly jobId: JobId;
  readonly reason: string;
  /** Null: all that is left of the charge. */
  readonly asked: Nanos | null;
  /** What the validators said when they were run again, as it is shown. */
  readonly reverification: JsonObject;
}

export type OpenedDispute =
  | { readonly kind: "opened"; readonly id: DisputeId }
  /** It was asked for before: the dispute of then, however it stands. */
  | { readonly kind: "repeated"; readonly id: DisputeId }
  /** Another dispute of the same charge is open. */
  | { readonly kind: "open_already"; readonly id: DisputeId }
  | { readonly kind: "no_charge" }
  | Exclude<Opening, { readonly kind: "opened" }>;

const EARLIER = `
  SELECT id, state = 'open' AS is_open, reason = $2 AND asked_nanos IS NOT DISTINCT FROM $3::bigint AS is_same
    FROM dispute WHERE job_id = $1`;

const OPEN = `
  INSERT INTO dispute (id, job_id, customer_id, charge_nanos, reason, asked_nanos, amount_nanos, reverification, opened_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9::float8 / 1000))`;

/** Opens a dispute, or says why not. Safe to repeat: the same reason and amount are the same dispute. */
export async function openDispute(pool: Pool, request: DisputeRequest): Promise<OpenedDispute> {
  return await transaction(pool, async (client) => {
    const charge = await lockCharge(client, request.jobId);
    if (charge === null) return { kind: "no_charge" };
    const earlier = await earlierDispute(client, request);
    if (earlier !== null) return earlier;
    const opening = openingOf(charge, request.asked, charge.nowMs);
    if (opening.kind !== "opened") return opening;
    return { kind: "opened", id: await open(client, charge, request, opening.amount) };
  });
}

async function earlierDispute(client: Queryable, request: DisputeRequest): Promise<OpenedDispute | null> {
  const { rows } = await client.query<{ id: DisputeId; is_open: boolean; is_same: boolean }>({
    name: "earlier-disputes",
    text: EARLIER,
    values: [request.jobId, request.reason, request.asked],
  });
  const same = rows.find((row) => row.is_same);
  if (same !== undefined) return { kind: "repeated", id: same.id };
  const open = rows.find((row) => row.is_open);
  return open === undefined ? null : { kind: "open_already", id: open.id };
}

async function open(
  client: Queryable,
  charge: LockedCharge,
  { reason, asked, reverification }: DisputeRequest,
  amount: Nanos,
): Promise<DisputeId> {
  const { jobId, customerId, currency, charged, nowMs: atMs } = charge;
  const id = newId("dsp");
  await client.query({
    name: "open-dispute",
    text: OPEN,
    values: [id, jobId, customerId, charged, reason, asked, amount, storableJsonText(reverification), atMs],
  });
  await book(client, [
    { transaction: disputeOpened({ id, jobId, customerId, amount: nanos(amount) }), currency, atMs },
  ]);
  return id;
}
