import { describe, expect, test } from "vitest";
import { VALUES_MAX } from "./bounds.ts";
import { join, placesOf, valueAt } from "./pointer.ts";

const root = { a: [{ b: 1 }, { c: 2 }, 3], "x/y": { "m~n": "deep" }, list: { "0": "named" } };

describe("pointers", () => {
  test.each([
    ["", root],
    ["/a/0/b", 1],
    ["/a/1/b", undefined],
    ["/a/3", undefined],
    ["/a/-1", undefined],
    ["/a/00", undefined],
    ["/a/length", undefined],
    ["/x~1y/m~0n", "deep"],
    ["/list/0", "named"],
    ["/constructor", undefined],
    ["/__proto__/toString", undefined],
  ])("%j leads to its value", (pointer, value) => {
    expect(valueAt(root, pointer)).toEqual(value);
  });

  test("`*` stands for every item, with the place of those that lack the field", () => {
    expect(placesOf(root, "/a/*/b")).toEqual({
      complete: true,
      places: [
        { path: "/a/0/b", value: 1 },
        { path: "/a/1/b", value: undefined },
        { path: "/a/2/b", value: undefined },
      ],
    });
    expect(placesOf(root, "/none/*/b").places).toEqual([{ path: "/none/*/b", value: undefined }]);
  });

  test("more places than one check looks at are not complete", () => {
    const items = Array.from({ length: 200 }, () => Array.from({ length: 200 }, () => 1));
    const { places, complete } = placesOf(items, "/*/*");
    expect([places.length, complete]).toEqual([VALUES_MAX, false]);
    expect(
      placesOf(
        Array.from({ length: VALUES_MAX }, () => 1),
        "/*",
      ).complete,
    ).toBe(true);
  });

  test("names with slashes and tildes are escaped", () => {
    expect(join(join("", "x/y"), "m~n")).toBe("/x~1y/m~0n");
  });
});
