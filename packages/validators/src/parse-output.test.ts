import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OUTPUT_CHARACTERS_MAX } from "./bounds.ts";
import { parseOutput } from "./parse-output.ts";

const code = (text: string): string | null => {
  const result = parseOutput(text);
  return result.ok ? null : result.finding.code;
};

describe("parseOutput", () => {
  test("whitespace around the JSON is tolerated", () => {
    expect(parseOutput(' \r\n\t{"a":[1,null,"x"]}\n')).toEqual({ ok: true, value: { a: [1, null, "x"] } });
    expect(parseOutput("0")).toEqual({ ok: true, value: 0 });
  });

  test("any JSON value comes back as it was written", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "grapheme" }), (value) => {
        const read: unknown = JSON.parse(JSON.stringify(value));
        expect(parseOutput(JSON.stringify(value, null, 2))).toEqual({ ok: true, value: read });
      }),
    );
  });

  test.each([
    ["nothing", "", "output_empty"],
    ["blanks", " \n ", "output_empty"],
    ["a code fence", '```json\n{"a":1}\n```', "not_json"],
    ["a sentence before", 'Here you are: {"a":1}', "not_json"],
    ["a sentence after", '{"a":1} Enjoy!', "not_json"],
    ["two values", '{"a":1}{"a":2}', "not_json"],
    ["a comma too many", '{"a":1,}', "not_json"],
    ["a cut-off answer", '{"a":[1,2', "not_json"],
    ["single quotes", "{'a':1}", "not_json"],
    ["NaN", "NaN", "not_json"],
    ["a byte order mark", '\ufeff{"a":1}', "not_json"],
    ["a no-break space", '\u00a0{"a":1}', "not_json"],
    ["a number that is infinite when read", '{"a":[1e999]}', "number_out_of_range"],
    ["NUL in a text", '{"a":"\\u0000"}', "bad_text"],
    ["NUL in a name", '{"a\\u0000":1}', "bad_text"],
    ["half a surrogate pair", '["\\ud83d"]', "bad_text"],
  ])("refuses %s", (_, text, expected) => {
    expect(code(text)).toBe(expected);
  });

  test("64 levels are read, 65 are not; brackets in texts do not count", () => {
    expect(code("[".repeat(64) + "]".repeat(64))).toBe(null);
    expect(code("[".repeat(65) + "]".repeat(65))).toBe("output_too_deep");
    expect(code("[".repeat(500_000))).toBe("output_too_deep");
    expect(code(`["${"[{".repeat(100)}", "\\"${"[".repeat(100)}"]`)).toBe(null);
  });

  test("an answer longer than the bound is not read at all", () => {
    expect(code(`"${"x".repeat(OUTPUT_CHARACTERS_MAX - 2)}"`)).toBe(null);
    expect(code(`"${"x".repeat(OUTPUT_CHARACTERS_MAX - 1)}"`)).toBe("output_too_large");
  });

  test("a prototype key is an ordinary key and changes no prototype", () => {
    const text = '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}';
    const result = parseOutput(text);
    expect(result.ok && JSON.stringify(result.value)).toBe(text);
    expect(Reflect.get({}, "polluted")).toBe(undefined);
  });
});
