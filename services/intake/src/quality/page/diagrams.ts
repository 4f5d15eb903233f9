/** Pictures of quality, as SVG without script or style of its own: the page's classes colour them. */
import type { PrecisionBody, QualityFigures } from "@contingent/contracts/http/quality";
import { escaped } from "../../statements/page/markup.ts";
import { percent } from "./words.ts";

const SIDE = 260;
const LEFT = 44;
const RADIUS_MIN = 2.5;
const RADIUS_MAX = 11;
/** The largest circle often stands at 100 %, and has a line around it. */
const TOP = RADIUS_MAX + 2;
const TICKS = [0, 0.25, 0.5, 0.75, 1] as const;

/** Coordinates have two decimals: a hundredth of a pixel is not seen. */
function px(value: number): string {
  return value.toFixed(2).replace(/\.?0+$/, "");
}

function x(share: number): string {
  return px(LEFT + share * SIDE);
}

function y(share: number): string {
  return px(TOP + (1 - share) * SIDE);
}

/**
 * The reliability diagram. Circles: what share of the outcomes with about such a score was right, the larger the more of them
 * there are. Steps: what the calibration makes of it. On the diagonal a score is what it says.
 */
export function reliabilityDiagram({ curve, bins }: QualityFigures["calibration"], name: string): string {
  const most = Math.max(1, ...bins.map(({ labels }) => labels));
  const circles = bins.map(({ mean_score: score, share_correct: correct, labels }) => {
    const radius = RADIUS_MIN + (RADIUS_MAX - RADIUS_MIN) * Math.sqrt(labels / most);
    const told = `${labels} with a score of about ${score.toFixed(2)}: ${percent(correct)} right`;
    return `<circle class="bin" cx="${x(score)}" cy="${y(correct)}" r="${px(radius)}"><title>${told}</title></circle>`;
  });
  return `<svg class="reliability" role="img" viewBox="0 0 ${LEFT + SIDE + 16} ${TOP + SIDE + 40}" width="${LEFT + SIDE + 16}" height="${TOP + SIDE + 40}">
<title>${escaped(`Reliability of ${name}`)}</title>
${axes()}<line class="ideal" x1="${x(0)}" y1="${y(0)}" x2="${x(1)}" y2="${y(1)}"/>
${circles.join("\n")}
<path class="calibrated" d="${steps(curve)}"/>
</svg>
`;
}

function axes(): string {
  const lines = TICKS.map(
    (tick) =>
      `<line class="grid" x1="${x(tick)}" y1="${y(0)}" x2="${x(tick)}" y2="${y(1)}"/><line class="grid" x1="${x(0)}" y1="${y(tick)}" x2="${x(1)}" y2="${y(tick)}"/>
<text class="tick" text-anchor="middle" x="${x(tick)}" y="${px(TOP + SIDE + 16)}">${tick}</text><text class="tick" text-anchor="end" x="${px(LEFT - 6)}" y="${px(Number(y(tick)) + 4)}">${tick * 100} %</text>`,
  );
  const middle = px(LEFT + SIDE / 2);
  return `${lines.join("\n")}
<text class="axis" text-anchor="middle" x="${middle}" y="${px(TOP + SIDE + 34)}">Score</text>
`;
}

/** A block holds from its first score to where the next one begins; the last one to the end. */
function steps(curve: QualityFigures["calibration"]["curve"]): string {
  return curve
    .map(({ from_score: from, probability }, i) => {
      const to = curve[i + 1]?.from_score ?? 1;
      return `${i === 0 ? "M" : "L"}${x(from)} ${y(probability)}L${x(to)} ${y(probability)}`;
    })
    .join("");
}

export interface IntervalLine {
  readonly name: string;
  readonly precision: PrecisionBody | null;
  /** What precision must not fall below: 1 − the maximum false-bill rate. */
  readonly least: number | null;
}

const NAME_WIDTH = 120;
const BAR_WIDTH = 520;
const ROW_HEIGHT = 30;
const SCALE_STEPS = 4;
/** Where the scale may begin, so that its steps are round: most intervals lie at the far right. */
const SCALE_BEGINS = [0.9, 0.8, 0.6, 0.2, 0] as const;

/** Precision with its interval, one line below the other on one scale. */
export function intervalDiagram(lines: readonly IntervalLine[]): string {
  const lows = lines.flatMap(({ precision, least }) => [precision?.low ?? 1, least ?? 1]);
  const from = SCALE_BEGINS.find((begin) => begin <= Math.min(...lows)) ?? 0;
  const at = (share: number): string => px(NAME_WIDTH + ((share - from) / (1 - from)) * BAR_WIDTH);
  const bottom = lines.length * ROW_HEIGHT + 4;
  const ticks = Array.from({ length: SCALE_STEPS + 1 }, (_, i) => from + ((1 - from) * i) / SCALE_STEPS).map(
    (tick) =>
      `<line class="grid" x1="${at(tick)}" y1="4" x2="${at(tick)}" y2="${bottom}"/><text class="tick" text-anchor="middle" x="${at(tick)}" y="${bottom + 16}">${percent(tick)}</text>`,
  );
  const rows = lines.map((line, i) => intervalRow(line, at, 4 + i * ROW_HEIGHT + ROW_HEIGHT / 2));
  const width = NAME_WIDTH + BAR_WIDTH + 30;
  return `<svg class="intervals" role="img" viewBox="0 0 ${width} ${bottom + 24}" width="${width}" height="${bottom + 24}">
<title>Precision of billed outcomes with its 95 % interval</title>
${ticks.join("\n")}
${rows.join("\n")}
</svg>
`;
}

function intervalRow({ name, precision, least }: IntervalLine, at: (share: number) => string, middle: number): string {
  const label = `<text class="name" x="0" y="${px(middle + 4)}">${escaped(name)}</text>`;
  const limit =
    least === null
      ? ""
      : `<line class="limit" x1="${at(least)}" y1="${px(middle - 11)}" x2="${at(least)}" y2="${px(middle + 11)}"><title>At least ${percent(least)}</title></line>`;
  if (precision === null) {
    return `${label}<text class="none" x="${NAME_WIDTH + 6}" y="${px(middle + 4)}">not audited</text>${limit}`;
  }
  const { low, high, point } = precision;
  return `${label}<line class="interval" x1="${at(low)}" y1="${px(middle)}" x2="${at(high)}" y2="${px(middle)}"/><circle class="point" cx="${at(point)}" cy="${px(middle)}" r="5"/>${limit}`;
}
