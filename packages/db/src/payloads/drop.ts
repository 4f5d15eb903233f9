/**
 * Texts of closed jobs that have been kept for long enough are dropped: in their place stays their hash, for receipts, and
 * for whoever kept the texts and wants to show that it was these.
 *
 * Locks: the rows of the jobs, in the order of their ids, before anything that belongs to them. Indexes: `job_payload_kept`
 * finds them, the indexes by job what belongs to them.
 */
import type { JobId } from "@contingent/core/ids";
import type { Json } from "@contingent/core/json";
import { type Pool, type Queryable, transaction } from "../pool.ts";
import { hashOfPayload, markDropped } from "./marker.ts";
import { foundText, type Payloads, type Place } from "./payloads.ts";

// What somebody may still have to look at waits: a dispute or an audit that is not decided. An erasure waits for nothing.
const DUE = `
  SELECT due.id FROM customer_account a
   CROSS JOIN LATERAL (
     SELECT j.id FROM job j
      WHERE j.customer_id = a.customer_id AND j.closed_at IS NOT NULL AND j.payload_dropped_at IS NULL
        AND j.closed_at <= greatest(
              clock_timestamp() + a.clock_offset - a.payload_retention_days * interval '24 hours', a.payloads_erased_until)
        AND (j.closed_at <= a.payloads_erased_until
             OR (NOT EXISTS (SELECT FROM dispute d WHERE d.open_job_id = j.id)
                 AND NOT EXISTS (SELECT FROM audit u WHERE u.job_id = j.id AND u.result IS NULL)))
      ORDER BY j.closed_at LIMIT $1) due
   WHERE a.payload_retention_days IS NOT NULL OR a.payloads_erased_until IS NOT NULL
   LIMIT $1`;

const LOCK = `
  SELECT id FROM job WHERE id = ANY ($1::text[]) AND payload_dropped_at IS NULL ORDER BY id FOR NO KEY UPDATE`;

type ColumnType = "json" | "jsonb" | "text";

/** Where texts are, column by column. `place` is the first word of a text's place; the second is the row's id. */
interface Texts {
  readonly table: string;
  readonly id: string;
  readonly jobId: string;
  readonly columns: readonly {
    readonly name: string;
    readonly type: ColumnType;
    readonly place: string;
  }[];
}

const TEXTS: readonly Texts[] = [
  {
    table: "job_input",
    id: "job_id",
    jobId: "job_id",
    columns: [
      { name: "input", type: "json", place: "input" },
      { name: "metadata", type: "jsonb", place: "metadata" },
    ],
  },
  {
    table: "attempt",
    id: "id",
    jobId: "job_id",
    columns: [
      { name: "output", type: "text", place: "output" },
      { name: "error", type: "text", place: "error" },
    ],
  },
  {
    table: "verdict",
    id: "id",
    jobId: "job_id",
    columns: [
      { name: "findings", type: "jsonb", place: "findings" },
      { name: "output", type: "jsonb", place: "output" },
    ],
  },
  {
    table: "inquiry",
    id: "id",
    jobId: "job_id",
    columns: [
      { name: "findings", type: "jsonb", place: "findings" },
      { name: "detail", type: "jsonb", place: "detail" },
    ],
  },
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
    const ids = locked.rows.map(({ id }) => id);
    for (const texts of TEXTS) await dropTexts(client, payloads, texts, ids);
    await client.query({ text: ANSWERS, values: [ids] });
    await client.query({ text: DROPPED, values: [ids] });
    return ids.length;
  });
}

type Row = Readonly<Record<string, Json>> & { readonly row_id: string };

async function dropTexts(client: Queryable, payloads: Payloads, texts: Texts, ids: readonly JobId[]): Promise<void> {
  const { table, id, jobId, columns } = texts;
  const names = columns.map(({ name }) => name).join(", ");
  const { rows } = await client.query<Row>({
    text: `SELECT ${id} AS row_id, ${names} FROM ${table} WHERE ${jobId} = ANY ($1::text[])`,
    values: [ids],
  });
  const dropped = await Promise.all(rows.map((row) => droppedRow(payloads, texts, row)));
  const typed = columns.map(({ name, type }) => `${name} ${type}`).join(", ");
  const sets = columns.map(({ name }) => `${name} = d.${name}`).join(", ");
  await client.query({
    text: `UPDATE ${table} t SET ${sets} FROM jsonb_to_recordset($1::jsonb) AS d (row_id text, ${typed})
            WHERE t.${id} = d.row_id AND t.${id} = ANY (ARRAY(SELECT r ->> 'row_id' FROM jsonb_array_elements($1::jsonb) r))`,
    values: [JSON.stringify(dropped)],
  });
}

async function droppedRow(payloads: Payloads, { columns }: Texts, row: Row): Promise<Row> {
  const dropped = columns.map(async ({ name, type, place }): Promise<[string, Json]> => {
    const stored = row[name] ?? null;
    if (stored === null) return [name, null];
    const at = `${place} ${row.row_id}` as Place;
    const marker = markDropped(await hashAt(payloads, at, stored, type));
    return [name, type === "text" ? JSON.stringify(marker) : marker];
  });
  return { ...Object.fromEntries(await Promise.all(dropped)), row_id: row.row_id };
}

async function hashAt(payloads: Payloads, place: Place, stored: Json, type: ColumnType): Promise<string | null> {
  const isText = type === "text" && typeof stored === "string";
  const found = isText ? await foundText(payloads, place, stored) : await payloads.look(place, stored);
  return found.kind === "kept" ? hashOfPayload(found.value) : found.sha256;
}
