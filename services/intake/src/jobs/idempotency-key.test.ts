import type { CreateJobBody } from "@contingent/contracts/http/jobs";
import { describe, expect, test } from "vitest";
import { fingerprintOf, idempotencyKeyOf } from "./idempotency-key.ts";

describe("the header", () => {
  test.each([
    ['"8e03978e-40d5"', "8e03978e-40d5"],
    ["8e03978e-40d5", "8e03978e-40d5"],
    ["a", "a"],
    ['"with blanks in it"', "with blanks in it"],
    ["x".repeat(255), "x".repeat(255)],
  ])("%j is a key", (header, key) => {
    expect(idempotencyKeyOf(header)).toBe(key);
  });

  test.each(["", '""', '"open', "x".repeat(256), "ключ", "a\u0001b"])("%j is refused", (header) => {
    expect(() => idempotencyKeyOf(header)).toThrow(expect.objectContaining({ code: "invalid_idempotency_key" }));
  });

  test("may be missing", () => {
    expect(idempotencyKeyOf(undefined)).toBeNull();
  });
});

describe("the fingerprint", () => {
  const body = (input: CreateJobBody["input"], more: object = {}): CreateJobBody => ({
    outcome_type: "t",
    input,
    ...more,
  });

  test("does not depend on the order of fields", () => {
    expect(fingerprintOf(body({ a: 1, b: { c: [1, 2], d: null } }))).toBe(
      fingerprintOf(body({ b: { d: null, c: [1, 2] }, a: 1 })),
    );
  });

  test.each([
    [body({ a: 1 }), body({ a: 2 })],
    [body([1, 2]), body([2, 1])],
    [body({ a: 1 }), body([["a", 1]])],
    [body({ a: 1 }), body({ members: [["a", 1]] })],
    [body(1), body("1")],
    [body(1), body(1, { outcome_key: "k" })],
    [body(1, { metadata: { a: "1" } }), body(1, { metadata: { a: "2" } })],
  ])("tells %j and %j apart", (left, right) => {
    expect(fingerprintOf(left)).not.toBe(fingerprintOf(right));
  });
});
