/** Chance from a seed, so that what was asked can be told afterwards. */
import { createHash } from "node:crypto";

/** As many hexadecimal digits (at most 64) as nobody can guess who does not know the seed. */
export function hexFrom(length: number, ...parts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex").slice(0, length);
}

/** From 0 (included) to 1 (excluded), the same for the same parts. */
export function draw(...parts: readonly string[]): number {
  const bits = 48;
  return Number.parseInt(hexFrom(bits / 4, ...parts), 16) / 2 ** bits;
}

/** The items in an order that depends on the seed. */
export function shuffled<T>(items: readonly T[], ...parts: readonly string[]): readonly T[] {
  return items
    .map((item, index) => ({ item, at: draw(...parts, String(index)) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}
