/** Chance that is not random: a number that depends on the words it is asked for and on nothing else. */

/** A number from 0 (included) to 1 (excluded), the same for the same parts for ever. */
export function chance(...parts: readonly string[]): number {
  return hash53(parts.join("\u0001")) / 2 ** 53;
}

/** One of the items, by chance. */
export function pick<T>(items: readonly T[], ...parts: readonly string[]): T | null {
  return items[Math.floor(chance(...parts) * items.length)] ?? null;
}

/** A 53-bit hash of a string (cyrb53): quick, well spread, not for secrets. */
function hash53(text: string): number {
  let h1 = 0xdeadbeef;
  let h2 = 0x41c6ce57;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    h1 = Math.imul(h1 ^ c, 2654435761);
    h2 = Math.imul(h2 ^ c, 1597334677);
  }
  h1 = Math.imul(h1 ^ (h1 >>> 16), 2246822507) ^ Math.imul(h2 ^ (h2 >>> 13), 3266489909);
  h2 = Math.imul(h2 ^ (h2 >>> 16), 2246822507) ^ Math.imul(h1 ^ (h1 >>> 13), 3266489909);
  return 4294967296 * (2097151 & h2) + (h1 >>> 0);
}
