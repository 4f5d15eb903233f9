/** Dates in the ways in which people write them, and which one of a document is its own. */
import type { Document } from "./document.ts";

const MONTHS: readonly (readonly string[])[] = [
  ["january", "januar", "janvier", "enero", "jan"],
  ["february", "februar", "février", "febrero", "feb"],
  ["march", "märz", "mars", "marzo", "mar"],
  ["april", "avril", "abril", "apr"],
  ["may", "mai", "mayo"],
  ["june", "juni", "juin", "junio", "jun"],
  ["july", "juli", "juillet", "julio", "jul"],
  ["august", "août", "agosto", "aug"],
  ["september", "septembre", "septiembre", "sept", "sep"],
  ["october", "oktober", "octobre", "octubre", "oct", "okt"],
  ["november", "novembre", "noviembre", "nov"],
  ["december", "dezember", "décembre", "diciembre", "dec", "dez"],
];
/** Source text of a pattern for the name of a month. */
export const MONTH_NAME = MONTHS.flat()
  .toSorted((a, b) => b.length - a.length)
  .join("|");

const ISO = /(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)/g;
const NUMERIC = /(?<![\d/.-])(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{2})(?!\d)/g;
const DAY_FIRST = new RegExp(
  String.raw`(?<!\d)(\d{1,2})(?:st|nd|rd|th|\.)?(?:\s+(?:of|de)\s+|[\s-]+)(${MONTH_NAME})\.?,?(?:\s+de)?[\s-]+(\d{4}|\d{2})(?!\d)`,
  "giu",
);
const MONTH_FIRST = new RegExp(String.raw`\b(${MONTH_NAME})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})(?!\d)`, "giu");

interface FoundDate {
  readonly iso: string;
  readonly score: number;
}

const OWN =
  /(?:invoice|order|po|purchase)[ _]date|date of (?:invoice|issue|order)|issued|dated|rechnungsdatum|bestelldatum|fakturadatum|date de facture|fecha|wystawienia|ordered.* on\b|placed on/i;
const OTHER =
  /\bdue\b|deliver|liefer|livraison|zahlbar|termin|leistungs|scan|\bby\b|\bbis\b|\buntil\b|payment|wrote|valid|since/i;

/** The document's own date as YYYY-MM-DD: the one that a label calls so, else the first that nothing calls otherwise. */
export function issueDateOf(document: Document): string | null {
  const monthFirst = /\b[A-Z]{2} \d{5}\b/.test(document.raw) && document.raw.includes("$");
  const found: FoundDate[] = [];
  for (const { text } of document.lines) found.push(...datesIn(text, monthFirst));
  const best = found.toSorted((a, b) => b.score - a.score)[0];
  if (best !== undefined && best.score >= 0) return best.iso;
  const sent = document.mail?.get("date");
  return sent === undefined ? null : (datesIn(sent, false)[0]?.iso ?? null);
}

function datesIn(line: string, monthFirst: boolean): FoundDate[] {
  if (!/\d/.test(line)) return [];
  const found: { iso: string | null; at: number }[] = [];
  for (const m of line.matchAll(ISO)) found.push({ iso: isoDate(m[1], m[2], m[3]), at: m.index });
  for (const m of line.matchAll(NUMERIC)) {
    const swap = monthFirst ? Number(m[3]) > 12 || Number(m[1]) <= 12 : Number(m[3]) > 12;
    found.push({ iso: swap ? isoDate(m[4], m[1], m[3]) : isoDate(m[4], m[3], m[1]), at: m.index });
  }
  for (const m of line.matchAll(DAY_FIRST)) found.push({ iso: isoDate(m[3], monthNumber(m[2]), m[1]), at: m.index });
  for (const m of line.matchAll(MONTH_FIRST)) found.push({ iso: isoDate(m[3], monthNumber(m[1]), m[2]), at: m.index });
  return found
    .toSorted((a, b) => a.at - b.at)
    .flatMap(({ iso, at }, i, all) => {
      const before = line.slice(i === 0 ? 0 : (all[i - 1]?.at ?? 0), at);
      const score = OWN.test(before) ? 2 : OTHER.test(before) ? -1 : /\b(?:date|datum|data)\b/i.test(before) ? 1 : 0;
      return iso === null ? [] : [{ iso, score }];
    });
}

function monthNumber(name: string | undefined): string {
  return String(MONTHS.findIndex((names) => names.includes((name ?? "").toLowerCase())) + 1);
}

/** The day as YYYY-MM-DD, or null when there is no such day. */
function isoDate(year: string | undefined, month: string | undefined, day: string | undefined): string | null {
  const y = Number(year) < 100 ? 2000 + Number(year) : Number(year);
  const date = new Date(Date.UTC(y, Number(month) - 1, Number(day)));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return null;
  return date.toISOString().slice(0, 10);
}
