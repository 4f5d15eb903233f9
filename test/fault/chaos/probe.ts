/** A customer of its own, whose first job tells that everything works again: nobody's backlog is before it. */
import type { ApiClient } from "@contingent/embedded/api-client";
import { until } from "@contingent/testkit/until";
import { answer, newMarker } from "../../e2e/support/cases.ts";
import { INPUT, RIGHT } from "../../e2e/support/sums.ts";
import type { World } from "../harness/world.ts";

const DONE_TIMEOUT_MS = 180_000;
const REQUEST_TIMEOUT_MS = 5_000;

export class Probe {
  readonly #world: World;
  readonly #api: ApiClient;
  readonly #type: string;

  private constructor(world: World, api: ApiClient, type: string) {
    this.#world = world;
    this.#api = api;
    this.#type = type;
  }

  static async open(world: World, type: string): Promise<Probe> {
    const { api } = await world.system.anotherCustomer();
    return new Probe(world, world.client.recording(api), type);
  }

  /** @returns how long it took until a job was accepted and closed, ms */
  async untilDone(): Promise<number> {
    const startedMs = performance.now();
    const marker = newMarker();
    this.#world.system.simulator.script({ match: marker, steps: [answer(RIGHT)] });
    const body = { outcome_type: this.#type, input: { marker, ...INPUT } };
    const headers = { "idempotency-key": `"${marker}"` };
    const timing = { timeoutMs: DONE_TIMEOUT_MS, intervalMs: 50, what: "a job of a new customer to be done" };
    const ask = (request: { readonly method?: string; readonly path: string; readonly body?: unknown }) =>
      this.#api.send({ ...request, headers, signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS) });
    const id = await until(async () => idOf((await ask({ method: "POST", path: "/v1/jobs", body })).body), timing);
    await until(async () => isClosed((await ask({ path: `/v1/jobs/${id}` })).body), timing);
    return performance.now() - startedMs;
  }
}

function idOf(body: unknown): string | null {
  if (typeof body !== "object" || body === null || !("id" in body)) return null;
  return typeof body.id === "string" ? body.id : null;
}

function isClosed(body: unknown): boolean {
  return typeof body === "object" && body !== null && "state" in body && body.state === "closed";
}
