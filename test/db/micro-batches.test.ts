/** Micro-batching by itself: who shares a statement with whom, and who pays for whose fault. */
import { batched } from "@contingent/db/batch";
import { expect, test } from "vitest";

function databaseError(code: string): Error {
  return Object.assign(new Error(`refused with ${code}`), { code, severity: "ERROR" });
}

/** A batched function that doubles numbers, and what batches it made. A batch waits until it is let go. */
function doubling(
  options: { readonly itemsMax?: number; readonly inFlightMax?: number; readonly held?: boolean } = {},
) {
  const batches: (readonly number[])[] = [];
  const letGo: (() => void)[] = [];
  const double = batched<number, number>({
    itemsMax: options.itemsMax ?? 100,
    inFlightMax: options.inFlightMax ?? 1,
    run: async (items) => {
      batches.push(items);
      if (options.held === true) await new Promise<void>((resolve) => letGo.push(resolve));
      return items.map((item) => item * 2);
    },
  });
  return { double, batches, letGo };
}

/** Lets everything that is ready to run do so. */
async function turns(count = 5): Promise<void> {
  for (let n = 0; n < count; n += 1) await new Promise((resolve) => setImmediate(resolve));
}

test("what is asked for in one turn shares a statement, and each gets its own result", async () => {
  const { double, batches } = doubling();
  expect(await Promise.all([1, 2, 2, 3].map(double))).toEqual([2, 4, 4, 6]);
  expect(batches).toEqual([[1, 2, 2, 3]]);
});

test("while a statement is in flight the others gather for the next", async () => {
  const { double, batches, letGo } = doubling({ held: true });
  const first = double(1);
  await turns();
  const later = [double(2)];
  await turns();
  later.push(double(3));
  await turns();
  expect(batches).toEqual([[1]]);
  letGo[0]?.();
  await first;
  await turns();
  expect(batches).toEqual([[1], [2, 3]]);
  letGo[1]?.();
  expect(await Promise.all(later)).toEqual([4, 6]);
});

test("no more than the allowed number of statements is in flight", async () => {
  const { double, batches, letGo } = doubling({ held: true, inFlightMax: 2, itemsMax: 1 });
  const all = Promise.all([1, 2, 3, 4].map(double));
  await turns();
  expect(batches).toEqual([[1], [2]]);
  letGo[0]?.();
  await turns();
  expect(batches).toEqual([[1], [2], [3]]);
  letGo.slice(1).forEach((go) => go());
  await turns();
  letGo[3]?.();
  expect(await all).toEqual([2, 4, 6, 8]);
});

test("a statement carries no more items than it may", async () => {
  const { double, batches } = doubling({ itemsMax: 2 });
  expect(await Promise.all([1, 2, 3, 4, 5].map(double))).toEqual([2, 4, 6, 8, 10]);
  expect(batches).toEqual([[1, 2], [3, 4], [5]]);
});

/** Refuses, with this SQLSTATE, every batch that a 13 is in. Finds nothing for even numbers. */
function findingOdd(code: string) {
  const batches: (readonly number[])[] = [];
  const find = batched<number, number | null>({
    run: async (items) => {
      batches.push(items);
      if (items.includes(13)) throw databaseError(code);
      return items.map((item) => (item % 2 === 0 ? null : item));
    },
  });
  return { find, batches };
}

test.each(["23505", "22P05", "54001", "40P01"])("a batch that is refused with %s is run one by one", async (code) => {
  const { find, batches } = findingOdd(code);
  const results = await Promise.allSettled([1, 2, 13, 3].map(find));
  // That nothing was found for one is an answer, not a fault.
  expect(results).toEqual([
    { status: "fulfilled", value: 1 },
    { status: "fulfilled", value: null },
    { status: "rejected", reason: databaseError(code) },
    { status: "fulfilled", value: 3 },
  ]);
  expect(batches).toEqual([[1, 2, 13, 3], [1], [2], [13], [3]]);
});

test.each(["08006", "53300", "57P01", "57014", "58030", "25006"])(
  "a batch that fails with %s is not tried again: it is not about what it said",
  async (code) => {
    const { find, batches } = findingOdd(code);
    const results = await Promise.allSettled([1, 13].map(find));
    expect(results.map((r) => r.status)).toEqual(["rejected", "rejected"]);
    expect(batches).toEqual([[1, 13]]);
  },
);

test("a fault does not keep the place of the next statement", async () => {
  const { find } = findingOdd("57P01");
  for (let round = 0; round < 5; round += 1) await expect(find(13)).rejects.toThrow("57P01");
  expect(await find(1)).toBe(1);
});
