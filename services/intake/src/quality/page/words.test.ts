import { expect, test } from "vitest";
import { percent, withInterval } from "./words.ts";

test.each([
  [0, "0 %"],
  [0.0004, "< 0.1 %"],
  [0.5, "50 %"],
  [0.98333, "98.3 %"],
  [0.9996, "> 99.9 %"],
  [1, "100 %"],
])("a share of %s is %s: never a certainty that it is not", (share, text) => {
  expect(percent(share)).toBe(text);
});

test("an interval stands in brackets", () => {
  expect(withInterval({ point: 0.9833, low: 0.9411, high: 0.998 })).toBe("98.3 % (94.1–99.8 %)");
});
