/** Audits, alerts and what they and labels say, as the API's JSON. */
import type {
  AuditBody,
  AuditWithEvidenceBody,
  PrecisionBody,
  QualityAlertBody,
  QualityBody,
  QualityFigures,
} from "@contingent/contracts/http/quality";
import type { Calibration } from "@contingent/core/quality/calibration";
import { type AuditCounts, falseBillRateOf, falseBillState, precisionOf } from "@contingent/core/quality/false-bills";
import { probabilityOf } from "@contingent/core/quality/isotonic";
import { LABEL_SOURCES } from "@contingent/core/quality/labels";
import { thresholdsAt } from "@contingent/core/outcome-type";
import type { AuditEvidence, AuditView } from "@contingent/ledger/audits/views";
import type { QualityAlert } from "@contingent/ledger/quality/alerts";
import type { Figures, Quality } from "@contingent/ledger/quality/quality";
import { isoTime } from "../jobs/render.ts";

const PARTS = 1_000_000;

/** For people to look at: to the nearest millionth. */
export function shown(value: number): number {
  return Math.round(value * PARTS) / PARTS;
}

export function renderAudit(view: AuditView): AuditBody {
  const { credit } = view;
  return {
    object: "audit",
    id: view.id,
    job: view.jobId,
    customer: view.customerId,
    outcome_type: view.outcomeType,
    outcome_type_version: view.version,
    method: view.method,
    state: view.result === null ? "open" : "done",
    sampled_at: isoTime(view.sampledAtMs),
    due_at: isoTime(view.dueAtMs),
    result: view.result,
    reason: view.reason,
    decided_by: view.decidedBy,
    decided_at: view.decidedAtMs === null ? null : isoTime(view.decidedAtMs),
    credit: credit === null ? null : { state: credit.state, credit_note: credit.noteId },
  };
}

export function renderAuditWithEvidence(
  view: AuditView & { readonly evidence: AuditEvidence | null },
): AuditWithEvidenceBody {
  if (view.evidence === null) return { ...renderAudit(view), evidence: null };
  const { input, output, verdict } = view.evidence;
  const { findings, validators } = verdict;
  return {
    ...renderAudit(view),
    evidence: { input, output, verdict: { ...verdict, findings: [...findings], validators: [...validators] } },
  };
}

export function renderAlert(alert: QualityAlert): QualityAlertBody {
  const { counts, certainAtMs, clearedAtMs } = alert;
  return {
    object: "quality_alert",
    id: alert.id,
    type: "false_bill_rate_exceeded",
    outcome_type: alert.outcomeType,
    outcome_type_version: alert.version,
    maximum: alert.rateMax,
    audited: counts.correct + counts.incorrect,
    incorrect: counts.incorrect,
    raised_at: isoTime(alert.raisedAtMs),
    certain_at: certainAtMs === null ? null : isoTime(certainAtMs),
    cleared_at: clearedAtMs === null ? null : isoTime(clearedAtMs),
  };
}

export function renderQuality(outcomeType: string, { overAll, versions }: Quality): QualityBody {
  return {
    object: "outcome_type_quality",
    outcome_type: outcomeType,
    over_all: renderFigures(overAll, null),
    versions: versions.map(({ version: { version, terms, quality }, figures }) => ({
      version,
      success_at: {
        score: terms.successAt,
        by_tier: terms.cascade.map(({ tier }, step) => ({ tier, score: thresholdsAt(terms, step).successAt })),
        calibrated_by: quality.calibratedBy,
      },
      audit_rate: quality.audit?.rate ?? 0,
      ...renderFigures(figures, quality.falseBillRateMax),
    })),
  };
}

/** @param rateMax the most that is permitted; null: nothing is too much */
function renderFigures(figures: Figures, rateMax: number | null): QualityFigures {
  const { labels, counts, undecided, open, overdue } = figures;
  const rate = falseBillRateOf(counts);
  return {
    labels: { total: LABEL_SOURCES.reduce((sum, source) => sum + labels[source], 0), ...labels },
    calibration: renderCalibration(figures),
    precision: renderPrecision(counts),
    audits: { undecided, open, overdue },
    false_bills: {
      rate: rate === null ? null : shown(rate.point),
      low: rate === null ? null : shown(rate.low),
      high: rate === null ? null : shown(rate.high),
      maximum: rateMax,
      state: rateMax === null ? null : falseBillState(counts, rateMax),
    },
  };
}

export function renderPrecision(counts: AuditCounts): PrecisionBody | null {
  const precision = precisionOf(counts);
  if (precision === null) return null;
  return {
    basis: "random_audits",
    audited: counts.correct + counts.incorrect,
    correct: counts.correct,
    point: shown(precision.point),
    low: shown(precision.low),
    high: shown(precision.high),
  };
}

function renderCalibration({ calibration, labels }: Figures): QualityFigures["calibration"] {
  const basis = LABEL_SOURCES.filter((source) => labels[source] > 0);
  if (calibration.status === "insufficient_data") {
    const { status, reason } = calibration;
    return { status, reason, basis, curve: [], bins: [], of_score: null, of_calibrated: null };
  }
  const { curve, bins, ofScore, ofCalibrated } = calibration;
  return {
    status: "calibrated",
    reason: null,
    basis,
    curve: curve.map((block) => ({
      from_score: block.fromScore,
      to_score: block.toScore,
      probability: shown(probabilityOf(block)),
      labels: block.labels,
    })),
    bins: bins.map(({ meanForecast, shareCorrect, forecasts }) => ({
      mean_score: shown(meanForecast),
      share_correct: shown(shareCorrect),
      labels: forecasts,
    })),
    of_score: errorsOf(ofScore),
    of_calibrated: errorsOf(ofCalibrated),
  };
}

function errorsOf({ ece, brier }: Extract<Calibration, { readonly status: "calibrated" }>["ofScore"]): {
  ece: number;
  brier: number;
} {
  return { ece: shown(ece), brier: shown(brier) };
}
