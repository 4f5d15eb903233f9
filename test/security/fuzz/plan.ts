/**
 * What is sent, in its order: it follows from the document and a seed, and from nothing else. First every route gets a request
 * that is right about things of its own; then come right and wrong ones, without an end.
 */
import { OPERATIONS } from "@contingent/contracts/http/operations";
import fc from "fast-check";
import { ROWS } from "../authorisation/rows.ts";
import type { ApiDocument, DocumentedRoute } from "../support/document.ts";
import { TYPE, REVIEWED } from "../support/types.ts";
import { type FuzzedRequest, type Means, requestsFor, rightRequest } from "./requests.ts";
import { OPERATORS_KEY, Symbols, TENANTS_KEY } from "./symbols.ts";
import { Values } from "./values.ts";

/** Requests that are thought up at a time. */
const AT_ONCE = 50;

export interface Plan {
  readonly right: readonly FuzzedRequest[];
  readonly further: (seed: number) => Iterable<FuzzedRequest>;
  /** All things that they name. */
  readonly symbols: readonly string[];
}

export async function planOf({ routes, schemas }: ApiDocument): Promise<Plan> {
  const things = new Symbols();
  const samples: Record<string, Means["samples"][string]> = {};
  for (const { operationId: id } of routes) {
    const asked = await ROWS[id]?.ask(things);
    if (asked === undefined) throw new Error(`there is no right request of ${id} (authorisation/rows.ts)`);
    samples[id] = asked;
  }
  // Not among what a row asks for by itself.
  await things.make("verdict");
  const values = new Values(schemas, { ids: things.ids, names: [TYPE, REVIEWED, "anthropic", ...things.names] });
  const means: Means = { values, samples, keysFor };
  const right = routes.map((route) => rightRequest(route, means));
  const symbols = [...Object.values(things.ids).flat(), ...things.names];
  const requests = fc.oneof(...routes.map((route) => requestsFor(route, means)));
  return { right, symbols, further: (seed) => further(requests, seed) };
}

function* further(requests: fc.Arbitrary<FuzzedRequest>, seed: number): Generator<FuzzedRequest> {
  for (let block = 0; ; block += 1) yield* fc.sample(requests, { seed: seed + block, numRuns: AT_ONCE });
}

const ACCESS = new Map<string, string>(OPERATIONS.map(({ id, access }) => [id, access]));

/** Mostly a key that opens the route, which is the first one; sometimes the other one. */
function keysFor({ operationId }: DocumentedRoute): readonly string[] {
  const mostly = (key: string, other: string): readonly string[] => [key, key, key, key, other];
  switch (ACCESS.get(operationId)) {
    case "operator":
      return mostly(OPERATORS_KEY, TENANTS_KEY);
    case "customer":
      return mostly(TENANTS_KEY, OPERATORS_KEY);
    case "any":
      return [TENANTS_KEY, OPERATORS_KEY];
    default:
      return ["", OPERATORS_KEY];
  }
}
