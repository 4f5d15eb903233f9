import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, type Json, NotCanonicalError } from "./json.ts";

/** The double with these bits. */
function double(hex: string): number {
  const view = new DataView(new ArrayBuffer(8));
  view.setBigUint64(0, BigInt(`0x${hex}`));
  return view.getFloat64(0);
}

describe("numbers are written as RFC 8785, appendix B, lists them", () => {
  test.each([
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["ffefffffffffffff", "-1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["c340000000000000", "-9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["44b52d02c7e14af7", "1.0000000000000001e+23"],
    ["444b1ae4d6e2ef4e", "999999999999999700000"],
    ["444b1ae4d6e2ef4f", "999999999999999900000"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["41b3de4355555553", "333333333.3333332"],
    ["41b3de4355555554", "333333333.33333325"],
    ["41b3de4355555555", "333333333.3333333"],
    ["41b3de4355555556", "333333333.3333334"],
    ["41b3de4355555557", "333333333.33333343"],
    ["becbf647612f3696", "-0.0000033333333333333333"],
    ["43143ff3c1cb0959", "1424953923781206.2"],
  ])("%s is %s", (bits, text) => {
    expect(canonicalJson(double(bits))).toBe(text);
  });

  test.each([
    ["NaN", "7fffffffffffffff"],
    ["Infinity", "7ff0000000000000"],
    ["-Infinity", "fff0000000000000"],
  ])("%s has no text", (_, bits) => {
    expect(() => canonicalJson({ deep: [double(bits)] })).toThrow(NotCanonicalError);
  });
});

describe("objects", () => {
  test("keys are ordered by their UTF-16 code units, as the RFC's own example is (3.2.3)", () => {
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    };
    const order = [...canonicalJson(value).matchAll(/:"([^"]+)"/g)].map((found) => found[1]);
    expect(order).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      // Before the Hebrew letter: its first surrogate is smaller, though its code point is larger.
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ]);
  });

  test("keys that look like numbers are ordered as text like all others", () => {
    expect(canonicalJson({ "9": 1, "10": 2, "!": 3 })).toBe('{"!":3,"10":2,"9":1}');
  });

  test("a key that means something to JavaScript is a key like any other", () => {
    expect(canonicalJson(JSON.parse('{"b":1,"__proto__":{"a":2}}') as Json)).toBe('{"__proto__":{"a":2},"b":1}');
  });

  test("objects within arrays are ordered too, and arrays are not", () => {
    expect(canonicalJson([3, { b: [2, 1], a: null }, 1])).toBe('[3,{"a":null,"b":[2,1]},1]');
  });
});

describe("strings", () => {
  test("the RFC's example (3.2.2) is escaped as little as JSON allows", () => {
    const value = JSON.parse(String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`) as Json;
    expect(canonicalJson(value)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    );
  });

  test("half of a surrogate pair has no canonical form, as text or as a key", () => {
    expect(() => canonicalJson("\ud83d")).toThrow(NotCanonicalError);
    expect(() => canonicalJson([{ "\ude00": 1 }])).toThrow(NotCanonicalError);
  });
});

test("the text means the value, and does not depend on the order in which keys came", () => {
  const shuffled = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(shuffled);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .toReversed()
        .map(([key, member]) => [key, shuffled(member)]),
    );
  };
  // Not as unit "binary": that would make a list of all there are first, which takes seconds.
  const anyText = fc.integer({ min: 0, max: 0x10_ffff }).map((point) => String.fromCodePoint(point));
  const stringUnit = anyText.filter((text) => text.isWellFormed());
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit }), (generated) => {
      const value = JSON.parse(JSON.stringify(generated)) as Json;
      const text = canonicalJson(value);
      expect(JSON.parse(text)).toEqual(value);
      expect(canonicalJson(shuffled(value))).toBe(text);
    }),
  );
});
