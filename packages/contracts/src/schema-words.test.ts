/** Hazard: what is refused is told in a schema's own jargon, or told to become what would be refused again. */
import { expect, test } from "vitest";
import { z } from "zod";
import { wordsFor } from "./schema-words.ts";

const schema = z.strictObject({
  rate: z.number().gt(0).max(1),
  limit: z.number().min(0).lt(1),
  name: z.string().min(2),
  list: z.array(z.string()).max(1),
  mode: z.enum(["a", "b"]),
  form: z.union([z.number(), z.strictObject({ input: z.string() })], "must be a number or an object"),
});
const GOOD = { rate: 0.5, limit: 0, name: "ab", list: [], mode: "a", form: 1 };

test.each<[object, string]>([
  [{ rate: 0 }, "is too small: above 0"],
  [{ rate: 2 }, "is too large: at most 1"],
  [{ limit: -1 }, "is too small: at least 0"],
  [{ limit: 1 }, "is too large: below 1"],
  [{ name: "a" }, "is too small: at least 2 characters"],
  [{ name: 1 }, "must be a string, received number"],
  [{ name: undefined }, "is required; add it"],
  [{ list: ["a", "b"] }, "is too large: at most 1 entries"],
  [{ mode: "c" }, 'must be "a" or "b"'],
  [{ form: "1" }, "must be a number or an object"],
  [{ other: 1 }, "is not known here; remove it or correct its name"],
])("%j: %s", (changes, words) => {
  expect(schema.safeParse({ ...GOOD, ...changes }).error?.issues.map(wordsFor)).toEqual([words]);
});
