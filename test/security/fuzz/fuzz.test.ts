/** Hazard: a request that nobody thought of. `fuzz-main.ts` throws more of them, for as long as one likes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { startAttackedApi } from "../support/api.ts";
import { fuzz } from "./fuzz.ts";

const DURATION_MS = 10_000;
/** What a busy machine has time for, too. */
const REQUESTS_MIN = 300;

test("whatever is sent, the API answers as documented, never with a server's error; and what it refuses changes nothing", async () => {
  await using api = await startAttackedApi();
  const { seed = Date.now() % 2 ** 31 } = fc.readConfigureGlobal();
  const { requests, byStatus, succeeded } = await fuzz(api, { seed, durationMs: DURATION_MS });
  expect(api.exit()).toBeNull();
  expect(requests).toBeGreaterThan(REQUESTS_MIN);
  // It got through to what is behind the checks, and was stopped by them.
  expect(succeeded.size).toBeGreaterThan(20);
  expect(Object.keys(byStatus)).toEqual(expect.arrayContaining(["200", "201", "400", "401", "403", "404", "405"]));
});
