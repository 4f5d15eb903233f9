/** Hazard: a request that nobody thought of. `fuzz-main.ts` throws more of them, for as long as one likes. */
import { openApiDocument } from "@contingent/contracts/http/openapi";
import fc from "fast-check";
import { expect, test } from "vitest";
import { startAttackedApi } from "../support/api.ts";
import { documentIn } from "../support/document.ts";
import { fuzz } from "./fuzz.ts";
import { type Plan, planOf } from "./plan.ts";
import type { FuzzedRequest } from "./requests.ts";

const DURATION_MS = 10_000;
/** So many at least, however busy the machine is. */
const REQUESTS_MIN = 200;
const TIMEOUT_MS = 240_000;

/** Routes that no request of ours can succeed at, each with why. */
const NEVER: Readonly<Record<string, string>> = {};

test(
  "whatever is sent, the API answers as documented, never with a server's error; and what it refuses changes nothing",
  { timeout: TIMEOUT_MS },
  async () => {
    await using api = await startAttackedApi();
    const { seed = Date.now() % 2 ** 31 } = fc.readConfigureGlobal();
    const { byStatus, untaken } = await fuzz(api, { seed, durationMs: DURATION_MS, requestsMin: REQUESTS_MIN });
    expect(api.exit()).toBeNull();
    // It got through to what is behind the checks of every route, and was stopped by them.
    expect(untaken).toEqual(Object.keys(NEVER));
    expect(Object.keys(byStatus)).toEqual(
      expect.arrayContaining(["200", "201", "202", "400", "401", "403", "404", "405"]),
    );
  },
);

test("a seed makes the same requests each time, byte for byte; another one makes others", async () => {
  const document = documentIn(openApiDocument({ version: "test" }));
  const [plan, anew] = [await planOf(document), await planOf(document)];
  expect(requestsOf(anew, 4711)).toEqual(requestsOf(plan, 4711));
  expect(requestsOf(plan, 4712)).not.toEqual(requestsOf(plan, 4711));
});

function requestsOf({ right, further }: Plan, seed: number, count = 500): readonly string[] {
  const told = right.map(textOf);
  for (const fuzzed of further(seed)) if (told.push(textOf(fuzzed)) >= count) break;
  return told;
}

function textOf({ route, request }: FuzzedRequest): string {
  const body = request.body === null ? null : Buffer.from(request.body).toString("base64");
  return JSON.stringify({ ...request, body, route: route?.operationId ?? null });
}
