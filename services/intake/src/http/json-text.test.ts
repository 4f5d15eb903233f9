import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ApiError } from "./api-error.ts";
import { JSON_DEPTH_MAX, readJson } from "./json-text.ts";

function read(text: string): unknown {
  return readJson(new TextEncoder().encode(text));
}

function refusal(bytes: Uint8Array | string): { code: string; param: string | null } {
  try {
    readJson(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  } catch (error) {
    if (error instanceof ApiError) return { code: error.code, param: error.param };
    throw error;
  }
  throw new Error("it was not refused");
}

test("what JSON.stringify writes is read as the same value", () => {
  // Not as unit "binary": that would make a list of all there are first, which takes seconds.
  const ascii = fc.integer({ min: 1, max: 0x7f });
  const point = fc.oneof(ascii, fc.integer({ min: 0x80, max: 0x10_ffff }));
  const stringUnit = point.map((each) => String.fromCodePoint(each)).filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit, maxDepth: 5 }), (v) => {
      expect(read(JSON.stringify(v))).toEqual(JSON.parse(JSON.stringify(v)));
    }),
  );
});

describe("malformed text is refused", () => {
  test.each(["", "{", "{'a':1}", '{"a":1,}', "undefined", '{"a":1} x', "NaN"])("%j", (text) => {
    expect(refusal(text).code).toBe("malformed_json");
  });

  test("bytes that are not UTF-8", () => {
    expect(refusal(new Uint8Array([0x22, 0xff, 0x22])).code).toBe("malformed_json");
  });
});

test("the message about malformed text does not repeat the text", () => {
  expect(() => read('{"secret": hunter2}')).toThrow(/^The body is not JSON/);
  expect(() => read('{"secret": hunter2}')).not.toThrow(/hunter2/);
});

describe("nesting", () => {
  const nested = (depth: number): string => `${"[".repeat(depth)}${"]".repeat(depth)}`;

  test("is accepted up to the bound", () => {
    expect(() => read(nested(JSON_DEPTH_MAX))).not.toThrow();
  });

  test.each([JSON_DEPTH_MAX + 1, 100_000])("of %i levels is refused", (depth) => {
    expect(refusal(nested(depth)).code).toBe("json_too_deep");
  });

  test("brackets within strings do not count", () => {
    expect(() => read(JSON.stringify({ a: "[{".repeat(1_000) }))).not.toThrow();
  });
});

describe("a key that is there twice is refused, with its place", () => {
  test.each([
    ['{"a":1,"a":2}', "/a"],
    ['{"a":{"b":1,"c":[1,{"d":1,"d":1}]}}', "/a/c/1/d"],
    ['{"a":1,"\\u0061":2}', "/a"],
    ['[{"x/y":1,"x/y":1}]', "/0/x~1y"],
    ['{"a":"}","a":1}', "/a"],
    ['{"a":"\\"","a":1}', "/a"],
  ])("%s", (text, param) => {
    expect(refusal(text)).toEqual({ code: "duplicate_field", param });
  });

  test("the same key in two objects is fine", () => {
    expect(read('{"a":{"a":1},"b":[{"a":1},{"a":2}]}')).toEqual({ a: { a: 1 }, b: [{ a: 1 }, { a: 2 }] });
  });

  test("a value that looks like a key is fine", () => {
    expect(read('{"a":"a","b":["a","a"]}')).toEqual({ a: "a", b: ["a", "a"] });
  });
});

describe("what Postgres cannot keep is refused, with its place", () => {
  test.each([
    ['{"a":["x","\\u0000"]}', "/a/1"],
    ['{"a":"\\ud800"}', "/a"],
    ['{"a":"\\udc00 x"}', "/a"],
    ['{"a":{"b":1e999}}', "/a/b"],
    ['{"a":-1e999}', "/a"],
  ])("%s", (text, param) => {
    expect(refusal(text)).toEqual({ code: "unusable_text", param });
  });

  test("a whole surrogate pair is fine", () => {
    expect(read('{"a":"\\ud83d\\ude00"}')).toEqual({ a: "😀" });
  });
});
