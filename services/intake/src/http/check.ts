/** Holds requests against the schemas of the contract, and says what to change in terms of the request. */
import type { ErrorCode, Problem } from "@contingent/contracts/http/errors";
import { isMissing, NOT_KNOWN, wordsFor } from "@contingent/contracts/schema-words";
import type { z } from "zod";
import { ApiError } from "./api-error.ts";

/** Where the checked value stands, which decides how a place in it is named. */
export type Place = "body" | "query" | "path" | "header";

/**
 * The value as the schema reads it.
 * @throws ApiError with every problem
 */
export function check<S extends z.ZodType>(schema: S, value: unknown, place: Place): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const mistakes = mistakesIn(parsed.error, place);
  const [first] = mistakes;
  if (first === undefined) throw new ApiError("invalid_field", `The ${place} is not valid.`);
  throw new ApiError(first.code, `${nameOf(first.param, place)}: ${first.message}.`, {
    param: first.param,
    problems: mistakes.map(({ param, message }) => ({ param, message })),
  });
}

/**
 * The query as the schema reads it. What a URL says is well-formed text, but may hold what Postgres cannot keep.
 * @throws ApiError with every problem
 */
export function checkQuery<S extends z.ZodType>(schema: S, query: Readonly<Record<string, unknown>>): z.output<S> {
  const unusable = Object.entries(query).find(([, value]) =>
    [value].flat().some((text) => String(text).includes("\0")),
  );
  if (unusable === undefined) return check(schema, query, "query");
  const [param] = unusable;
  throw new ApiError("invalid_field", `${nameOf(param, "query")}: holds a NUL character; remove it.`, { param });
}

export interface Mistake extends Problem {
  readonly code: ErrorCode;
}

/** What a schema found wrong, each with its place. */
export function mistakesIn(error: z.ZodError, place: Place): readonly Mistake[] {
  return error.issues.flatMap((issue) => mistakesOf(issue, place));
}

function mistakesOf(issue: z.core.$ZodIssue, place: Place): readonly Mistake[] {
  const param = paramOf(issue.path, place);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      code: "unknown_field",
      param: paramOf([...issue.path, key], place),
      message: NOT_KNOWN,
    }));
  }
  return [{ code: isMissing(issue) ? "missing_field" : "invalid_field", param, message: wordsFor(issue) }];
}

function paramOf(path: readonly PropertyKey[], place: Place): string {
  const parts = path.map(String);
  if (place === "body") return parts.map((part) => `/${part.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  return parts.join(".");
}

function nameOf(param: string, place: Place): string {
  if (param === "") return `The ${place}`;
  return place === "body" ? param : `The ${place} parameter ${param}`;
}
