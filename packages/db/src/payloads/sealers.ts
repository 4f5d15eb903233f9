/** Whose text it is, where only the job is known that it belongs to. */
import type { CustomerId, JobId } from "@contingent/core/ids";
import { batched } from "../batch.ts";
import type { Queryable } from "../pool.ts";
import { remembering } from "../remember.ts";
import { type Payloads, PLAIN, type Sealer } from "./payloads.ts";

const CUSTOMERS_KEPT_MAX = 10_000;

// By primary key; a job never changes hands.
const CUSTOMERS = "SELECT id, customer_id FROM job WHERE id = ANY ($1::text[])";

/** Sealers for texts of jobs. */
export function sealersOfJobs(db: Queryable, payloads: Payloads): (id: JobId) => Promise<Sealer> {
  // Nothing is looked up where nothing is sealed.
  if (payloads === PLAIN) return () => PLAIN.sealer("cus_nobody");
  const customerOf = remembering(
    batched<JobId, CustomerId>({
      run: async (ids) => {
        const { rows } = await db.query<{ id: JobId; customer_id: CustomerId }>({ text: CUSTOMERS, values: [ids] });
        const found = new Map(rows.map((row) => [row.id, row.customer_id]));
        return ids.map((id) => found.get(id) ?? new Error(`there is no job ${id}`));
      },
    }),
    CUSTOMERS_KEPT_MAX,
  );
  return async (id) => await payloads.sealer(await customerOf(id));
}
