/**
 * Throws requests at the API that are made of its own document: right ones, ones at the edge of right, and wrong ones of
 * every kind. No answer may be a server's error, each must be as documented, and what is refused must have done nothing.
 */
import { OPERATIONS } from "@contingent/contracts/http/operations";
import fc from "fast-check";
import { type Asked, ROWS } from "../authorisation/rows.ts";
import type { AttackedApi, Tenant } from "../support/api.ts";
import { StoredThings } from "../support/digest.ts";
import { type DocumentedRoute, readDocument } from "../support/document.ts";
import { publishTypes, Things, TYPE } from "../support/things.ts";
import { Answers } from "./answers.ts";
import type { WireRequest } from "./mischief.ts";
import { type FuzzedRequest, type Means, requestsFor } from "./requests.ts";
import { Wire, type WireAnswer } from "./send.ts";
import { type KnownThings, Values } from "./values.ts";

/** Time is what ends a run. */
const RUNS_MAX = 1_000_000_000;

export interface FuzzOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly onProgress?: (report: FuzzReport) => void;
}

export interface FuzzReport {
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
  /** Routes that have answered a request as if it were right. */
  readonly succeeded: ReadonlySet<string>;
  /** Routes of the document. */
  readonly routes: readonly string[];
}

/** A request that should not have been answered as it was. */
export class Finding extends Error {
  override readonly name = "Finding";
}

/** @throws Finding with the request, the answer and the seed */
export async function fuzz(api: AttackedApi, options: FuzzOptions): Promise<FuzzReport> {
  const document = await readDocument(api.url);
  await publishTypes(api);
  const tenant = await api.newTenant();
  const samples = await samplesOf(new Things(api, tenant));
  // Its own keys would be among the first to be revoked.
  const own = new Set([api.operator, tenant.client].map(({ key }) => `key_${key.split("_")[2]}`));
  const values = new Values(document.schemas, await thingsIn(api, own));
  const means: Means = { values, samples, keysFor: keysOf(api, tenant) };
  const target = { api, answers: new Answers(document), stored: await StoredThings.in(api.pool) };
  using wire = new Wire(api.url);
  const tally = new Tally(document.routes.map(({ operationId }) => operationId));
  const requests = fc.oneof(...document.routes.map((route) => requestsFor(route, means)));
  const property = fc.asyncProperty(requests, async (fuzzed) => {
    await strike(target, wire, fuzzed, tally);
    options.onProgress?.(tally.report());
  });
  const { seed, durationMs: interruptAfterTimeLimit } = options;
  // What is found is told as it is: the things that it was about are not there a second time.
  const run = { seed, interruptAfterTimeLimit, numRuns: RUNS_MAX, endOnFailure: true };
  const { failed, errorInstance } = await fc.check(property, run);
  if (failed && errorInstance !== null) throw new Finding(`seed ${seed}\n${saying(errorInstance)}`);
  return tally.report();
}

function saying(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface Target {
  readonly api: AttackedApi;
  readonly answers: Answers;
  readonly stored: StoredThings;
}

async function strike(target: Target, wire: Wire, fuzzed: FuzzedRequest, tally: Tally): Promise<void> {
  const { api, answers, stored } = target;
  const { route, request } = fuzzed;
  const answer = await wire.send(request).catch((error: unknown) => {
    throw new Finding(`${told(request)}\nno answer: ${String(error)}\n${lastOf(api)}`);
  });
  const fault = answers.faultIn(route, request, answer);
  if (fault !== null)
    throw new Finding(`${told(request)}\n${fault}: ${answer.status} ${answer.body.slice(0, 600)}\n${lastOf(api)}`);
  const changes = await stored.changes();
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
    if (route !== null && status < 400) this.#succeeded.add(route.operationId);
  }

  report(): FuzzReport {
    return { requests: this.#requests, byStatus: this.#byStatus, succeeded: this.#succeeded, routes: this.#routes };
  }
}

/** One of each request that is right. */
async function samplesOf(things: Things): Promise<Readonly<Record<string, readonly Asked[]>>> {
  const rows = Object.entries(ROWS).map(async ([id, { ask }]) => [id, [await ask(things)]] as const);
  return Object.fromEntries(await Promise.all(rows));
}

/** Ids of all that there is, whoever has it. */
async function thingsIn({ pool }: AttackedApi, except: ReadonlySet<string>): Promise<KnownThings> {
  const { rows } = await pool.query<{ id: string }>(`
    SELECT id FROM job UNION ALL SELECT id FROM attempt UNION ALL SELECT id FROM dispute UNION ALL SELECT id FROM customer
    UNION ALL SELECT id FROM api_key UNION ALL SELECT id FROM verdict`);
  const ids = Map.groupBy(
    rows.map(({ id }) => id).filter((id) => !except.has(id)),
    (id) => id.slice(0, 3),
  );
  return { ids: Object.fromEntries(ids), names: [TYPE, "attacked-reviewed", "anthropic"] };
}

/** Mostly a key that opens the route; sometimes the other one. */
function keysOf({ operator }: AttackedApi, tenant: Tenant): Means["keysFor"] {
  const [operators, customers] = [operator.key, tenant.client.key];
  const access = new Map(OPERATIONS.map((operation) => [operation.id, operation.access]));
  return ({ operationId }) => {
    switch (access.get(operationId)) {
      case "operator":
        return [operators, operators, operators, operators, customers];
      case "customer":
        return [customers, customers, customers, customers, operators];
      case "any":
        return [customers, operators];
      case "public":
      case undefined:
        return ["", operators];
    }
  };
}
