/** The line items of a document: from tables, from blocks of `name: value`, from sentences. */
import { MONTH_NAME } from "./dates.ts";
import { paragraphsOf, ROW_CHARACTERS_MAX, type Document, type Line } from "./document.ts";
import { moneyOf, moneyPattern, numberCellOf, rounded, type NumberCell } from "./numbers.ts";
import { isTotalLine } from "./totals.ts";

export interface LineItem {
  readonly description: string;
  readonly quantity: number | null;
  /** For one unit, after the line's own discount. */
  readonly unitPrice: number | null;
  readonly amount: number | null;
}

/** Difference up to which quantity × price is the amount: half of the smallest coin, for each of many units. */
const TOLERANCE = 0.0101;

/** Every item that can be read, in the document's order. A line whose figures are unreadable is not an item. */
export function lineItemsOf(document: Document): LineItem[] {
  const blocks = itemsInBlocks(document);
  if (blocks.length > 0) return blocks;
  const rows = document.lines.flatMap((line) => itemInRow(line, document) ?? []);
  return rows.length > 0 ? rows : itemsInProse(document);
}

function itemInRow(line: Line, document: Document): LineItem | null {
  if (isTotalLine(line, document.mark)) return null;
  const numbers: NumberCell[] = [];
  const texts: string[] = [];
  for (const cell of line.cells.length === 1 ? columnsOfWords(line.text, document) : line.cells) {
    const number = numberCellOf(cell, document.mark);
    if (number === null) texts.push(cell);
    else numbers.push(number);
  }
  const description = descriptionIn(texts);
  if (description === null) return null;
  const figures = figuresOf(numbers);
  return figures === null ? null : { description, ...figures };
}

/** Words between a row's figures that carry nothing: `2 x Lamp @ 15.00 = 30.00`. */
const FILLER = /^(?:x|×|@|=|à|at|je|zu|stück|stk\.?|pcs\.?|[$€£¥]|USD|EUR|GBP|CHF)$/i;

/** The columns of a row whose gaps are single spaces: figures at its ends, the name of the article between them. */
function columnsOfWords(text: string, document: Document): string[] {
  if (text.length > ROW_CHARACTERS_MAX) return [text];
  const words = text.replace(/^[-*•]\s+/, "").split(/\s+/);
  const isFigure = (word: string | undefined): boolean =>
    word !== undefined && (FILLER.test(word) || numberCellOf(word, document.mark) !== null);
  let end = words.length;
  while (end > 0 && isFigure(words[end - 1])) end--;
  let start = 0;
  // Only the quantity stands in front.
  if (isFigure(words[0])) for (start = 1; start < end && FILLER.test(words[start] ?? "");) start++;
  const name = words.slice(start, end).join(" ");
  return [...words.slice(0, start), name, ...words.slice(end)].filter((word) => word !== "" && !FILLER.test(word));
}

/** The column with the most letters; codes, units and column heads have few. */
function descriptionIn(texts: readonly string[]): string | null {
  const letters = (text: string): number => text.match(/\p{Ll}/gu)?.length ?? 0;
  const longest = texts.toSorted((a, b) => letters(b) - letters(a))[0];
  return longest === undefined || letters(longest) < 3 ? null : longest.replace(/^[-*•]\s*/, "");
}

/** Quantity, price and amount are the three numbers of a row of which one is the product of the others. */
function figuresOf(numbers: readonly NumberCell[]): Omit<LineItem, "description"> | null {
  const plain = numbers.filter((n) => !n.percent).map((n) => n.value);
  const amount = plain.at(-1);
  // Without a single amount of money among them they are the figures of an account or a telephone.
  if (amount === undefined || plain.length < 3 || !numbers.some((n) => n.money)) return null;
  const discounts = [0, ...numbers.filter((n) => n.percent).map((n) => n.value)];
  for (const percent of discounts) {
    for (let q = 0; q < plain.length - 2; q++) {
      for (let p = q + 1; p < plain.length - 1; p++) {
        const quantity = plain[q] ?? 0;
        const price = (plain[p] ?? 0) * (1 - percent / 100);
        if (Math.abs(rounded(quantity * price) - amount) > TOLERANCE || quantity === 0) continue;
        return { quantity, unitPrice: rounded(price, 4), amount };
      }
    }
  }
  return null;
}

const BLOCK_FIELDS: Readonly<Record<string, "description" | "quantity" | "unitPrice" | "amount">> = {
  item: "description",
  description: "description",
  article: "description",
  quantity: "quantity",
  qty: "quantity",
  "unit price": "unitPrice",
  price: "unitPrice",
  rate: "unitPrice",
  amount: "amount",
  "line total": "amount",
};

/** Items written as a block of `Item: …`, `Quantity: …`, `Unit price: …`, `Amount: …`. */
function itemsInBlocks(document: Document): LineItem[] {
  const items: LineItem[] = [];
  let open: { description: string; quantity?: number; unitPrice?: number; amount?: number } | null = null;
  const close = (): void => {
    if (open?.quantity === undefined || open.unitPrice === undefined) return;
    const amount = open.amount ?? rounded(open.quantity * open.unitPrice);
    items.push({ description: open.description, quantity: open.quantity, unitPrice: open.unitPrice, amount });
  };
  for (const { cells } of document.lines) {
    const [label, value] = cells;
    if (label === undefined || value === undefined || cells.length !== 2) continue;
    const field = BLOCK_FIELDS[label.toLowerCase()];
    if (field === undefined) continue;
    if (field === "description") {
      close();
      open = { description: value };
      continue;
    }
    const number = numberCellOf(value, document.mark);
    if (open !== null && number !== null) open[field] = number.value;
  }
  close();
  return items;
}

/** A year is no quantity, and nothing that goes on behind a year is the name of an article. */
const YEAR = String.raw`\b(?:19|20)\d\d\b`;

/** Items written out: `4 x sample tubes at £7.15 each`. The amount is worked out, since nobody writes it. */
function itemsInProse(document: Document): LineItem[] {
  const money = moneyPattern(document.mark);
  const item = new RegExp(
    String.raw`(?<![\w.,£$€-])(?!${YEAR})(\d{1,6}(?:[.,]\d{1,3})?)\s+(?!(?:${MONTH_NAME})\b)(?:[x×]\s+)?(\p{L}(?:(?!${YEAR})[^:;.€$£]){0,80}?)\s+(?:at|@|for|zu(?: je)?|à)\s+${money}\s+(?:each|apiece|per \w+|pro \p{L}+|l'unité)`,
    "giu",
  );
  return paragraphsOf(document).flatMap((paragraph) =>
    [...paragraph.matchAll(item)].map(([, count, description = "", price]) => {
      const quantity = Number((count ?? "").replace(",", "."));
      const unitPrice = moneyOf(price, document.mark) ?? 0;
      return { description, quantity, unitPrice, amount: rounded(quantity * unitPrice) };
    }),
  );
}
