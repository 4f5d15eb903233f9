/**
 * Which billed outcomes are audited: drawn behind the jobs, from the charges that are new since the last round.
 *
 * An outcome is drawn when a number that its job's id and the deployment's secret give is below its version's rate. So it is
 * drawn or not whoever draws and however often, independently of what the outcome is, and neither a customer nor a model can
 * know which. Any number of processes may draw; one at a time does it.
 *
 * A round ends below the oldest database transaction that is still running, as a round of bookkeeping does: no charge is
 * written before it any more. Locks: the advisory lock, then the one row of `audit_drawing`. Index: `ledger_transaction_by_xact`.
 */
import type { JobId, OutcomeTypeVersionId, VerdictId } from "@contingent/core/ids";
import type { AuditTerms } from "@contingent/core/outcome-type";
import { newId } from "@contingent/db/ids";
import type { OutcomeTypeVersions } from "@contingent/db/outcome-types";
import { type Pool, type Queryable, transaction } from "@contingent/db/pool";
import { createHmac } from "node:crypto";

/** Held until the round's commit. */
const ADVISORY_LOCK = 5_391_003;
const DRAW_BYTES = 6;

/** Where an outcome's draw falls, from 0 up to but not including 1. */
export function drawOf(salt: Buffer, jobId: JobId): number {
  const digest = createHmac("sha256", salt).update(jobId).digest();
  return digest.readUIntBE(0, DRAW_BYTES) / 2 ** (8 * DRAW_BYTES);
}

const TAKE_LOCK = "SELECT pg_try_advisory_xact_lock($1) AS taken";

/** To the oldest running transaction, or to the end of the n-th ledger transaction if that is sooner. */
const WINDOW = `
  WITH start AS (SELECT salt, until_xact AS xact FROM audit_drawing),
  horizon AS (SELECT books_horizon() AS xact),
  full_at AS (
    SELECT t.xact FROM ledger_transaction t
     WHERE t.xact >= (SELECT xact FROM start) AND t.xact < (SELECT xact FROM horizon)
     ORDER BY t.xact OFFSET $1::int - 1 LIMIT 1)
  SELECT salt, xact::text AS from_xact, EXISTS (SELECT FROM full_at) AS is_full,
         coalesce((SELECT (xact::text::bigint + 1)::text FROM full_at), (SELECT xact FROM horizon)::text) AS until_xact
    FROM start`;

interface WindowRow {
  readonly salt: Buffer;
  readonly from_xact: string;
  readonly until_xact: string;
  readonly is_full: boolean;
}

const NEW_CHARGES = `
  SELECT c.job_id, c.verdict_id, c.outcome_type, j.outcome_type_version_id
    FROM ledger_transaction t
    JOIN charge c ON c.job_id = t.job_id
    JOIN job j ON j.id = t.job_id
   WHERE t.xact >= $1::xid8 AND t.xact < $2::xid8 AND t.kind = 'capture'`;

interface ChargeRow {
  readonly job_id: JobId;
  readonly verdict_id: VerdictId;
  readonly outcome_type: string;
  readonly outcome_type_version_id: OutcomeTypeVersionId;
}

const DRAWN = `
  INSERT INTO audit (id, job_id, verdict_id, outcome_type, outcome_type_version_id, method, draw, rate, credits, due_at)
  SELECT a.id, a.job_id, a.verdict_id, a.outcome_type, a.outcome_type_version_id, a.method, a.draw, a.rate, a.credits,
         clock_timestamp() + a.due_ms * interval '1 millisecond'
    FROM jsonb_to_recordset($1::jsonb) AS a (id text, job_id text, verdict_id text, outcome_type text,
         outcome_type_version_id text, method text, draw float8, rate float8, credits boolean, due_ms float8)`;

const GO_ON = "UPDATE audit_drawing SET until_xact = $1::xid8 WHERE until_xact < $1::xid8";

export interface Drawing {
  readonly audits: number;
  /** There are more charges that could be drawn from at once. */
  readonly isMore: boolean;
}

/** One round; null when somebody else is at it. */
export async function drawAudits(
  pool: Pool,
  versions: OutcomeTypeVersions,
  transactionsMax: number,
): Promise<Drawing | null> {
  return await transaction(pool, async (client) => {
    const lock = await client.query<{ taken: boolean }>({ text: TAKE_LOCK, values: [ADVISORY_LOCK] });
    if (lock.rows[0]?.taken !== true) return null;
    const found = await client.query<WindowRow>({ text: WINDOW, values: [transactionsMax] });
    const [window] = found.rows;
    if (window === undefined) return null;
    const { rows } = await client.query<ChargeRow>({
      text: NEW_CHARGES,
      values: [window.from_xact, window.until_xact],
    });
    const audits = await drawnFrom(rows, window.salt, versions);
    if (audits.length > 0) await client.query({ text: DRAWN, values: [JSON.stringify(audits)] });
    await goOn(client, window, rows.length);
    return { audits: audits.length, isMore: window.is_full };
  });
}

/** Where there was nothing the next round begins at the same place: it costs nothing, and the row is not written every second. */
async function goOn(client: Queryable, window: WindowRow, charges: number): Promise<void> {
  if (charges > 0 || window.is_full) await client.query({ text: GO_ON, values: [window.until_xact] });
}

async function drawnFrom(
  charges: readonly ChargeRow[],
  salt: Buffer,
  versions: OutcomeTypeVersions,
): Promise<readonly object[]> {
  const drawn: object[] = [];
  for (const charge of charges) {
    const { audit } = (await versions.get(charge.outcome_type_version_id)).quality;
    if (audit === null) continue;
    const draw = drawOf(salt, charge.job_id);
    if (draw < audit.rate) drawn.push(auditOf(charge, audit, draw));
  }
  return drawn;
}

function auditOf(charge: ChargeRow, { rate, method, credit, dueMs }: AuditTerms, draw: number): object {
  return { id: newId("aud"), ...charge, method, draw, rate, credits: credit, due_ms: dueMs };
}

const UNDRAWN = `
  SELECT EXISTS (
    SELECT FROM ledger_transaction WHERE kind = 'capture' AND xact >= (SELECT until_xact FROM audit_drawing)) AS found`;

/** Whether there are charges that have not been drawn from yet. */
export async function hasUndrawn(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ found: boolean }>({ text: UNDRAWN });
  return rows[0]?.found === true;
}
