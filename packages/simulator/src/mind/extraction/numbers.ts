/** Reading numbers as documents write them: `1,234.50`, `1.234,50`, `1 234,50`, `1'234.50`. */

/** Which character separates the decimals in a document. */
export type DecimalMark = "." | ",";

/** One column of a line that is a number and nothing else but a sign, a currency, a unit or a percent sign. */
export interface NumberCell {
  readonly value: number;
  readonly percent: boolean;
  /** Written with decimals or a currency: money rather than a count. */
  readonly money: boolean;
}

const DATE_LIKE = /\b\d{1,2}[./]\d{1,2}[./]\d{2,4}\b|\b\d{4}[./-]\d{1,2}[./-]\d{1,2}\b/g;

/** The mark that more of the document's amounts have before their last two digits. */
export function decimalMarkOf(text: string): DecimalMark {
  const dateless = text.replace(DATE_LIKE, " ");
  const points = dateless.match(/\d\.\d{2}(?![\d.,])/g)?.length ?? 0;
  const commas = dateless.match(/\d,\d{2}(?![\d.,])/g)?.length ?? 0;
  return commas > points ? "," : ".";
}

/** Bounded, so that a document that is one long number costs no more than another. */
const GROUPED: Readonly<Record<DecimalMark, string>> = {
  ".": String.raw`\d{1,3}(?:[,'’]\d{3}){1,5}(?:\.\d{1,6})?|\d{1,15}(?:\.\d{1,6})?`,
  ",": String.raw`\d{1,3}(?:[.'’ \u00a0\u202f]\d{3}){1,5}(?:,\d{1,6})?|\d{1,15}(?:,\d{1,6})?`,
};
/** The currencies that are read by their code. */
export const CURRENCY_CODES = "USD|EUR|GBP|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|JPY|CZK|HUF|SGD|HKD|INR|ZAR";
const CURRENCY = String.raw`(?:NZ\$|CA\$|AU\$|US\$|A\$|C\$|[$€£¥]|zł|kr|${CURRENCY_CODES})`;
const UNIT = String.raw`(?:%|pcs?|pc\.|szt\.|godz\.|hrs?|h|Std\.?|kg|St\.?|Stk\.?|units?|each)`;

const NUMBER_CELLS: Readonly<Record<DecimalMark, RegExp>> = {
  ".": numberCell("."),
  ",": numberCell(","),
};

function numberCell(mark: DecimalMark): RegExp {
  return new RegExp(
    String.raw`^(?:[x×@à]\s*)?([-−–(]?)\s*(${CURRENCY})?\s*([-−–]?)(${GROUPED[mark]})\)?\s*(${CURRENCY})?\s*(${UNIT})?$`,
  );
}

/** The text as a number, or null when it is more or less than one. */
export function numberCellOf(cell: string, mark: DecimalMark): NumberCell | null {
  const match = NUMBER_CELLS[mark].exec(cell.trim());
  if (match === null) return null;
  const [, signBefore, currencyBefore, signAfter, digits = "", currencyAfter, unit] = match;
  const magnitude = numberOf(digits, mark);
  const negative = Boolean(signBefore) || Boolean(signAfter);
  return {
    value: negative ? -magnitude : magnitude,
    percent: unit === "%",
    money: currencyBefore !== undefined || currencyAfter !== undefined || digits.includes(mark),
  };
}

/** Digits with separators as a number. */
function numberOf(digits: string, mark: DecimalMark): number {
  const [whole = "0", decimals] = digits.split(mark);
  return Number(`${whole.replace(/\D/g, "")}${decimals === undefined ? "" : `.${decimals}`}`);
}

/** A pattern (source text) for an amount of money inside prose, its digits as the one capture group. */
export function moneyPattern(mark: DecimalMark): string {
  return String.raw`(?:${CURRENCY}\s?)?((?:${GROUPED[mark]}))(?:\s?${CURRENCY})?`;
}

/** What `moneyPattern` captured, as a number; null when there was nothing. */
export function moneyOf(captured: string | undefined, mark: DecimalMark): number | null {
  return captured === undefined ? null : numberOf(captured, mark);
}

/** Rounded to so many decimals, without the crumbs of binary fractions. */
export function rounded(value: number, decimals = 2): number {
  return Number(`${Math.round(Number(`${value}e${decimals}`))}e-${decimals}`);
}
