import type { Json } from "@contingent/core/json";
import { expect, test } from "vitest";
import { AROUND, GOOD } from "./resolve.fixture.ts";
import { resolveDefinition } from "./resolve.ts";

const outgoing = { reach: { allowsLoopback: false }, secrets: new Map([["checks", []]]) };

function problemsOf(options: Json): readonly string[] {
  const validator = {
    all: [
      { use: "json_schema", options: {} },
      { use: "http", options },
    ],
  };
  const resolution = resolveDefinition({ ...GOOD, validator }, { ...AROUND, outgoing });
  return resolution.ok ? [] : resolution.problems.map(({ param, message }) => `${param}: ${message}`);
}

test("a type is published whose service can be asked", () => {
  expect(problemsOf({ url: "https://checks.example.com/", secret: "checks" })).toEqual([]);
});

test("a secret that nobody has configured is named, with where it belongs", () => {
  expect(problemsOf({ url: "https://checks.example.com/", secret: "other" })).toEqual([
    '/validator/all/1/options/secret: there is no secret "other": add it to the services\' HTTP_VALIDATOR_SECRETS_FILE first',
  ]);
});

test.each([
  "https://169.254.169.254/",
  "https://127.1/",
  "http://checks.example.com/",
  "https://checks.example.com:6379/",
])("no type is published that asks %s", (url) => {
  expect(problemsOf({ url, secret: "checks" })).toEqual([
    expect.stringContaining("/validator/all/1/options/url: must"),
  ]);
});

test("a service has the time that the deadline leaves", () => {
  const callback = { url: "https://checks.example.com/", secret: "checks", mode: "callback" };
  expect(problemsOf({ ...callback, reply_within_ms: 60_000 })).toEqual([]);
  expect(problemsOf({ ...callback, reply_within_ms: 3_600_000 })).toEqual([
    expect.stringContaining("/validator/all/1/options: gives 3600000 ms"),
  ]);
});
