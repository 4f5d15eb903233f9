import fc from "fast-check";
import { expect, test } from "vitest";
import { linesOf } from "./lines.ts";

async function* chunksOf(text: string, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), 0, bytes.length].toSorted((a, b) => a - b);
  for (const [index, start] of places.entries()) yield bytes.subarray(start, places[index + 1] ?? bytes.length);
}

async function lines(text: string, max = 1_000, cuts: readonly number[] = []): Promise<[number, string | null][]> {
  const found: [number, string | null][] = [];
  for await (const { number, bytes } of linesOf(chunksOf(text, cuts), max)) {
    found.push([number, bytes === null ? null : new TextDecoder().decode(bytes)]);
  }
  return found;
}

test("a last line needs no line feed", async () => {
  expect(await lines("a\nb")).toEqual([
    [1, "a"],
    [2, "b"],
  ]);
});

test("empty lines are counted and left out", async () => {
  expect(await lines("\na\n\r\n\nb\n\n")).toEqual([
    [2, "a"],
    [5, "b"],
  ]);
});

test("a line that is too long is skipped, and the next one is read", async () => {
  expect(await lines(`${"x".repeat(11)}\nok\n${"y".repeat(10)}`, 10, [3, 7, 9])).toEqual([
    [1, null],
    [2, "ok"],
    [3, "y".repeat(10)],
  ]);
});

test("where the stream is cut into chunks makes no difference", async () => {
  const text = fc.array(fc.string({ unit: fc.constantFrom("a", "é", "😀", "\r", " "), maxLength: 12 }), {
    maxLength: 12,
  });
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(), { maxLength: 20 }), async (parts, cuts) => {
      const whole = parts.join("\n");
      expect(await lines(whole, 20, cuts)).toEqual(await lines(whole, 20));
    }),
  );
});
