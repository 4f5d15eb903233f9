/**
 * Alerts of false bills: one for each crossing of a version's maximum, from the audit that is one too many to the one by
 * which the rate is below it again. Checked with each result of an audit, in its transaction.
 */
import { type AuditCounts, falseBillState } from "@contingent/core/quality/false-bills";
import type { OutcomeTypeVersionId, QualityAlertId } from "@contingent/core/ids";
import { newId } from "@contingent/db/ids";
import { msOf } from "@contingent/db/job-row";
import type { Queryable } from "@contingent/db/pool";
import { auditCountsOf } from "./audited.ts";

/** What a result of an audit changed about the alert of its version. */
export interface AlertChange {
  readonly id: QualityAlertId;
  readonly outcomeType: string;
  readonly version: number;
  readonly change: "raised" | "certain" | "cleared";
  readonly counts: AuditCounts;
  readonly rateMax: number;
}

const VERSION = `
  SELECT v.name, v.version, (v.resolved -> 'quality' ->> 'falseBillRateMax')::float8 AS rate_max,
         a.id AS alert_id, a.certain_at IS NOT NULL AS is_certain
    FROM outcome_type_version v
    LEFT JOIN quality_alert a ON a.outcome_type_version_id = v.id AND a.cleared_at IS NULL
   WHERE v.id = $1`;

interface VersionRow {
  readonly name: string;
  readonly version: number;
  readonly rate_max: number | null;
  readonly alert_id: QualityAlertId | null;
  readonly is_certain: boolean;
}

const RAISE = `
  INSERT INTO quality_alert (id, outcome_type, outcome_type_version_id, rate_max, audited, incorrect, certain_at)
  VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $7 THEN clock_timestamp() END)`;
const MAKE_CERTAIN = "UPDATE quality_alert SET certain_at = clock_timestamp() WHERE id = $1";
const CLEAR = "UPDATE quality_alert SET cleared_at = clock_timestamp() WHERE id = $1";

/** Holds a version's measured rate against its maximum; null when nothing changes by it. One at a time for each version. */
export async function checkFalseBills(db: Queryable, versionId: OutcomeTypeVersionId): Promise<AlertChange | null> {
  const { rows } = await db.query<VersionRow>({ text: VERSION, values: [versionId] });
  const [version] = rows;
  if (version === undefined || version.rate_max === null) return null;
  const counts = (await auditCountsOf(db, { versionId })).counts;
  const state = falseBillState(counts, version.rate_max);
  const about = { outcomeType: version.name, version: version.version, counts, rateMax: version.rate_max };
  const standing = version.alert_id;
  const isAbove = state === "suspected" || state === "exceeded";
  if (standing === null) {
    if (!isAbove) return null;
    const id = newId("alr");
    const audited = counts.correct + counts.incorrect;
    const values = [id, version.name, versionId, version.rate_max, audited, counts.incorrect, state === "exceeded"];
    await db.query({ text: RAISE, values });
    return { id, change: "raised", ...about };
  }
  if (!isAbove) {
    await db.query({ text: CLEAR, values: [standing] });
    return { id: standing, change: "cleared", ...about };
  }
  if (version.is_certain || state !== "exceeded") return null;
  await db.query({ text: MAKE_CERTAIN, values: [standing] });
  return { id: standing, change: "certain", ...about };
}

export interface QualityAlert {
  readonly id: QualityAlertId;
  readonly outcomeType: string;
  readonly version: number;
  readonly rateMax: number;
  /** When it was raised. */
  readonly counts: AuditCounts;
  readonly raisedAtMs: number;
  readonly certainAtMs: number | null;
  readonly clearedAtMs: number | null;
}

interface AlertRow {
  readonly id: QualityAlertId;
  readonly outcome_type: string;
  readonly version: number;
  readonly rate_max: number;
  readonly audited: number;
  readonly incorrect: number;
  readonly raised_ms: number;
  readonly certain_ms: number | null;
  readonly cleared_ms: number | null;
}

export interface AlertFilter {
  readonly outcomeType?: string | undefined;
  readonly isStanding?: boolean | undefined;
}

/** Alerts from the newest to the oldest, only those before the given one. */
export async function listAlerts(
  db: Queryable,
  { outcomeType, isStanding }: AlertFilter,
  page: { readonly before: QualityAlertId | null; readonly limit: number },
): Promise<readonly QualityAlert[]> {
  const { rows } = await db.query<AlertRow>({
    text: `SELECT a.id, a.outcome_type, v.version, a.rate_max, a.audited, a.incorrect, ${msOf("a.raised_at")} AS raised_ms,
                  ${msOf("a.certain_at")} AS certain_ms, ${msOf("a.cleared_at")} AS cleared_ms
             FROM quality_alert a JOIN outcome_type_version v ON v.id = a.outcome_type_version_id
            WHERE ($1::text IS NULL OR a.outcome_type = $1) AND ($2::boolean IS NULL OR (a.cleared_at IS NULL) = $2)
              AND ($3::text IS NULL OR a.id < $3)
            ORDER BY a.id DESC LIMIT $4`,
    values: [outcomeType ?? null, isStanding ?? null, page.before, page.limit],
  });
  return rows.map(alertOf);
}

function alertOf(row: AlertRow): QualityAlert {
  return {
    id: row.id,
    outcomeType: row.outcome_type,
    version: row.version,
    rateMax: row.rate_max,
    counts: { correct: row.audited - row.incorrect, incorrect: row.incorrect },
    raisedAtMs: row.raised_ms,
    certainAtMs: row.certain_ms,
    clearedAtMs: row.cleared_ms,
  };
}
