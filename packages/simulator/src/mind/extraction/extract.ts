/** Reads a business document: what a perfect model would answer, computed from the text and from nothing else. */
import { issueDateOf } from "./dates.ts";
import { readDocument, type Document } from "./document.ts";
import { lineItemsOf, type LineItem } from "./lines.ts";
import { CURRENCY_CODES, rounded } from "./numbers.ts";
import { partiesOf } from "./parties.ts";
import { totalsOf } from "./totals.ts";

export type DocumentKind = "invoice" | "purchase_order" | "receipt" | "support_email" | "other";

/** What was read; null is what the document does not say or what could not be read. */
export interface Extracted {
  readonly kind: DocumentKind;
  readonly number: string | null;
  /** YYYY-MM-DD. */
  readonly issueDate: string | null;
  /** ISO 4217. */
  readonly currency: string | null;
  readonly seller: string | null;
  readonly buyer: string | null;
  readonly lineItems: readonly LineItem[];
  readonly subtotal: number | null;
  /** Zero or negative. */
  readonly discount: number;
  readonly shipping: number;
  readonly tax: number | null;
  readonly total: number | null;
  /** The line that the total stands in, word for word. */
  readonly evidence: string | null;
}

export function extract(raw: string): { readonly document: Document; readonly extracted: Extracted } {
  const document = readDocument(raw);
  const kind = kindOf(document);
  const lineItems = lineItemsOf(document);
  const totals = totalsOf(document);
  const sum = lineItems.length === 0 ? null : rounded(lineItems.reduce((total, line) => total + (line.amount ?? 0), 0));
  const extracted: Extracted = {
    kind,
    number: numberOf(document, kind),
    issueDate: issueDateOf(document),
    currency: currencyOf(document.raw),
    ...partiesOf(document, kind),
    lineItems,
    subtotal: totals.subtotal ?? sum,
    discount: totals.discount ?? 0,
    shipping: totals.shipping ?? 0,
    // A document with a total and no word of tax has none.
    tax: totals.tax ?? (totals.total === undefined ? null : 0),
    total: totals.total ?? null,
    evidence: lineWith(raw, totals.total ?? null),
  };
  return { document, extracted };
}

/** The last line of the document that has this figure, however its separators are set; null: none has. */
function lineWith(raw: string, figure: number | null): string | null {
  if (figure === null) return null;
  const digits = figure.toFixed(2).replace(".", "");
  const found = raw.split(/\r?\n/).findLast((line) => {
    const plain = line.replace(/(?<=\d)[.,' ](?=\d)/g, "");
    return [digits, digits.replace(/00$/, "")].some((each) => new RegExp(`(?<!\\d)${each}(?!\\d)`).test(plain));
  });
  return found?.trim() ?? null;
}

const KINDS: readonly (readonly [DocumentKind, RegExp])[] = [
  ["purchase_order", /purchase[ _]order|^\s*order\b|bestellung|bestellnummer|bon de commande|orden de compra/im],
  ["invoice", /\binvoice|rechnung|facture\b|factura\b|faktura/i],
  ["receipt", /receipt|cash sale|quittung|ticket de caisse/i],
];

/** An e-mail is one by its headers; the others are what they first call themselves. */
function kindOf(document: Document): DocumentKind {
  if (document.mail !== null) return "support_email";
  const called = KINDS.map(([kind, pattern]) => ({ kind, at: document.raw.search(pattern) })).filter(
    ({ at }) => at >= 0,
  );
  return called.toSorted((a, b) => a.at - b.at)[0]?.kind ?? "other";
}

const ORDER_LABELS = String.raw`purchase[ _]order|order|po|bestellung|bestell|reference`;
const INVOICE_LABELS = String.raw`invoice|rechnung|rechnungs|facture|factura|faktura(?: vat)?`;
const NUMBER_WORD = String.raw`[- ]?(?:no\.?|number|nummer|nr\.?|n°|#|is)`;
const ID = /^(?:[A-Z]{1,4} )?[A-Z0-9/_-]*\d[A-Z0-9/_-]*/;

/** The document's number: behind its label and the word number, else directly behind its label. */
function numberOf(document: Document, kind: DocumentKind): string | null {
  const body = document.lines.map((line) => line.cells.join("  ")).join("\n");
  const text = `${body}\n${document.mail?.get("subject") ?? ""}`;
  const labels = kind === "purchase_order" ? [ORDER_LABELS, INVOICE_LABELS] : [INVOICE_LABELS, ORDER_LABELS];
  for (const pattern of [
    ...labels.map((label) => String.raw`(?<!\p{L})(?:${label})${NUMBER_WORD}[\s:.]*`),
    ...labels.map((label) => String.raw`(?<!\p{L})(?:${label})[\s:#]+`),
  ]) {
    for (const match of text.matchAll(new RegExp(pattern, "giu"))) {
      const id = ID.exec(text.slice(match.index + match[0].length))?.[0];
      if (id !== undefined && !/^\d{1,2}$/.test(id) && !/^\d{4}-\d\d-\d\d$/.test(id)) return id;
    }
  }
  return null;
}

const CODES = new RegExp(String.raw`\b(?:${CURRENCY_CODES})\b`, "g");
const SYMBOLS: readonly (readonly [RegExp, string])[] = [
  [/NZ\$/, "NZD"],
  [/CA\$|C\$/, "CAD"],
  [/AU\$|A\$/, "AUD"],
  [/€/, "EUR"],
  [/£/, "GBP"],
  [/¥/, "JPY"],
  [/zł/, "PLN"],
  [/\$/, "USD"],
];

/** The code that the document names most, else the one that its first known symbol stands for. */
function currencyOf(text: string): string | null {
  const counts = new Map<string, number>();
  for (const [code] of text.matchAll(CODES)) counts.set(code, (counts.get(code) ?? 0) + 1);
  const named = [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
  return named ?? SYMBOLS.find(([symbol]) => symbol.test(text))?.[1] ?? null;
}
