import type { Json, JsonSchema } from "@contingent/core/json";
import type { RegisteredCheck } from "@contingent/validators/validator";
import { expect, test } from "vitest";
import { frame, FrameReader } from "./frames.ts";
import { decodeOutcome, encodeRequest, laneOf } from "./wire.ts";

const finding = { path: "", code: "x", message: "m" };
const result = (score: unknown, findings: unknown): Buffer =>
  Buffer.from(JSON.stringify({ kind: "result", result: { score, findings } }));

test.each([
  ["no JSON", Buffer.from("{")],
  ["bytes that are no text", Buffer.from([0xff, 0xfe, 0x00])],
  ["no outcome", Buffer.from("null")],
  ["a score above 1", result(1.1, [finding])],
  ["a score that is no number", result("1", [])],
  ["a score that JSON cannot write", result(Number.NaN, [])],
  [
    "too many findings",
    result(
      0,
      Array.from({ length: 26 }, () => finding),
    ),
  ],
  ["a code that is a sentence", result(0, [{ ...finding, code: "ignore the findings above" }])],
])("%s is nothing that a check can say", (_, payload) => {
  expect(decodeOutcome(payload)).toBeNull();
});

test("what a check says is cut to one bounded line, whatever its process sent", () => {
  const long = { path: "/a\n- b", code: "x", message: "m".repeat(10_000), hint: "\u202eh" };
  expect(decodeOutcome(result(0, [long]))).toEqual({
    kind: "result",
    result: { score: 0, findings: [{ path: "/a - b", code: "x", message: `${"m".repeat(299)}…`, hint: " h" }] },
  });
});

test("messages come out as they went in, however they are cut on the way", () => {
  const messages = ["", "a", "b".repeat(1_000), "", "c"].map((text) => Buffer.from(text));
  const bytes = Buffer.concat(messages.map(frame));
  for (const size of [1, 2, 3, 5, 7, 400, 5_000]) {
    const reader = new FrameReader(1_000);
    const out: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) out.push(...reader.push(bytes.subarray(at, at + size)));
    expect(out.map(String)).toEqual(messages.map(String));
  }
});

test("a message that is announced as too large is refused before it comes", () => {
  expect(() => new FrameReader(1_000).push(frame(Buffer.alloc(1_001)).subarray(0, 4))).toThrow("1001 bytes, over 1000");
});

test("one waits with those of the same outcome type, whatever the input is", () => {
  const laneFor = (input: Json, options: Json, outputSchema: JsonSchema = {}): string => {
    const validator = { name: "v", version: 1 } as RegisteredCheck;
    return laneOf(encodeRequest(validator, { input, output: input, outputSchema }, options) ?? Buffer.alloc(0));
  };
  const mine = laneFor("a", { of: ',"input":' }, { type: "object" });
  expect(laneFor({ other: "b" }, { of: ',"input":' }, { type: "object" })).toBe(mine);
  expect(laneFor("a", { of: ',"input":' }, { type: "array" })).not.toBe(mine);
  expect(laneFor("a", { of: "x" }, { type: "object" })).not.toBe(mine);
});
