/**
 * Texts of closed jobs that have been kept for long enough are dropped: in their place stays their hash, for receipts, and
 * for whoever kept the texts and wants to show that it was these.
 *
 * Locks: the rows of the jobs, in the order of their ids, before anything that belongs to them. Indexes: `job_payload_kept`
 * and `job_payload_kept_by_type` find them, the indexes by job what belongs to them.
 */
import type { JobId } from "@contingent/core/ids";
import type { Json } from "@contingent/core/json";
import { type Pool, type Queryable, transaction } from "../pool.ts";
import { BrokenSealError } from "./cipher.ts";
import { hashOfPayload, markDropped } from "./marker.ts";
import { foundText, type Payloads, type Place } from "./payloads.ts";

/** What somebody may still have to look at waits: a dispute or an audit that is not decided. */
const NOBODY_LOOKS = `
  NOT EXISTS (SELECT FROM dispute d WHERE d.open_job_id = j.id)
  AND NOT EXISTS (SELECT FROM audit u WHERE u.job_id = j.id AND u.result IS NULL)`;

// Whose customer's time is over, or who has them erased, which waits for nothing; and whose outcome type's is.
const DUE = `
  (SELECT due.id FROM customer_account a
   CROSS JOIN LATERAL (
     SELECT j.id FROM job j
      WHERE j.customer_id = a.customer_id AND j.closed_at IS NOT NULL AND j.payload_dropped_at IS NULL
        AND j.closed_at <= greatest(
              clock_timestamp() + a.clock_offset - a.payload_retention_days * interval '24 hours', a.payloads_erased_until)
        AND (j.closed_at <= a.payloads_erased_until
             OR (${NOBODY_LOOKS}))
      ORDER BY j.closed_at LIMIT $1) due
   WHERE a.payload_retention_days IS NOT NULL OR a.payloads_erased_until IS NOT NULL
   LIMIT $1)
   UNION
  (SELECT due.id
     FROM (SELECT DISTINCT (resolved ->> 'payloadRetentionDays')::int AS days
             FROM outcome_type_version WHERE resolved ->> 'payloadRetentionDays' IS NOT NULL) kept
    CROSS JOIN LATERAL (
      SELECT j.id FROM job j
       CROSS JOIN LATERAL (SELECT clock_offset FROM customer_account WHERE customer_id = j.customer_id OFFSET 0) a
       WHERE j.payload_retention_days = kept.days AND j.closed_at IS NOT NULL AND j.payload_dropped_at IS NULL
         AND j.closed_at <= clock_timestamp() + (SELECT clock_offset_max()) - kept.days * interval '24 hours'
         AND j.closed_at <= clock_timestamp() + a.clock_offset - kept.days * interval '24 hours'
         AND ${NOBODY_LOOKS}
       ORDER BY j.closed_at LIMIT $1) due
    LIMIT $1)
   LIMIT $1`;

const LOCK = `
  SELECT id FROM job WHERE id = ANY ($1::text[]) AND payload_dropped_at IS NULL ORDER BY id FOR NO KEY UPDATE`;

// Asked once the rows are held: somebody may have opened a dispute since they were found.
const STILL_DUE = `
  SELECT j.id FROM job j JOIN customer_account a ON a.customer_id = j.customer_id
   WHERE j.id = ANY ($1::text[]) AND (j.closed_at <= a.payloads_erased_until OR (${NOBODY_LOOKS}))`;

type ColumnType = "json" | "jsonb" | "text";

/** Where texts of jobs are, column by column: what a column is called is also the first word of its texts' place, the row's id the second. */
interface Texts {
  readonly table: string;
  readonly id: "id" | "job_id";
  readonly columns: Readonly<Record<string, ColumnType>>;
}

const TEXTS: readonly Texts[] = [
  { table: "job_input", id: "job_id", columns: { input: "json", metadata: "jsonb" } },
  { table: "attempt", id: "id", columns: { output: "text", error: "text" } },
  { table: "verdict", id: "id", columns: { findings: "jsonb", output: "jsonb" } },
  { table: "inquiry", id: "id", columns: { findings: "jsonb", detail: "jsonb" } },
];

const DROPPED = "UPDATE job SET payload_dropped_at = clock_timestamp() WHERE id = ANY ($1::text[])";
// As if whoever served the request were gone: who repeats it is answered with what is known of its job by then.
const ANSWERS = `
  UPDATE idempotency SET status = NULL, body = NULL, in_flight_until = now()
   WHERE job_id = ANY ($1::text[]) AND status IS NOT NULL`;

/** Drops the texts of up to so many jobs; says of how many. */
export async function dropDuePayloads(pool: Pool, payloads: Payloads, limit: number): Promise<number> {
  const due = await pool.query<{ id: JobId }>({ text: DUE, values: [limit] });
  if (due.rows.length === 0) return 0;
  return await transaction(pool, async (client) => {
    const locked = await client.query<{ id: JobId }>({ text: LOCK, values: [due.rows.map(({ id }) => id)] });
    const still = await client.query<{ id: JobId }>({ text: STILL_DUE, values: [locked.rows.map(({ id }) => id)] });
    const ids = still.rows.map(({ id }) => id);
    for (const texts of TEXTS) await dropTexts(client, payloads, texts, ids);
    await client.query({ text: ANSWERS, values: [ids] });
    await client.query({ text: DROPPED, values: [ids] });
    return ids.length;
  });
}

type Row = Readonly<Record<string, Json>> & { readonly row_id: string };

async function dropTexts(client: Queryable, payloads: Payloads, texts: Texts, ids: readonly JobId[]): Promise<void> {
  const { table, id, columns } = texts;
  const names = Object.keys(columns);
  const { rows } = await client.query<Row>({
    text: `SELECT ${id} AS row_id, ${names.join(", ")} FROM ${table} WHERE job_id = ANY ($1::text[])`,
    values: [ids],
  });
  const dropped: Row[] = [];
  // One at a time: opened they are as large again as they are sealed.
  for (const row of rows) dropped.push(await droppedRow(payloads, columns, row));
  const typed = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  await client.query({
    text: `UPDATE ${table} t SET ${names.map((name) => `${name} = d.${name}`).join(", ")}
             FROM jsonb_to_recordset($1::jsonb) AS d (row_id text, ${typed.join(", ")})
            WHERE t.${id} = d.row_id AND t.${id} = ANY (ARRAY(SELECT r ->> 'row_id' FROM jsonb_array_elements($1::jsonb) r))`,
    values: [JSON.stringify(dropped)],
  });
}

async function droppedRow(payloads: Payloads, columns: Texts["columns"], row: Row): Promise<Row> {
  const dropped: Record<string, Json> = {};
  for (const [name, type] of Object.entries(columns)) {
    const stored = row[name] ?? null;
    if (stored === null) continue;
    const marker = markDropped(await hashAt(payloads, `${name} ${row.row_id}` as Place, stored, type));
    dropped[name] = type === "text" ? JSON.stringify(marker) : marker;
  }
  return { ...dropped, row_id: row.row_id };
}

/** Null: nobody can read it any more. It goes all the same: one that is damaged must not keep the others of everybody. */
async function hashAt(payloads: Payloads, place: Place, stored: Json, type: ColumnType): Promise<string | null> {
  const isText = type === "text" && typeof stored === "string";
  try {
    const found = isText ? await foundText(payloads, place, stored) : await payloads.look(place, stored);
    return found.kind === "kept" ? hashOfPayload(found.value) : found.sha256;
  } catch (error) {
    if (error instanceof BrokenSealError) return null;
    throw error;
  }
}
