/**
 * Throws requests at the API that are made of its own document: right ones, ones at the edge of right, and wrong ones of
 * every kind. No answer may be a server's error, each must be as documented, and what is refused must have done nothing.
 */
import type { AttackedApi } from "../support/api.ts";
import { StoredThings } from "../support/digest.ts";
import { type DocumentedRoute, readDocument } from "../support/document.ts";
import { MadeThings } from "../support/things.ts";
import { publishTypes } from "../support/types.ts";
import { Answers } from "./answers.ts";
import type { WireRequest } from "./mischief.ts";
import { planOf } from "./plan.ts";
import type { FuzzedRequest } from "./requests.ts";
import { Wire, type WireAnswer } from "./send.ts";
import { World } from "./symbols.ts";

export interface FuzzOptions {
  readonly seed: number;
  /** For what comes after each route's right request. */
  readonly durationMs: number;
  /** How many of that are sent, however long it takes. */
  readonly requestsMin?: number;
  readonly onProgress?: (report: FuzzReport) => void;
}

export interface FuzzReport {
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Routes that no request has succeeded at. */
  readonly untaken: readonly string[];
  /** Routes of the document. */
  readonly routes: readonly string[];
}

/** A request that should not have been answered as it was. It is told as it is: its things are not there a second time. */
export class Finding extends Error {
  override readonly name = "Finding";
}

/** @throws Finding with the request, the answer, the seed and the request's number */
export async function fuzz(
  api: AttackedApi,
  { seed, durationMs, requestsMin = 0, onProgress }: FuzzOptions,
): Promise<FuzzReport> {
  const document = await readDocument(api.url);
  await publishTypes(api);
  const { right, further, symbols } = await planOf(document);
  const world = new World(new MadeThings(api, await api.newTenant()), api.operator.key);
  const target = { api, answers: new Answers(document), stored: await StoredThings.in(api.pool) };
  using wire = new Wire(api.url);
  const tally = new Tally(document.routes.map(({ operationId }) => operationId));
  const send = async (fuzzed: FuzzedRequest, looksForChanges: boolean): Promise<void> => {
    const real = { ...fuzzed, request: await world.real(fuzzed.request) };
    await strike({ ...target, looksForChanges }, wire, real, tally).catch((error: unknown) => {
      throw error instanceof Finding ? new Finding(`seed ${seed}, request ${tally.next}\n${error.message}`) : error;
    });
    onProgress?.(tally.report());
  };
  // They succeed, or are missed.
  for (const fuzzed of right) await send(fuzzed, false);
  // All there is now: later the tenant may be one who cannot have it any more.
  await world.told(symbols.join(" "));
  await target.stored.changes();
  const untilMs = performance.now() + durationMs;
  let sent = 0;
  for (const fuzzed of further(seed)) {
    if (performance.now() >= untilMs && sent >= requestsMin) break;
    await send(fuzzed, true);
    sent += 1;
  }
  return tally.report();
}

interface Target {
  readonly api: AttackedApi;
  readonly answers: Answers;
  readonly stored: StoredThings;
  readonly looksForChanges: boolean;
}

async function strike(target: Target, wire: Wire, fuzzed: FuzzedRequest, tally: Tally): Promise<void> {
  const { api, answers, stored, looksForChanges } = target;
  const { route, request } = fuzzed;
  const answer = await wire.send(request).catch((error: unknown) => {
    throw new Finding(`${told(request)}\nno answer: ${String(error)}\n${lastOf(api)}`);
  });
  const fault = answers.faultIn(route, request, answer);
  if (fault !== null)
    throw new Finding(`${told(request)}\n${fault}: ${answer.status} ${answer.body.slice(0, 600)}\n${lastOf(api)}`);
  const changes = looksForChanges ? await stored.changes() : [];
  if (answer.status >= 400 && changes.length > 0) {
    throw new Finding(`${told(request)}\n${answer.status}, and yet something has changed in ${changes.join(", ")}`);
  }
  tally.count(route, answer);
}

function told({ made, method, target, headers, body }: WireRequest): string {
  const text = new TextDecoder().decode(body ?? new Uint8Array()).slice(0, 2_000);
  return `${made}\n${method} ${target.slice(0, 2_000)}\n${JSON.stringify(headers).slice(0, 500)}\n${text}`;
}

function lastOf(api: AttackedApi): string {
  return api.log().split("\n").slice(-4).join("\n").slice(0, 4_000);
}

class Tally {
  readonly #routes: readonly string[];
  readonly #byStatus: Record<string, number> = {};
  readonly #succeeded = new Set<string>();
  #requests = 0;

  constructor(routes: readonly string[]) {
    this.#routes = routes;
  }

  count(route: DocumentedRoute | null, { status }: WireAnswer): void {
    this.#requests += 1;
    this.#byStatus[status] = (this.#byStatus[status] ?? 0) + 1;
    if (route !== null && status >= 200 && status < 300) this.#succeeded.add(route.operationId);
  }

  get next(): number {
    return this.#requests + 1;
  }

  report(): FuzzReport {
    const untaken = this.#routes.filter((route) => !this.#succeeded.has(route));
    return { requests: this.#requests, byStatus: this.#byStatus, untaken, routes: this.#routes };
  }
}
