/**
 * Works on up to `width` items of a stream at a time and gives the results out in the items' order. While nobody takes
 * results, nothing more is read; while no further item comes, finished results are still given out.
 */
export async function* inOrder<Item, Result>(
  source: AsyncIterable<Item>,
  width: number,
  work: (item: Item) => Promise<Result>,
): AsyncGenerator<Result> {
  const items = source[Symbol.asyncIterator]();
  const underWay: Promise<Result>[] = [];
  let next: Promise<IteratorResult<Item>> | null = items.next();
  try {
    while (next !== null || underWay.length > 0) {
      const [head] = underWay;
      const arrived = next === null || underWay.length >= width ? null : await firstOf(next, head);
      if (arrived === null) {
        void underWay.shift();
        if (head !== undefined) yield await head;
      } else if (arrived.done === true) {
        next = null;
      } else {
        underWay.push(work(arrived.value));
        next = items.next();
      }
    }
  } finally {
    // Whoever stops taking results stops the reading too, without waiting for an item that may never come.
    next?.catch(() => undefined);
    void items.return?.(undefined).catch(() => undefined);
  }
}

/** The next item, or null if the oldest result is there first. */
async function firstOf<Item>(
  next: Promise<IteratorResult<Item>>,
  head: Promise<unknown> | undefined,
): Promise<IteratorResult<Item> | null> {
  return head === undefined ? next : Promise.race([next, head.then(() => null)]);
}
