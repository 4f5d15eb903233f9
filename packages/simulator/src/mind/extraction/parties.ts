/** Who sells and who buys: by labels, by who wrote the paper, by how people speak of each other in a mail. */
import type { Document } from "./document.ts";
import type { DocumentKind } from "./extract.ts";

export interface Parties {
  readonly seller: string | null;
  readonly buyer: string | null;
}

const SELLER =
  /^(?:seller|supplier|vendor|sprzedawca|lieferant|verkäufer|vendeur|proveedor|fournisseur|säljare|sold by)$/i;
const BUYER =
  /^(?:buyer|bill(?:ed)? to|sold to|invoice to|invoice for|customer|client|kunde?|käufer|rechnung an|an|nabywca|cliente|purchaser|acheteur|köpare|ordered by)$/i;
const COMPANY_END = String.raw`(?:Ltd|Limited|Inc|LLC|LLP|GmbH|AG|KG|B\.V\.|S\.L\.|SARL|AB|AS|A/S|OÜ|Co|PLC|Pty Ltd)\b\.?`;

export function partiesOf(document: Document, kind: DocumentKind): Parties {
  const seller = labelled(document, SELLER) ?? (kind === "purchase_order" ? labelled(document, /^to$/i) : null);
  const buyer = labelled(document, BUYER);
  if (document.mail !== null) {
    return { seller: seller ?? sellerInMail(document), buyer: buyer ?? buyerInMail(document, document.mail) };
  }
  // The paper is the seller's, or on an order the buyer's.
  const head = letterhead(document);
  if (kind === "purchase_order") return { seller, buyer: buyer ?? head };
  const text = document.lines.map((line) => line.text).join(" ");
  return {
    seller: seller ?? labelled(document, /^from$/i) ?? head ?? companyAfter("from|by", text),
    buyer: buyer ?? labelled(document, /^to$/i) ?? companyAfter("to|for", text),
  };
}

/** The value of the first label that fits: behind it on its line, or on the next line. */
function labelled(document: Document, label: RegExp): string | null {
  for (const [i, { cells }] of document.lines.entries()) {
    for (const [c, cell] of cells.entries()) {
      if (!label.test(cell.replace(/:$/, ""))) continue;
      const beside = cells[c + 1];
      if (beside !== undefined) return nameIn(beside);
      const below = document.lines.slice(i + 1).find((line) => line.text !== "");
      if (c === 0 && below?.cells[0] !== undefined) return nameIn(below.cells[0]);
    }
  }
  return null;
}

const TITLE =
  /^(?:tax |sales |pro ?forma )?(?:invoice|purchase order|order|receipt|rechnung|facture|factura|faktura|bestellung|bestellnummer|quote)\b/i;

/** The first line of a paper, unless it is the title. */
function letterhead(document: Document): string | null {
  const line = document.lines.find(({ text }) => /\p{L}{3}/u.test(text));
  if (line === undefined || TITLE.test(line.text)) return null;
  const shouted = line.cells.every((cell) => cell === cell.toUpperCase());
  return nameIn(shouted ? line.cells.join(" ") : (line.cells[0] ?? line.text));
}

/** The name without the address, number or title behind it. */
function nameIn(text: string): string | null {
  const [beforeSeparator = text] = text.split(/ [·—|–] /);
  const company = new RegExp(String.raw`^(.*?,? ${COMPANY_END}(?:, ${COMPANY_END})?)(?=,|$)`).exec(
    beforeSeparator,
  )?.[1];
  const [beforeComma = beforeSeparator] = beforeSeparator.split(/, (?!(?:LLC|INC|Inc|Ltd|LTD|LLP)\b)/);
  const name = (company ?? beforeComma).trim();
  return /\p{L}/u.test(name) ? name : null;
}

/** The first capitalised words after one of the phrases, up to a word that no name has. */
const NAME = String.raw`((?:\p{Lu}[\p{L}'.-]*|&)(?:\s+(?:\p{Lu}[\p{L}'.-]*|&|of|and)){0,8})`;

/** A name with a company's ending behind one of the words. */
function companyAfter(words: string, text: string): string | null {
  return new RegExp(String.raw`\b(?:${words}) (${NAME} ${COMPANY_END})`, "u").exec(text)?.[1] ?? null;
}

function sellerInMail(document: Document): string | null {
  const text = document.lines.map((line) => line.text).join(" ");
  const named = companyAfter("from|with|by", text);
  if (named !== null) return named;
  const greeted = new RegExp(String.raw`^(?:Hello|Dear|Hi) ${NAME},`, "u");
  for (const { text: line } of document.lines) {
    const name = greeted.exec(line)?.[1];
    // One word is a person or a team; a firm has more.
    if (name?.includes(" ")) return name;
  }
  return null;
}

const SIGN_OFF =
  /^(?:kind regards|best regards|regards|many thanks|thanks|thank you|mit freundlichen grüßen|cordialement|best)[,.]?$/i;

function buyerInMail(document: Document, headers: ReadonlyMap<string, string>): string | null {
  const texts = document.lines.map((line) => line.text);
  const ordered = new RegExp(String.raw`\border (?:was )?for ${NAME}`, "u").exec(texts.join(" "))?.[1];
  if (ordered?.includes(" ")) return ordered;
  const signed = texts.findIndex((text) => SIGN_OFF.test(text));
  const firm = signed < 0 ? undefined : texts.slice(signed + 1).filter((text) => text !== "")[1];
  if (firm !== undefined && new RegExp(String.raw`^${NAME}$`, "u").test(firm)) return firm;
  const [, sender] = /^"?([^"<]+?)"?\s*</.exec(headers.get("from") ?? "") ?? [];
  return sender ?? null;
}
