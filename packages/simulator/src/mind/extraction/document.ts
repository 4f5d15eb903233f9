/** The document in a prompt, as lines and columns without what a scanner or a mail program put around them. */
import { isJsonObject } from "@contingent/core/json";
import { parseJson } from "../../json.ts";
import { decimalMarkOf, type DecimalMark } from "./numbers.ts";

/** A longer line is prose and no row of a table. */
export const ROW_CHARACTERS_MAX = 240;

export interface Document {
  /** The document as it stands in the prompt. */
  readonly raw: string;
  /** Cleaned lines, without quoting marks, rulers and page furniture; empty lines are kept as paragraph ends. */
  readonly lines: readonly Line[];
  /** Headers of an e-mail by lower-case name; null when it is no e-mail. */
  readonly mail: ReadonlyMap<string, string> | null;
  readonly mark: DecimalMark;
}

export interface Line {
  readonly text: string;
  /** The line's columns: what stands between rulers, semicolons or wide gaps. */
  readonly cells: readonly string[];
}

/** The document inside the request: between `<document>` tags, else the longest text of a JSON input, else all of it. */
export function documentIn(request: string): string {
  const [, tagged] = /<document>\n?([\s\S]*?)\n?<\/document>/.exec(request) ?? [];
  const text = tagged ?? request;
  const parsed = parseJson(text);
  if (!isJsonObject(parsed)) return text;
  const texts = Object.values(parsed).filter((value) => typeof value === "string");
  return texts.toSorted((a, b) => b.length - a.length)[0] ?? text;
}

export function readDocument(raw: string): Document {
  const unquoted = raw.split(/\r?\n/).map((line) => line.replace(/^(?:\s*>)+ ?/, ""));
  const mail = mailHeaders(unquoted);
  const body = mail === null ? unquoted : unquoted.slice(unquoted.indexOf(""));
  const lines = body.filter((line) => !isFurniture(line)).map(lineOf);
  return { raw, lines, mail, mark: decimalMarkOf(raw) };
}

function mailHeaders(lines: readonly string[]): ReadonlyMap<string, string> | null {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([A-Z][A-Za-z-]+): (.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) break;
    headers.set(name.toLowerCase(), value.trim());
  }
  return headers.has("from") && headers.has("subject") ? headers : null;
}

/** Lines that belong to the paper, not to the document: page numbers, rulers, a scanner's note. */
function isFurniture(line: string): boolean {
  return (
    /^\s*[-=_~*]{4,}\s*$/.test(line) ||
    /^\s*~~ .*~~\s*$/.test(line) ||
    /^\s*\|[-|:\s]+\|\s*$/.test(line) ||
    /carried forward|brought forward|übertrag|à reporter/i.test(line)
  );
}

function lineOf(line: string): Line {
  const text = line
    .replace(/\bPage \d+ of \d+\b/i, "")
    .replace(/\t/g, "    ")
    .trimEnd();
  const separator = /^[^;\s][^;]*;[^;\s]|;;/.test(text) ? ";" : /\s*\|\s*|\s{2,}/;
  const cells = text
    .split(separator)
    .map(withoutSpecks)
    .filter((cell) => /[\p{L}\p{N}]/u.test(cell));
  return { text: text.trim(), cells: cells.flatMap(labelAndValue) };
}

/** Dust that a scanner leaves at the ends of a column. */
function withoutSpecks(cell: string): string {
  return cell
    .trim()
    .replace(/^[.,'`~|•*]+\s+|\s+[.,'`~|]+$/g, "")
    .trim();
}

/** `HST 13%: 250.25` is two columns, whatever the space between them. */
function labelAndValue(cell: string): string[] {
  const [, label, value] = /^([\p{L}_][^:]{1,40}?)\s*:\s*(\S.*)$/u.exec(cell) ?? [];
  return label === undefined || value === undefined || value.startsWith("//")
    ? [cell.replace(/\s*:$/, "")]
    : [label, value];
}

/** Consecutive lines as texts, one for each paragraph; lists with a line for each item are not run together. */
export function paragraphsOf(document: Document): string[] {
  const paragraphs: string[] = [];
  let open: string[] = [];
  const close = (): void => {
    if (open.length > 0) paragraphs.push(open.join(" "));
    open = [];
  };
  for (const { text } of document.lines) {
    const isItem =
      /^(?:[-*•]\s*)?\d+(?:[.,]\d+)?\s*(?:x|×)?\s+\p{L}/u.test(text) && /\d\S*(?:\s+\p{L}+)?[.;,]?$/u.test(text);
    if (text === "" || isItem || /^[-*•]\s/.test(text)) close();
    if (text !== "") open.push(text);
  }
  close();
  return paragraphs;
}
