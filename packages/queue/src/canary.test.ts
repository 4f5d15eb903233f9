/** Hazard: a transport that forgets everything just while somebody looks whether it has. */
import { expect, test } from "vitest";
import { Canary } from "./canary.ts";
import type { BrokerQueue, Transport } from "./transport.ts";

/** A transport in memory. What is handed in is done between each reading and the writing that follows it. */
function forgetful(afterReading: (kept: Set<string>) => void): { readonly canary: Canary; readonly kept: Set<string> } {
  const kept = new Set<string>();
  const queue = {
    getJob: async (id: string) => {
      const found = kept.has(id) ? { id } : undefined;
      afterReading(kept);
      return found;
    },
    add: async (id: string) => void kept.add(id),
  } as unknown as BrokerQueue;
  const transport = { interruptions: () => 0, check: async () => undefined } as unknown as Transport;
  return { canary: new Canary(transport, () => queue), kept };
}

test("what is lost between two looks is noticed by the second one, and by no further one", async () => {
  const { canary, kept } = forgetful(() => undefined);
  expect([await canary.isThere(), await canary.isThere()]).toEqual([false, true]);
  kept.clear();
  expect([await canary.isThere(), await canary.isThere()]).toEqual([false, true]);
});

test("what is lost in the middle of a look is noticed by the next one", async () => {
  let looks = 0;
  const { canary } = forgetful((kept) => {
    looks += 1;
    if (looks === 2) kept.clear();
  });
  expect([await canary.isThere(), await canary.isThere(), await canary.isThere()]).toEqual([false, true, false]);
});
