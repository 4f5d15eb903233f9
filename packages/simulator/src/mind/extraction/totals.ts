/** What stands below the items: subtotal, discount, shipping, tax, total. */
import { paragraphsOf, ROW_CHARACTERS_MAX, type Document, type Line } from "./document.ts";
import { moneyOf, moneyPattern, numberCellOf, type DecimalMark } from "./numbers.ts";

export type TotalName = "subtotal" | "discount" | "shipping" | "tax" | "total";
export type Totals = Readonly<Partial<Record<TotalName, number>>>;

/** In this order: a `discount` may speak of the total, `Total HT` is a subtotal, `VAT` may stand in a total's label. */
const LABELS: readonly (readonly [TotalName, RegExp])[] = [
  ["discount", /discount|rabatt|nachlass|remise|rebate|descuento|rabat\b/i],
  [
    "subtotal",
    /sub-? ?total|zwischensumme|nettosumme|total ht|razem netto|base imponible|summa exkl|^goods|^net (?:total|amount)|total before (?:tax|vat)|^netto/i,
  ],
  ["total", /total ttc|total incl|brutto/i],
  [
    "shipping",
    /shipping|delivery|freight|carriage|postage|versand|fracht|livraison|frais de port|frakt|gastos de envío/i,
  ],
  ["tax", /\b(?:vat|tax|mwst|ust|tva|iva|gst|hst|pst|moms)\b/i],
  ["total", /total|^gesamt|^summe|amount due|balance due|do zapłaty|att betala|à payer|zu zahlen|amount payable/i],
];

/** The totals that the document prints; the last one of a name counts, since a grand total comes last. */
export function totalsOf(document: Document): Totals {
  const totals: Partial<Record<TotalName, number>> = {};
  for (const line of document.lines) {
    const total = totalIn(line, document.mark);
    if (total !== null) totals[total.name] = total.value;
  }
  return totals.total === undefined ? { ...totalsInProse(document), ...totals } : totals;
}

/** Whether the line is one of the totals and not an item. */
export function isTotalLine(line: Line, mark: DecimalMark): boolean {
  return totalIn(line, mark) !== null;
}

function totalIn(line: Line, mark: DecimalMark): { name: TotalName; value: number } | null {
  const split = line.cells.length === 1 ? lastWord(line.cells[0] ?? "") : line.cells;
  const numbers = split.map((cell) => numberCellOf(cell, mark)).filter((n) => n !== null && !n.percent);
  const [number] = numbers;
  // Two numbers are a quantity and a price: an item that is called after a total, such as a delivery van.
  if (number === undefined || number === null || numbers.length !== 1) return null;
  const label = split.filter((cell) => numberCellOf(cell, mark) === null).join(" ");
  const [name] = LABELS.find(([, pattern]) => pattern.test(label)) ?? [];
  if (name === undefined) return null;
  return { name, value: name === "discount" ? -Math.abs(number.value) : number.value };
}

/** `Total 123.00`, with a single space before the amount. */
function lastWord(cell: string): readonly string[] {
  if (cell.length > ROW_CHARACTERS_MAX) return [cell];
  const [, label, amount] = /^(.*?\p{L}.*?)\s+([€$£¥]?[\d.,']*\d[.,]\d{2}(?:\s?(?:€|[A-Z]{3}))?)$/u.exec(cell) ?? [];
  return label === undefined || amount === undefined ? [cell] : [label, amount];
}

/** Totals in sentences: `so the total should be €476.01`. */
function totalsInProse(document: Document): Totals {
  const money = moneyPattern(document.mark);
  const patterns: readonly (readonly [TotalName, string])[] = [
    ["subtotal", String.raw`(?:items|goods) (?:came|come|comes) to\s+${money}`],
    ["subtotal", String.raw`${money}\s+before (?:vat|tax)`],
    ["shipping", String.raw`(?:shipping|delivery|postage)\s+(?:was|is|of|at)?\s*${money}`],
    ["tax", String.raw`(?:sales tax|vat|gst|tax)(?: at [\d.,]+ ?%)?\s+(?:was|is|of)?\s*${money}`],
    ["discount", String.raw`discount of\s+${money}`],
    ["total", String.raw`total\s+(?:was|is|of|should be|came to|comes to|amount is)\s+${money}`],
    ["total", String.raw`${money}\s+(?:in total|altogether)`],
  ];
  const totals: Partial<Record<TotalName, number>> = {};
  const text = paragraphsOf(document).join("\n");
  for (const [name, pattern] of patterns) {
    const value = moneyOf(new RegExp(pattern, "i").exec(text)?.[1], document.mark);
    if (value !== null && totals[name] === undefined) totals[name] = name === "discount" ? -value : value;
  }
  return totals;
}
