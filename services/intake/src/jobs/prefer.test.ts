import { expect, test } from "vitest";
import { waitPreference } from "./prefer.ts";

test.each([
  [undefined, 0],
  ["", 0],
  ["wait=5", 5],
  ["respond-async, wait=10", 10],
  ["Wait = 7; foo", 7],
  ['wait="3"', 3],
  ["wait=600", 60],
  ["wait=-1", 0],
  ["wait=soon", 0],
  ["waiting=5", 0],
])("%j means to wait %i s", (header, seconds) => {
  expect(waitPreference(header)).toBe(seconds);
});
