/** How hard a document is to read, judged by its looks: what makes it long, foreign, noisy or indirect. */
import type { Document } from "./document.ts";
import type { Extracted } from "./extract.ts";

const BASE = 0.22;
const CHARACTERS_FOR_ONE = 14_000;
const ITEMS_EASY = 4;

/** 0 (plain) to 1 (hopeless). */
export function difficultyOf(document: Document, extracted: Extracted): number {
  const { raw } = document;
  const digits = raw.replace(/[.,'’\s]/g, "");
  const has = (pattern: RegExp, weight: number): number => (pattern.test(raw) ? weight : 0);
  const marks = [
    BASE,
    Math.min(0.2, raw.length / CHARACTERS_FOR_ONE),
    Math.min(0.12, Math.max(0, extracted.lineItems.length - ITEMS_EASY) * 0.012),
    document.mark === "," ? 0.08 : 0,
    Math.min(0.2, specks(raw) / 60),
    document.mail === null ? 0 : 0.07,
    has(/^\s*> ?>/m, 0.1),
    has(/page \d of \d/i, 0.08),
    has(/carried forward/i, 0.04),
    extracted.discount === 0 ? 0 : 0.05,
    extracted.shipping === 0 ? 0 : 0.03,
    // Figures of which one has been worked out and is printed nowhere.
    extracted.lineItems.some((line) => !mentions(digits, line.unitPrice)) ? 0.1 : 0,
    extracted.lineItems.some((line) => !mentions(digits, line.amount)) ? 0.1 : 0,
    distinctCurrencies(raw) > 1 ? 0.08 : 0,
    has(/\b(?:0?[1-9]|1[0-2])[/.](?:0?[1-9]|1[0-2])[/.]\d{2,4}/, 0.05),
    extracted.total === null ? 0.25 : 0,
    extracted.lineItems.length === 0 ? 0.15 : 0,
  ];
  return Math.min(
    1,
    marks.reduce((sum, mark) => sum + mark, 0),
  );
}

/** Marks that a scan leaves and no writer would: lone points, ticks and tildes, and what could not be read. */
function specks(raw: string): number {
  return raw.match(/(?<=\s)[.,'`~|](?=\s)|#{2,}|~~/g)?.length ?? 0;
}

/** Whether the figure stands in the text, of which the separators have been taken out. */
function mentions(digits: string, value: number | null): boolean {
  if (value === null) return true;
  return digits.includes(String(Math.abs(value)).replace(".", "").replace(/0+$/, ""));
}

function distinctCurrencies(raw: string): number {
  return new Set(raw.match(/\b(?:USD|EUR|GBP|CAD|CHF|AUD|NZD|SEK|PLN|JPY)\b/g)).size;
}
