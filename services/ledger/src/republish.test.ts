/** Hazard: a process that is told to end while it publishes hundreds of thousands of messages again. */
import { expect, test } from "vitest";
import { republish } from "./republish.ts";

test("a publishing of everything ends with the page that it is at", async () => {
  const stop = new AbortController();
  let pages = 0;
  const query = async (): Promise<{ readonly rows: readonly object[] }> => {
    pages += 1;
    stop.abort();
    return { rows: [] };
  };
  const publishing = republish({ pool: { query } } as never, { wasInterrupted: false, signal: stop.signal });
  await expect(publishing).rejects.toThrow("aborted");
  expect(pages).toBe(1);
});
