import fc from "fast-check";
import { expect, test } from "vitest";
import { occurs } from "./text.ts";

/** Short alphabets, so that most texts repeat themselves and many needles nearly occur. */
const text = (maxLength: number) =>
  fc
    .array(fc.constantFrom("a", "b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", " "), { maxLength })
    .map((parts) => parts.join(""));

test("a look-up finds what a plain search finds", () => {
  fc.assert(
    fc.property(text(30), text(5), (haystack, needle) => {
      expect(occurs(haystack, needle, false)).toBe(needle !== "" && haystack.includes(needle));
    }),
  );
});

test("as whole words it finds what stands between spaces", () => {
  fc.assert(
    fc.property(text(30), text(5), (haystack, needle) => {
      const word = needle.trim();
      expect(occurs(haystack, word, true)).toBe(word !== "" && ` ${haystack} `.includes(` ${word} `));
    }),
  );
});
