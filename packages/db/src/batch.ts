/**
 * Micro-batching: whatever is waiting goes into one statement. The first item leaves on the next turn of the event loop;
 * while the allowed number of statements is in flight, later items gather. That is group commit without added delay:
 * alone an item waits for nobody, under load a statement carries dozens.
 */
import DataLoader from "dataloader";
import { isGivenUp, isRefusal } from "./pool.ts";

export interface BatchOptions<Item, Result> {
  /** One statement for all items; its results in the items' order. */
  readonly run: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>;
  readonly itemsMax?: number;
  readonly inFlightMax?: number;
}

const ITEMS_MAX_DEFAULT = 200;
/** Two: one at work in the database while the next one gathers. More makes the statements smaller, not faster. */
const IN_FLIGHT_MAX_DEFAULT = 2;

/**
 * A function that runs items in batches. When the database refuses a batch (one member violated a constraint) or gives it
 * up, its members are run one by one, so that nobody pays for a neighbour.
 */
export function batched<Item, Result>(options: BatchOptions<Item, Result>): (item: Item) => Promise<Result> {
  const gate = openGate(options.inFlightMax ?? IN_FLIGHT_MAX_DEFAULT);
  const loader = new DataLoader<Item, Result>(
    async (items) => {
      try {
        return await runOrSplit(options.run, items);
      } finally {
        gate.leave();
      }
    },
    { cache: false, maxBatchSize: options.itemsMax ?? ITEMS_MAX_DEFAULT, batchScheduleFn: gate.enter },
  );
  return (item) => loader.load(item);
}

async function runOrSplit<Item, Result>(
  run: BatchOptions<Item, Result>["run"],
  items: readonly Item[],
): Promise<readonly (Result | Error)[]> {
  try {
    return await run(items);
  } catch (error) {
    if (items.length === 1 || !(isRefusal(error) || isGivenUp(error))) throw error;
    const alone: (Result | Error)[] = [];
    // One at a time on purpose: the neighbours of a spoiled item must not spoil each other again.
    for (const item of items) alone.push(...(await runAlone(run, item)));
    return alone;
  }
}

async function runAlone<Item, Result>(
  run: BatchOptions<Item, Result>["run"],
  item: Item,
): Promise<readonly (Result | Error)[]> {
  try {
    return await run([item]);
  } catch (error) {
    return [error instanceof Error ? error : new Error(String(error))];
  }
}

/** Lets a few batches through at a time; the others wait, and grow. */
function openGate(places: number): { readonly enter: (start: () => void) => void; readonly leave: () => void } {
  let free = places;
  const waiting: (() => void)[] = [];
  return {
    enter(start) {
      if (free === 0) {
        waiting.push(start);
        return;
      }
      free -= 1;
      setImmediate(start);
    },
    leave() {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else setImmediate(next);
    },
  };
}
