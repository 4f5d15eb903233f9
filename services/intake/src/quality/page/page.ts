/** An outcome type's quality as one page: no script, nothing from elsewhere, everything escaped. */
import { createHash } from "node:crypto";
import type { QualityBody, QualityFigures } from "@contingent/contracts/http/quality";
import { count, day, escaped, foreign } from "../../statements/page/markup.ts";
import { intervalDiagram, reliabilityDiagram } from "./diagrams.ts";
import { STYLE } from "./style.ts";
import { percent, withInterval } from "./words.ts";

/** Only this style, and nothing else. */
export const QUALITY_PAGE_POLICY = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

export interface QualityPageOptions {
  readonly operatorName: string;
  readonly nowMs: number;
}

/** What is told of: all versions together, or one of them. */
interface Part {
  readonly name: string;
  readonly figures: QualityFigures;
}

export function qualityPage(quality: QualityBody, { operatorName, nowMs }: QualityPageOptions): string {
  const versions = quality.versions.map((figures) => ({ name: `Version ${figures.version}`, figures }));
  const parts: readonly Part[] = [{ name: "All versions", figures: quality.over_all }, ...versions];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(`Quality of ${quality.outcome_type} – ${operatorName}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<header><div class="operator">${foreign(operatorName)}</div>
<div class="title"><h1>Quality</h1><p class="number">${escaped(quality.outcome_type)}</p><p>${day(nowMs)}</p></div></header>
${versions.map(alarm).join("")}<h2>Precision of billed outcomes</h2>
${intervalDiagram(parts.map(({ name, figures }) => ({ name, precision: figures.precision, least: leastOf(figures) })))}${precisionTable(parts)}
<p class="note">By random audits alone, with the exact 95 % interval (Clopper–Pearson). Disputes and acceptances do not count here: who complains, or accepts, is no random sample. The red line is what the outcome type promises.</p>
<h2>What a score is worth</h2>
${parts.map(calibration).join("")}
<p class="note">Circles: outcomes with about such a score, and what share of them was right; the larger the more. Steps: the calibrated probability (isotonic regression). On the dashed diagonal a score is what it says. Labels come from whoever looked, so a probability that rests on few audits may be off.</p>
<footer>ECE: expected calibration error, ten bins of equal width. Brier: mean squared distance of the forecast from what came. Of the calibrated probability both are cross-validated in five folds. The newest 2,000 audits and 5,000 labels count.</footer>
</body>
</html>
`;
}

function leastOf({ false_bills: { maximum } }: QualityFigures): number | null {
  return maximum === null ? null : 1 - maximum;
}

function alarm({ name, figures }: Part): string {
  const { state, maximum, rate, low } = figures.false_bills;
  if ((state !== "suspected" && state !== "exceeded") || maximum === null || rate === null || low === null) return "";
  const certainty =
    state === "exceeded" ? `even the least that it may be, ${percent(low)}, is more` : "which may still be by chance";
  return `<p class="notice"><span class="bad">${escaped(name)}:</span> ${percent(rate)} of the audited bills were wrong. At most ${percent(maximum)} may be; ${certainty}.</p>\n`;
}

function precisionTable(parts: readonly Part[]): string {
  const rows = parts.map(({ name, figures: { precision, audits, false_bills: bills } }) => {
    const { state, maximum } = bills;
    const isBad = state === "suspected" || state === "exceeded";
    const against =
      maximum === null ? "–" : `${bills.rate === null ? "–" : percent(bills.rate)} of at most ${percent(maximum)}`;
    return `<tr><td>${escaped(name)}</td><td class="n">${precision === null ? "–" : withInterval(precision)}</td><td class="n">${precision === null ? "–" : count(precision.audited)}</td><td class="n">${count(audits.open)}</td><td class="n">${count(audits.overdue)}</td><td class="n">${count(audits.undecided)}</td><td class="n${isBad ? " bad" : ""}">${against}</td></tr>\n`;
  });
  return `<div class="scroll"><table><thead><tr><th></th><th class="n">Precision</th><th class="n">Audited</th><th class="n">Open</th><th class="n">Overdue</th><th class="n">Undecided</th><th class="n">False bills</th></tr></thead>
<tbody>${rows.join("")}</tbody></table></div>
`;
}

const WHY_NOT = {
  too_few_labels: "Fewer than 30 outcomes have been labelled as right or wrong: nothing can be said yet.",
  one_class: "All labelled outcomes were right, or all wrong: no score can be told from another.",
} as const;

function calibration({ name, figures }: Part): string {
  const { calibration: found } = figures;
  const head = `<h3>${escaped(name)}</h3>\n`;
  if (found.reason !== null)
    return `${head}<p class="note">${WHY_NOT[found.reason]}</p>\n${figures.labels.total === 0 ? "" : labelTable(figures)}`;
  return `${head}<div class="beside">${reliabilityDiagram(found, name)}${labelTable(figures)}</div>\n`;
}

function labelTable({ labels, calibration: { of_score: raw, of_calibrated: calibrated } }: QualityFigures): string {
  const rows: readonly (readonly [string, string])[] = [
    ["Labels", count(labels.total)],
    ["by audits", count(labels.audit)],
    ["by operators", count(labels.operator)],
    ["by disputes", count(labels.dispute)],
    ["by customers’ acceptance", count(labels.acceptance)],
    ...(raw === null
      ? []
      : [["ECE of the score", fourDigits(raw.ece)] as const, ["Brier of the score", fourDigits(raw.brier)] as const]),
    ...(calibrated === null
      ? []
      : [
          ["ECE, calibrated", fourDigits(calibrated.ece)] as const,
          ["Brier, calibrated", fourDigits(calibrated.brier)] as const,
        ]),
  ];
  const html = rows.map(([label, value]) => `<tr><td>${label}</td><td class="n">${value}</td></tr>\n`);
  return `<table><tbody>${html.join("")}</tbody></table>`;
}

function fourDigits(value: number): string {
  return value.toFixed(4);
}
