import { ValidatorError } from "@contingent/validators/validator";
import { expect, test } from "vitest";
import { errorText } from "./judge.ts";

function thrownBy(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

test("of an error that may quote the answer nothing is told but its kind", () => {
  expect(errorText(thrownBy(() => JSON.parse("what the model wrote") as unknown))).toBe("SyntaxError");
  expect(errorText("what the model wrote")).toBe("string");
  expect(errorText(new ValidatorError("there is no such check"))).toBe("ValidatorError: there is no such check");
});
