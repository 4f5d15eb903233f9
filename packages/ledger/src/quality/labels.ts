/** Labels of outcomes, as calibration reads them: the newest ones, so that it takes no longer with the years. */
import type { OutcomeTypeVersionId } from "@contingent/core/ids";
import type { Json } from "@contingent/core/json";
import { type Calibration, calibrate } from "@contingent/core/quality/calibration";
import { type Label, strongestLabels } from "@contingent/core/quality/labels";
import type { Queryable } from "@contingent/db/pool";
import { columnOf, type Measured, only } from "./audited.ts";

/** Labels of one calibration: the newest. */
export const LABELS_MAX = 5_000;

interface LabelRow {
  readonly verdict_id: string;
  readonly source: Label["source"];
  readonly score: number;
  readonly correct: boolean;
}

/** One label for each outcome that was sold as a full one, or that an operator held to be one or none. Reads `outcome_label_of_version` or `outcome_label_of_type`. */
export async function labelsOf(db: Queryable, of: Measured): Promise<readonly Label[]> {
  const [column, value] = columnOf(of);
  const { rows } = await db.query<LabelRow>({
    name: `labels-by-${column}`,
    text: `SELECT verdict_id, source, score, correct FROM outcome_label
            WHERE ${only(column, "$1")} AND (decision = 'pass' OR source = 'operator') ORDER BY ${column}, number DESC LIMIT ${LABELS_MAX}`,
    values: [value],
  });
  return strongestLabels(
    rows.map(({ verdict_id: verdictId, source, score, correct }) => ({ verdictId, source, score, correct })),
  );
}

/** Versions that are looked at for labels: the newest. */
const VERSIONS_MAX = 20;

/**
 * Those that judge in the same way: by the same tree, over answers of the same form. The prompt and the models may differ: a
 * score is a statement about the answer, not about who wrote it.
 */
const JUDGED_ALIKE = `
  SELECT id, version FROM (SELECT * FROM outcome_type_version WHERE name = $1 ORDER BY version DESC LIMIT ${VERSIONS_MAX}) newest
   WHERE (definition -> 'validator')::jsonb = $2::jsonb AND (definition -> 'output_schema')::jsonb = $3::jsonb
   ORDER BY version DESC`;

export interface JudgedAlike {
  readonly outcomeType: string;
  readonly validator: Json;
  readonly outputSchema: Json;
}

export type FoundCalibration =
  | {
      readonly kind: "found";
      readonly version: number;
      readonly labels: number;
      readonly curve: Extract<Calibration, { readonly status: "calibrated" }>["curve"];
    }
  /** The most labels that a version has which judges in this way, and which one that is; null: there is no such version. */
  | { readonly kind: "insufficient_data"; readonly labels: number; readonly version: number | null };

/** The calibration of the newest version that judges in the same way and has labels enough. */
export async function calibrationOfAlike(db: Queryable, alike: JudgedAlike): Promise<FoundCalibration> {
  const { rows } = await db.query<{ id: OutcomeTypeVersionId; version: number }>({
    text: JUDGED_ALIKE,
    values: [alike.outcomeType, JSON.stringify(alike.validator), JSON.stringify(alike.outputSchema)],
  });
  let most: { labels: number; version: number | null } = { labels: 0, version: null };
  for (const { id, version } of rows) {
    const labels = await labelsOf(db, { versionId: id });
    const calibration = calibrate(labels);
    if (calibration.status === "calibrated") {
      return { kind: "found", version, labels: labels.length, curve: calibration.curve };
    }
    if (most.version === null || labels.length > most.labels) most = { labels: labels.length, version };
  }
  return { kind: "insufficient_data", ...most };
}
