/** Hazard: a model that is called away for what is not its provider's fault. */
import { expect, test } from "vitest";
import { outcomeOf } from "./outcome.ts";

const CALL = { mayHaveBeenBilled: true, cutShort: false };

test.each([
  ["an answer, whatever it says", { kind: "answered" }, "answered"],
  ["overloaded, broken, cut off, unreadable", { kind: "unavailable" }, "failed"],
  ["certainly not begun", { kind: "unavailable", mayHaveBeenBilled: false }, "failed"],
  ["no answer in the tier's time", { kind: "timeout" }, "failed"],
  ["no answer in the little that was left to the job", { kind: "timeout", cutShort: true }, "unsaid"],
  ["a call that never began", { kind: "timeout", mayHaveBeenBilled: false }, "unsaid"],
  ["too many requests", { kind: "rate_limited", mayHaveBeenBilled: false }, "unsaid"],
  ["a request or an account that is refused", { kind: "rejected", mayHaveBeenBilled: false }, "unsaid"],
] as const)("%s: %o says %s of the model", (_, end, outcome) => {
  expect(outcomeOf({ ...CALL, ...end })).toBe(outcome);
});
