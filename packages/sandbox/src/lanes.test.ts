import { expect, test } from "vitest";
import { Lanes } from "./lanes.ts";

/** Takes the next one and lets it have so much time. */
function serve(lanes: Lanes<string>, msOf: (lane: string) => number): string {
  const item = lanes.take() ?? "";
  const lane = item.charAt(0);
  lanes.charge(lane, msOf(lane));
  return item;
}

const slowOrQuick = (lane: string): number => (lane === "s" ? 5_000 : 1);

test("whoever comes behind a hundred slow ones of another lane waits for one of them at most", () => {
  const lanes = new Lanes<string>();
  for (let i = 0; i < 100; i++) lanes.add("s", `s${i}`);
  expect(serve(lanes, slowOrQuick)).toBe("s0");
  for (let i = 0; i < 50; i++) lanes.add("q", `q${i}`);
  const served = Array.from({ length: 52 }, () => serve(lanes, slowOrQuick));
  expect(served.filter((item) => item.startsWith("s")).length).toBeLessThanOrEqual(2);
});

test("within a lane they keep their order, and who is put back comes first", () => {
  const lanes = new Lanes<string>();
  for (const item of ["a1", "a2", "a3"]) lanes.add("a", item);
  expect(lanes.take()).toBe("a1");
  lanes.charge("a", 1);
  lanes.putBack("a", "a1");
  expect([lanes.take(), lanes.take(), lanes.take(), lanes.take()]).toEqual(["a1", "a2", "a3", undefined]);
});

test("a lane that has rested has no credit, and one that had much is not forgotten by resting", () => {
  const lanes = new Lanes<string>();
  lanes.add("a", "a1");
  for (let i = 0; i < 3; i++) lanes.add("s", `s${i}`);
  for (let i = 0; i < 4; i++) serve(lanes, slowOrQuick);
  lanes.add("s", "s3");
  lanes.add("a", "a2");
  expect(lanes.take()).toBe("a2");
});

test("a place that is reserved is for lanes that have nobody under way", () => {
  const lanes = new Lanes<string>();
  for (const item of ["a1", "a2", "b1"]) lanes.add(item.charAt(0), item);
  expect(lanes.take()).toBe("a1");
  expect(lanes.take(true)).toBe("b1");
  expect(lanes.take(true)).toBe(undefined);
  lanes.charge("a", 1);
  expect(lanes.take(true)).toBe("a2");
});

test("who leaves is not taken, and all who wait are counted", () => {
  const lanes = new Lanes<string>();
  lanes.add("a", "a1");
  lanes.add("b", "b1");
  expect(lanes.remove("a", "a1")).toBe(true);
  expect(lanes.remove("a", "a1")).toBe(false);
  expect(lanes.length).toBe(1);
  expect(lanes.drain()).toEqual(["b1"]);
  expect(lanes.length).toBe(0);
  expect(lanes.take()).toBe(undefined);
});
