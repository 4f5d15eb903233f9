/**
 * Hazard: jobs that are accepted at the same moment by several processes, each of which sees money that the other one is
 * taking; money that comes back to nobody; a refusal of what would have fitted.
 *
 * Random customers, prepaid and limited, submit at three processes at once, some requests twice, while jobs of theirs end
 * and money comes in. Meanwhile and afterwards nothing is overdrawn, nothing is lost, and what is left can be spent to the
 * last job.
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { customerSchema, type CustomerBody } from "@contingent/contracts/http/customers";
import { errorSchema } from "@contingent/contracts/http/errors";
import { jobSchema } from "@contingent/contracts/http/job";
import type { JobId } from "@contingent/core/ids";
import { formatMoney, nanos, parseMoney } from "@contingent/core/money";
import type { ApiAnswer } from "@contingent/embedded/api-client";
import { serviceProcesses, type ServiceProcess } from "@contingent/embedded/services";
import { type RunningProcess, startServices, stopServices } from "@contingent/embedded/system";
import { checkBooks } from "@contingent/ledger/check-books";
import { answer, happens, judge, partsOf, take, type TestStep } from "@contingent/testkit/jobs";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type MadeCustomer, madeCustomer } from "../customers/made.ts";
import { type Api, claim, DEFINITION, JOB, startApi, SUCCEED } from "../harness.ts";

/** Under CI it is the same story every time, and one without the lock of accounts is noticed in the first. */
const RUNS = process.env["CI"] === "true" ? 1 : 3;
const REQUESTS = 180;
const AT_ONCE = 45;
const PROCESSES = 3;

/** The hold of each outcome type in units of 0.01. A partial outcome of the second one costs less than its hold. */
const HOLDS = { plain: 4, partly: 7, dear: 11 } as const;
type Type = keyof typeof HOLDS;
const TYPES = Object.keys(HOLDS) as Type[];

const ONCE = [{ tier: "fast", attempts_max: 1 }];
const BANDS = [
  { from_score: 0.5, fraction: 0.37 },
  { from_score: 0.9, fraction: 1 },
];

let api: Api;
let others: readonly RunningProcess[];
let urls: readonly string[];
const logs = fs.mkdtempSync(path.join(os.tmpdir(), "contingent-overdraft-"));
beforeAll(async () => {
  api = await startApi();
  others = await startServices(otherProcesses(api.databaseUrl), logs);
  urls = [api.url, ...others.map(({ port }) => `http://127.0.0.1:${port}`)];
  const partly = { partial_at: 0.5, price: { shape: "tiered", amount: "0.07", bands: BANDS } };
  await api.operator.publish("plain", { ...DEFINITION, cascade: ONCE });
  await api.operator.publish("partly", { ...DEFINITION, cascade: ONCE, ...partly });
  await api.operator.publish("dear", { ...DEFINITION, cascade: ONCE, price: { shape: "binary", amount: "0.11" } });
});
afterAll(async () => {
  await stopServices(others);
  await api[Symbol.asyncDispose]();
  fs.rmSync(logs, { recursive: true, force: true });
});

/** The API as processes of their own, as behind a load balancer. */
function otherProcesses(databaseUrl: string): readonly ServiceProcess[] {
  const anthropic = { apiKey: "unused" };
  // Nobody works on these jobs, so none would be done by its deadline.
  const extra = { LIMITS: "off" };
  const all = serviceProcesses({ databaseUrl, queueUrl: databaseUrl, apiPort: 0, anthropic, workers: {}, extra });
  const intake = all.filter(({ name }) => name === "intake");
  return Array.from({ length: PROCESSES - 1 }, (_, n) =>
    intake.map((each) => ({ ...each, name: `intake-${n}` })),
  ).flat();
}

const ENDS: Readonly<Record<string, readonly TestStep[]>> = {
  success: SUCCEED,
  partial: [claim(), answer(), judge("partial"), happens("settled")],
  failure: [claim(), answer(), judge("fail"), happens("settled")],
  cancel: [happens("cancel"), happens("settled")],
};

const grant = fc.record({
  cents: fc.integer({ min: 1, max: 60 }),
  priority: fc.integer({ min: 1, max: 3 }),
  outcome_types: fc.option(fc.subarray(TYPES, { minLength: 1 }), { freq: 2 }),
  path: fc.constantFrom("top-ups", "grants"),
});
const customers = fc.oneof(
  fc.record({ grants: fc.array(grant, { minLength: 1, maxLength: 4 }), limitCents: fc.constant(null) }),
  fc.record({ grants: fc.constant(null), limitCents: fc.integer({ min: 0, max: 150 }) }),
  fc.record({ grants: fc.array(grant, { minLength: 1, maxLength: 4 }), limitCents: fc.integer({ min: 20, max: 200 }) }),
);
const requests = fc.record({
  customer: fc.nat({ max: 4 }),
  type: fc.constantFrom(...TYPES),
  process: fc.nat({ max: PROCESSES - 1 }),
  /** Whether it is sent twice at once, and what says that it is the same. */
  twice: fc.constantFrom(null, null, "outcome_key", "idempotency-key"),
  end: fc.constantFrom(null, ...Object.keys(ENDS)),
  /** Money that comes in beside it. */
  more: fc.option(grant, { freq: 8 }),
});
const stories = fc.record({
  customers: fc.array(customers, { minLength: 5, maxLength: 5 }),
  requests: fc.array(requests, { minLength: REQUESTS, maxLength: REQUESTS }),
});
type Story = typeof stories extends fc.Arbitrary<infer S> ? S : never;
type Request = Story["requests"][number];
type GrantOf = typeof grant extends fc.Arbitrary<infer G> ? G : never;

/** A customer of a story, with what has come in for them. */
interface Player extends MadeCustomer {
  readonly isPrepaid: boolean;
  readonly limitCents: number | null;
  incomingCents: number;
}

function dollars(cents: number): string {
  return formatMoney(nanos(BigInt(cents) * 10_000_000n));
}

function nanosOf(amount: string | undefined): bigint {
  return parseMoney(amount ?? "0") ?? 0n;
}

let refs = 0;
async function bringIn(player: Player, { cents, path, ...rest }: GrantOf): Promise<void> {
  refs += 1;
  player.incomingCents += cents;
  const { status } = await player.post(path, { ref: `ref-${refs}`, amount: dollars(cents), ...rest });
  expect(status).toBe(201);
}

async function playerOf({ grants, limitCents }: Story["customers"][number]): Promise<Player> {
  const limit = limitCents === null ? null : { amount: dollars(limitCents), period: "month" };
  const made = await madeCustomer(api, { billing: grants === null ? "on_account" : "prepaid", limit });
  const player = { ...made, isPrepaid: grants !== null, limitCents, incomingCents: 0 };
  for (const each of grants ?? []) await bringIn(player, each);
  return player;
}

let keys = 0;
async function submit(player: Player, request: Request): Promise<readonly ApiAnswer[]> {
  keys += 1;
  const key = `key-${keys}`;
  const body = { ...JOB, outcome_type: request.type, ...(request.twice === "outcome_key" ? { outcome_key: key } : {}) };
  const headers: Record<string, string> = request.twice === "idempotency-key" ? { "idempotency-key": key } : {};
  const times = request.twice === null ? 1 : 2;
  return await Promise.all(
    Array.from({ length: times }, (_, n) => {
      const url = urls[(request.process + n) % urls.length] ?? api.url;
      return player.client.at(url).send({ method: "POST", path: "/v1/jobs", body, headers });
    }),
  );
}

/** What was accepted for the request: one job at most, however often it was sent. A refusal's numbers are as it says. */
function acceptedBy(answers: readonly ApiAnswer[]): JobId | null {
  const ids = new Set<JobId>();
  for (const { status, body } of answers) {
    if (status === 402) expectShortage(errorSchema.parse(body).error.message);
    else {
      expect([200, 202]).toContain(status);
      ids.add(jobSchema.parse(body).id);
    }
  }
  expect(ids.size).toBeLessThanOrEqual(1);
  return [...ids][0] ?? null;
}

const AMOUNT = String.raw`(\d+\.\d+)`;
const NO_MONEY = new RegExp(`up to ${AMOUNT} USD, and ${AMOUNT} of the prepaid money`);
const NO_ROOM = new RegExp(`up to ${AMOUNT} USD. Of the limit of ${AMOUNT} per month, ${AMOUNT} is in use`);

function expectShortage(message: string): void {
  const [, needed, available] = NO_MONEY.exec(message) ?? [];
  const [, wanted, limit, used] = NO_ROOM.exec(message) ?? [];
  const isShort =
    needed === undefined ? nanosOf(used) + nanosOf(wanted) > nanosOf(limit) : nanosOf(available) < nanosOf(needed);
  expect(isShort, message).toBe(true);
}

async function act(player: Player, request: Request): Promise<void> {
  const [answers] = await Promise.all([
    submit(player, request),
    request.more !== null && player.isPrepaid ? bringIn(player, request.more) : undefined,
    player.read().then((seen) => expectWithinMeans(seen)),
  ]);
  const id = acceptedBy(answers);
  if (id !== null && request.end !== null) await take(api.pool, id, ...(ENDS[request.end] ?? []));
}

/** At any moment at which somebody looks. */
function expectWithinMeans({ limit, held, spent, prepaid }: CustomerBody): void {
  const used = nanosOf(held.amount) + nanosOf(spent.amount);
  expect(limit === null || used <= nanosOf(limit.amount.amount)).toBe(true);
  for (const { available } of prepaid?.grants ?? []) expect(nanosOf(available.amount)).toBeGreaterThan(0n);
}

/** All requests, so many at once, in their order. */
async function play(players: readonly Player[], story: Story): Promise<void> {
  const waiting = [...story.requests];
  const work = async (): Promise<void> => {
    for (let request = waiting.shift(); request !== undefined; request = waiting.shift()) {
      const player = players[request.customer];
      if (player !== undefined) await act(player, request);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** What came in is available, held or charged: all of it, and nothing else. */
async function expectNothingLost(player: Player): Promise<void> {
  const { held, prepaid } = await player.read();
  const text = "SELECT coalesce(sum(amount_nanos), 0)::bigint AS total FROM charge WHERE customer_id = $1";
  const { rows } = await api.pool.query<{ total: bigint }>(text, [player.id]);
  const charged = rows[0]?.total ?? 0n;
  if (!player.isPrepaid) return;
  const left = nanosOf(prepaid?.available.amount) + nanosOf(held.amount) + charged;
  expect(left).toBe(nanosOf(dollars(player.incomingCents)));
}

/** What is left takes every further job that fits it, and no other. */
async function expectAllCanBeSpent(player: Player): Promise<void> {
  for (const type of TYPES) {
    for (let fits = true; fits;) {
      fits = roomFor(await player.read(), type) >= nanosOf(dollars(HOLDS[type]));
      const { status } = await player.client.send({
        method: "POST",
        path: "/v1/jobs",
        body: { ...JOB, outcome_type: type },
      });
      expect(status, `${type} of ${player.id}`).toBe(fits ? 202 : 402);
    }
  }
}

function roomFor({ headroom, prepaid }: CustomerBody, type: Type): bigint {
  const usable = (prepaid?.grants ?? [])
    .filter((each) => each.outcome_types === null || each.outcome_types.includes(type))
    .reduce((total, { available }) => total + nanosOf(available.amount), 0n);
  const limits = [...(prepaid === null ? [] : [usable]), ...(headroom === null ? [] : [nanosOf(headroom.amount)])];
  return limits.reduce((least, each) => (each < least ? each : least));
}

test(
  "no number of jobs at once, at any number of processes, overdraws a grant or exceeds a limit, and nothing is lost",
  { timeout: 240_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(stories, async (story) => {
        const players = await Promise.all(story.customers.map(playerOf));
        await play(players, story);
        for (const player of players) expectWithinMeans(customerSchema.parse(await player.read()));
        await Promise.all(players.map(expectNothingLost));
        await Promise.all(players.map(expectAllCanBeSpent));
        await Promise.all(players.map(expectNothingLost));
        const results = await checkBooks(api.pool, partsOf(api.pool).versions);
        expect(results.filter(({ violations }) => violations.length > 0)).toEqual([]);
      }),
      { numRuns: RUNS, endOnFailure: true },
    );
  },
);
