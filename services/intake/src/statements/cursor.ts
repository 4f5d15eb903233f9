/** Places in a statement's lines as text. */
import { type IdPrefix, isId } from "@contingent/core/ids";
import type { StatementLine } from "@contingent/core/statement/lines";
import { cursorOf, type LineCursor } from "@contingent/ledger/statement/lines";
import { ApiError } from "../http/api-error.ts";

const PREFIXES: Readonly<Record<LineCursor["section"], IdPrefix>> = { jobs: "job", credits: "crn" };
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
/** Not in the alphabet of instants and ids. */
const SEPARATOR = "~";

export function cursorText(line: StatementLine): string {
  const { section, at, id } = cursorOf(line);
  return [section, at, id].join(SEPARATOR);
}

/** @throws ApiError invalid_field when the text is no place in lines */
export function readCursor(text: string | undefined): LineCursor | null {
  if (text === undefined) return null;
  const [section = "", at = "", id = "", ...rest] = text.split(SEPARATOR);
  const isSection = section === "jobs" || section === "credits";
  if (isSection && rest.length === 0 && isInstant(at) && isId(PREFIXES[section], id)) return { section, at, id };
  throw new ApiError(
    "invalid_field",
    "The cursor is not one that this list gave. Use next_cursor of the page before.",
    {
      param: "cursor",
    },
  );
}

/** A day or an hour that there is not would be the database's error. */
function isInstant(text: string): boolean {
  if (!INSTANT.test(text)) return false;
  const at = Date.parse(text);
  return !Number.isNaN(at) && new Date(at).toISOString().slice(0, 19) === text.slice(0, 19);
}
