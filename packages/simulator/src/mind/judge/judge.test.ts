import type { Json, JsonObject } from "@contingent/core/json";
import { describe, expect, test } from "vitest";
import { judgeSolver } from "./judge.ts";

const SCHEMA: JsonObject = {
  type: "object",
  required: ["ticket", "team", "days", "summary"],
  properties: {
    ticket: { type: "string" },
    team: { enum: ["billing", "shipping"] },
    days: { type: "number" },
    summary: { type: "string" },
  },
};
const INPUT = { text: "Ticket T-104: the shipping took 12 days." };
const RIGHT = { ticket: "T-104", team: "shipping", days: 12, summary: "A parcel was late." };

/** The criteria that are met; the reply to a prompt as `llm_judge` writes it. */
function metIn(answer: Json, criteria: readonly string[], input: Json | null = INPUT): readonly boolean[] {
  const delimiter = "0123456789abcdef01234567";
  const section = (name: string, value: Json): string =>
    `<<<${delimiter} ${name}\n${JSON.stringify(value)}\n${delimiter}>>>`;
  const system = [
    "You are the judge of one answer to a task.",
    `The answer had to conform to this JSON Schema: ${JSON.stringify(SCHEMA)}`,
    `The criteria:\n${criteria.map((text, i) => `c${i + 1}: ${text}`).join("\n")}`,
  ].join("\n\n");
  const request = [section("answer", answer), ...(input === null ? [] : [section("input", input)])].join("\n\n");
  const solution = judgeSolver.solve({ system, request, schema: null, findings: [] });
  if (solution === null) throw new Error("It was not recognised as a judge's prompt.");
  return Object.values(solution.answer as Readonly<Record<string, { readonly met: boolean }>>).map(({ met }) => met);
}

describe("of work that it cannot do itself, a simulated judge sees", () => {
  test.each<readonly [string, Json, boolean]>([
    ["nothing wrong with a right answer", RIGHT, true],
    ["that a required field is empty", { ...RIGHT, summary: "" }, false],
    ["that another name was to be chosen", { ...RIGHT, team: "billing" }, false],
    ["that a number was copied wrongly", { ...RIGHT, days: 13 }, false],
    ["that a text was copied wrongly", { ...RIGHT, ticket: "T-105" }, false],
    ["nothing wrong with a number that was worked out", { ...RIGHT, days: 288 }, true],
    ["that it is no object", "It is late.", false],
  ])("%s", (_, answer, met) => {
    expect(metIn(answer, ["It is right."])).toEqual([met]);
  });
});

test("a criterion that names the wrong field is the one that is not met", () => {
  const criteria = ["The team is right.", "The days are right.", "It is polite."];
  expect(metIn({ ...RIGHT, days: 11 }, criteria)).toEqual([true, false, true]);
  expect(metIn({ ...RIGHT, summary: "" }, criteria)).toEqual([false, false, false]);
});

test("without the input it sees only what is empty", () => {
  expect(metIn({ ...RIGHT, days: 13 }, ["It is right."], null)).toEqual([true]);
  expect(metIn({ ...RIGHT, ticket: null }, ["It is right."], null)).toEqual([false]);
});

test("other prompts are not judged", () => {
  expect(
    judgeSolver.solve({ system: "You read documents.", request: "c1: x", schema: SCHEMA, findings: [] }),
  ).toBeNull();
});
