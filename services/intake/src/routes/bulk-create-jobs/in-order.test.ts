import fc from "fast-check";
import { expect, test } from "vitest";
import { inOrder } from "./in-order.ts";

interface Gate {
  readonly opened: Promise<void>;
  readonly open: () => void;
}

function gate(): Gate {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { opened: promise, open: resolve };
}

async function* counting(count: number, seen: { read: number; returned?: boolean }): AsyncGenerator<number> {
  try {
    for (let item = 0; item < count; item += 1) {
      seen.read += 1;
      yield item;
    }
  } finally {
    seen.returned = true;
  }
}

test("results come in the items' order, whatever order the work ends in", async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), fc.nat({ max: 30 }), fc.integer({ min: 1, max: 8 }), async (s, count, width) => {
      const collect = async (): Promise<number[]> => {
        const results: number[] = [];
        const work = (item: number): Promise<number> => s.schedule(Promise.resolve(item * 2));
        for await (const result of inOrder(counting(count, { read: 0 }), width, work)) results.push(result);
        return results;
      };
      const results = await s.waitFor(collect());
      expect(results).toEqual(Array.from({ length: count }, (_, item) => item * 2));
    }),
  );
});

test("at most so many items are worked on at a time", async () => {
  let atWork = 0;
  let most = 0;
  const work = async (item: number): Promise<number> => {
    most = Math.max(most, (atWork += 1));
    await new Promise(setImmediate);
    atWork -= 1;
    return item;
  };
  for await (const _ of inOrder(counting(100, { read: 0 }), 7, work));
  expect(most).toBe(7);
});

test("while nobody takes results nothing more is read", async () => {
  const seen = { read: 0 };
  const results = inOrder(counting(1_000, seen), 5, (item) => Promise.resolve(item));
  await results.next();
  for (let turn = 0; turn < 100; turn += 1) await new Promise(setImmediate);
  expect(seen.read).toBeLessThanOrEqual(6);
  await results.return(undefined);
});

test("a finished result is given out while the next item is still awaited", async () => {
  const more = gate();
  async function* slow(): AsyncGenerator<number> {
    yield 1;
    await more.opened;
    yield 2;
  }
  const results = inOrder(slow(), 5, (item) => Promise.resolve(item));
  expect(await results.next()).toEqual({ done: false, value: 1 });
  more.open();
  expect(await results.next()).toEqual({ done: false, value: 2 });
  expect((await results.next()).done).toBe(true);
});

test("whoever stops taking results stops the reading", async () => {
  const seen: { read: number; returned?: boolean } = { read: 0 };
  for await (const result of inOrder(counting(1_000, seen), 3, (item) => Promise.resolve(item)))
    if (result === 4) break;
  expect(seen.read).toBeLessThan(20);
  expect(seen.returned).toBe(true);
});
