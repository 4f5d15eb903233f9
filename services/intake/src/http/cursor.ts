import { type Id, type IdPrefix, isId } from "@contingent/core/ids";
import { ApiError } from "./api-error.ts";

/** The cursor of a list that is ordered by ids. @throws ApiError when this list cannot have given it */
export function idCursor<P extends IdPrefix>(prefix: P, cursor: string | undefined): Id<P> | null {
  if (cursor === undefined) return null;
  if (isId(prefix, cursor)) return cursor;
  throw badCursor();
}

/** The cursor of a list that is ordered by version numbers. @throws ApiError when this list cannot have given it */
export function versionCursor(cursor: string | undefined): number | null {
  if (cursor === undefined) return null;
  if (/^\d{1,9}$/.test(cursor)) return Number(cursor);
  throw badCursor();
}

function badCursor(): ApiError {
  const message = "The cursor is not one that this list gave. Use next_cursor of the page before.";
  return new ApiError("invalid_field", message, { param: "cursor" });
}
