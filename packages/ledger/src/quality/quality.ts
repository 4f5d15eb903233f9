/**
 * How far an outcome type's verdicts can be trusted, for people. Bounded, however many outcomes there were: each figure is of
 * the newest labels and audits, read by an index, and of a few versions.
 */
import { type Calibration, calibrate } from "@contingent/core/quality/calibration";
import { countBySource, type LabelSource } from "@contingent/core/quality/labels";
import type { OutcomeTypeVersion } from "@contingent/core/outcome-type";
import { type VersionRow, versionOf } from "@contingent/db/outcome-types";
import { type Pool, type Queryable, readSnapshot } from "@contingent/db/pool";
import { auditCountsOf, type AuditedOutcomes, type Measured, type OpenAudits, openAuditsOf } from "./audited.ts";
import { labelsOf } from "./labels.ts";

const STATEMENT_TIMEOUT_MS = 30_000;
/** Versions that are shown unless one is asked for. */
const VERSIONS_SHOWN = 3;

export interface Figures extends AuditedOutcomes, OpenAudits {
  readonly labels: Readonly<Record<LabelSource, number>>;
  readonly calibration: Calibration;
}

export interface Quality {
  readonly overAll: Figures;
  /** Newest first. */
  readonly versions: readonly { readonly version: OutcomeTypeVersion; readonly figures: Figures }[];
}

const VERSIONS = `
  SELECT id, name, version, resolved FROM outcome_type_version
   WHERE name = $1 AND ($2::int IS NULL OR version = $2) ORDER BY version DESC LIMIT ${VERSIONS_SHOWN}`;

/** The quality of an outcome type; null when there is none by this name, or no such version of it. */
export async function readQuality(pool: Pool, outcomeType: string, version: number | null): Promise<Quality | null> {
  return await readSnapshot(pool, { statementTimeoutMs: STATEMENT_TIMEOUT_MS }, async (client) => {
    const { rows } = await client.query<VersionRow>({ text: VERSIONS, values: [outcomeType, version] });
    if (rows.length === 0) return null;
    const versions = [];
    for (const row of rows) {
      versions.push({ version: versionOf(row), figures: await figuresOf(client, { versionId: row.id }) });
    }
    return { overAll: await figuresOf(client, { outcomeType }), versions };
  });
}

async function figuresOf(db: Queryable, of: Measured): Promise<Figures> {
  const labels = await labelsOf(db, of);
  return {
    labels: countBySource(labels),
    calibration: calibrate(labels),
    ...(await auditCountsOf(db, of)),
    ...(await openAuditsOf(db, of)),
  };
}
