/** What customers and the operator should be told of accounts: written where it happens, read here. */
import type { CustomerId, EventId } from "@contingent/core/ids";
import type { JsonObject } from "@contingent/core/json";
import { msOf } from "./job-row.ts";
import type { Queryable } from "./pool.ts";

export interface CustomerEvent {
  readonly id: EventId;
  readonly customerId: CustomerId;
  readonly type: string;
  readonly data: JsonObject;
  /** By the customer's clock, ms since the epoch. */
  readonly atMs: number;
}

interface EventRow {
  readonly id: EventId;
  readonly customer_id: CustomerId;
  readonly type: string;
  readonly data: JsonObject;
  readonly at_ms: number;
}

export interface CustomerEventFilter {
  /** Everybody's unless given. */
  readonly customerId?: CustomerId | undefined;
  readonly type?: string | undefined;
}

/** Events in the order in which they were written, newest first, those before the given one. Takes no lock. */
export async function listCustomerEvents(
  db: Queryable,
  filter: CustomerEventFilter,
  page: { readonly before: string | null; readonly limit: number },
): Promise<readonly CustomerEvent[]> {
  const { rows } = await db.query<EventRow>({
    text: `SELECT id, customer_id, type, data, ${msOf("at")} AS at_ms FROM customer_event
            WHERE ($1::text IS NULL OR customer_id = $1) AND ($2::text IS NULL OR type = $2) AND ($3::text IS NULL OR id < $3)
            ORDER BY id DESC LIMIT $4`,
    values: [filter.customerId ?? null, filter.type ?? null, page.before, page.limit],
  });
  return rows.map(({ id, customer_id: customerId, type, data, at_ms: atMs }) => ({ id, customerId, type, data, atMs }));
}
