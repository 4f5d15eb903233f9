/**
 * What the hazards are let loose on: a whole system on a Postgres and a Redis of its own, with a link on every way between
 * a service and what it needs, and a client that keeps its own record of what it was promised.
 */
import { chance } from "@contingent/simulator/mind/chance";
import { type OwnPostgres, startOwnPostgres } from "@contingent/testkit/own-postgres";
import { type RedisServer, startRedis } from "@contingent/testkit/redis";
import { startSystem, type System, type SystemOptions } from "@contingent/testkit/system";
import { startTcpLink, type TcpLink } from "@contingent/testkit/tcp-link";
import type { TransportName } from "@contingent/testkit/transports";
import { freePort } from "@contingent/embedded/ports";
import { ClientRecord } from "./client-record.ts";

/** The ways out of the services. Each can be slowed down, cut, or made to lose everything. */
export interface Links {
  readonly database: TcpLink;
  readonly queue: TcpLink;
  readonly provider: TcpLink;
}

export interface World extends AsyncDisposable {
  readonly transport: TransportName;
  /** Its clients keep a record of what was acknowledged. Its pool takes no link. */
  readonly system: System;
  readonly postgres: OwnPostgres;
  /** Null on the Postgres transport. */
  readonly redis: RedisServer | null;
  readonly links: Links;
  readonly client: ClientRecord;
  /** From 0 to below 1: what is left to chance, the same for the same seed and words. */
  chance(...words: readonly string[]): number;
}

export interface WorldOptions extends Pick<SystemOptions, "breakers"> {
  readonly transport: TransportName;
  readonly seed: string;
  readonly workers?: Readonly<Record<string, number>>;
  /** Variables for every service. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Two fast workers, so that one can take over from the other. */
const WORKERS = { fast: 2, standard: 1, premium: 1 };
/** Within this much a service notices that Postgres has been swallowed by the network, in place of the usual 35 s. */
const QUERY_TIMEOUT_MS = 3_000;
/** Lost messages and lost leases are noticed this soon, so that tests need not wait for what production waits for. */
const SWEEP_INTERVAL_MS = "50";
/** Longer than the load balancers of tests take to notice (load.ts), also on a busy machine. */
const DRAIN_DELAY_MS = "1000";

export async function startWorld({
  transport,
  seed,
  workers = WORKERS,
  env = {},
  breakers,
}: WorldOptions): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const [postgres, redis] = await Promise.all([startOwnPostgres(), transport === "redis" ? startRedis() : null]);
  stack.defer(() => postgres.stop());
  stack.defer(() => redis?.stop());
  const queueUrl = redis?.url ?? postgres.url;
  const simulatorPort = await freePort();
  const links = {
    database: await linkTo(postgres.url, stack),
    queue: await linkTo(queueUrl, stack),
    provider: await linkTo(`http://127.0.0.1:${simulatorPort}`, stack),
  };
  const system = await startSystem({
    transport,
    workers,
    breakers,
    simulator: { port: simulatorPort },
    anthropicBaseUrl: `http://127.0.0.1:${links.provider.port}`,
    env: { SWEEP_INTERVAL_MS, DRAIN_DELAY_MS, ...env },
    servers: {
      databaseUrl: postgres.url,
      queueUrl,
      forServices: {
        databaseUrl: impatient(links.database.through(postgres.url)),
        queueUrl: redis === null ? impatient(links.queue.through(queueUrl)) : links.queue.through(queueUrl),
      },
    },
  });
  stack.use(system);
  const client = new ClientRecord();
  // From here on the caller owns everything.
  const owned = stack.move();
  return {
    transport,
    system: { ...system, api: client.recording(system.api) },
    postgres,
    redis,
    links,
    client,
    chance: (...words) => chance(seed, ...words),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function impatient(url: string): string {
  const changed = new URL(url);
  changed.searchParams.set("query_timeout", String(QUERY_TIMEOUT_MS));
  return changed.href;
}

export function linksOf({ links }: World): readonly TcpLink[] {
  return [links.database, links.queue, links.provider];
}

async function linkTo(url: string, stack: AsyncDisposableStack): Promise<TcpLink> {
  const { hostname, port } = new URL(url);
  const link = await startTcpLink({ host: hostname, port: Number(port) });
  stack.defer(() => link.close());
  return link;
}
