/** What a schema finds wrong, in words for whoever sent it. */
import type { z } from "zod";

/** Of a name that a schema does not have. */
export const NOT_KNOWN = "is not known here; remove it or correct its name";

/** Whether there is nothing where something must be. */
export function isMissing(issue: z.core.$ZodIssue): boolean {
  if (issue.code === "invalid_type") return issue.message.endsWith("received undefined");
  return issue.code === "custom" && issue.message === "is required";
}

/** What to write instead, to be put behind the name of the place. */
export function wordsFor(issue: z.core.$ZodIssue): string {
  if (isMissing(issue)) return "is required; add it";
  switch (issue.code) {
    case "invalid_type":
      // A schema with words of its own for this has said all of it.
      if (!issue.message.includes(", received")) return issue.message;
      return `must be ${article(issue.expected)}${issue.message.replace(/^.*(?=, received)/, "")}`;
    case "too_big":
      return `is too large: ${issue.inclusive === false ? "below" : "at most"} ${issue.maximum}${unitOf(issue.origin)}`;
    case "too_small":
      return `is too small: ${issue.inclusive === false ? "above" : "at least"} ${issue.minimum}${unitOf(issue.origin)}`;
    case "unrecognized_keys":
      return NOT_KNOWN;
    case "invalid_value":
      return `must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}`;
    case "invalid_union":
      if (issue.discriminator !== undefined) return `must have a known "${issue.discriminator}"`;
      // A schema with words of its own says which forms there are.
      return issue.message === "Invalid input" ? "has none of the allowed forms" : issue.message;
    case "invalid_key":
      return issue.issues[0]?.message ?? issue.message;
    default:
      return issue.message;
  }
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " entries" : "";
}
