/** Hazard: the API comes up where no program can call it, and the start command waits for it in vain. */
import { expect, test } from "vitest";
import { freePort, isBarredPort } from "./ports.ts";

test.each([4190, 6000, 10080])("port %d is refused by fetch, whoever listens there", async (port) => {
  expect(await isBarredPort(port)).toBe(true);
});

test("any other port is not, also where nobody listens", async () => {
  expect(await isBarredPort(await freePort())).toBe(false);
  expect(await isBarredPort(4080)).toBe(false);
});
