/**
 * A client that goes on ordering, whatever happens around it. A request without a clear answer is made again with the same
 * idempotency key until there is one, as the API's documentation says: then every order is one job, and the client knows which.
 */
import { randomBytes } from "node:crypto";
import http from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "@contingent/testkit/until";
import { publish } from "../../e2e/support/cases.ts";
import { HAIKU, INPUT, RIGHT, step, WRONG } from "../../e2e/support/sums.ts";
import type { World } from "./world.ts";

export interface LoadOptions {
  /** Orders a second, by the clock. */
  readonly ratePerS: number;
  /** How long a model takes. */
  readonly answersAfterMs?: number;
  /** After which a call is given up. A lost lease ends 5 s later. */
  readonly callTimeoutMs?: number;
  /** Orders pass a load balancer, which sends none to an API that says it is not ready. */
  readonly balanced?: boolean;
  /**
   * None is made while so many are being asked for or worked on, and those are not made up for: then a slow machine has no
   * more to do in the end than a fast one.
   */
  readonly openMax?: number | undefined;
}

export interface Load extends AsyncDisposable {
  /** The outcome type that is ordered. */
  readonly type: string;
  /** Orders that were made so far. */
  readonly made: number;
  /** Orders that were acknowledged so far. */
  readonly placed: number;
  /** Orders that are still being asked for. */
  readonly underWay: number;
  /** Orders whose jobs are not closed, as far as is known: at most so many. */
  readonly open: number;
  /** Answers that were neither an acceptance nor one that says when to ask again: there should be none, ever. */
  readonly refusals: readonly string[];
  /** What requests that were begun broke off with. */
  readonly broken: readonly string[];
  /** Waits until so many more orders are acknowledged. */
  untilPlaced(more: number): Promise<void>;
  /** Orders no more, and waits until every order is acknowledged. */
  stop(): Promise<void>;
}

const ANSWERS_AFTER_MS = 50;
const CALL_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 20_000;
/** Before an order is asked for again, and twice as long each time: all who wait for an API come back when it does. */
const PAUSE_FIRST_MS = 100;
const PAUSE_MAX_MS = 1_000;
const PROBE_INTERVAL_MS = 50;
const COUNT_INTERVAL_MS = 200;
/** Of ten orders: two need a stronger model, one is beyond them all. */
const KINDS = ["easy", "easy", "easy", "easy", "easy", "easy", "easy", "hard", "hard", "beyond"] as const;

/** Begins to order. Every order is recorded with the world's client when it is acknowledged. */
export async function startLoad(world: World, options: LoadOptions): Promise<Load> {
  const quick = { attempts_max: 1, timeout_ms: options.callTimeoutMs ?? CALL_TIMEOUT_MS };
  const type = await publish(world.system, {
    cascade: [step("fast", quick), step("standard", quick)],
    deadline_ms: 600_000,
  });
  const tag = randomBytes(3).toString("hex");
  scriptAnswers(world, tag, options.answersAfterMs ?? ANSWERS_AFTER_MS);
  return new OrderingLoad(world, { type, tag }, options);
}

/** @param tag of this load: what others have scripted for theirs comes first, and would answer in its place */
function scriptAnswers({ system: { simulator } }: World, tag: string, ms: number): void {
  const slow = (json: typeof RIGHT) => [{ step: "slow" as const, ms, do: { step: "answer_json" as const, json } }];
  simulator.script({ match: `<beyond-${tag}-`, steps: slow(WRONG), afterwards: "last" });
  simulator.script({ match: `<hard-${tag}-`, model: HAIKU, steps: slow(WRONG), afterwards: "last" });
  for (const kind of ["hard", "easy"]) {
    simulator.script({ match: `<${kind}-${tag}-`, steps: slow(RIGHT), afterwards: "last" });
  }
}

class OrderingLoad implements Load {
  readonly #world: World;
  readonly #tag: string;
  readonly #openMax: number;
  readonly #stopped = new AbortController();
  readonly #ended = new AbortController();
  readonly #asking = new Set<Promise<void>>();
  readonly #ordering: Promise<void>;
  readonly #looking: Promise<unknown>;
  readonly type: string;
  readonly refusals: string[] = [];
  readonly broken: string[] = [];
  made = 0;
  placed = 0;

  /** What the balancer knows: looked at now and then, so that it is always a little late. */
  #isReady = true;
  #counted = { open: 0, placed: 0 };

  constructor(world: World, { type, tag }: { readonly type: string; readonly tag: string }, options: LoadOptions) {
    this.#world = world;
    this.#tag = tag;
    this.#openMax = options.openMax ?? Number.POSITIVE_INFINITY;
    this.type = type;
    const counting = this.#repeat(COUNT_INTERVAL_MS, () => this.#count());
    const probing = options.balanced === true ? this.#repeat(PROBE_INTERVAL_MS, () => this.#probe()) : null;
    this.#looking = Promise.all([counting, probing]);
    this.#ordering = this.#order(options.ratePerS);
  }

  get underWay(): number {
    return this.#asking.size;
  }

  get open(): number {
    return this.#counted.open + this.placed - this.#counted.placed;
  }

  async untilPlaced(more: number): Promise<void> {
    const enough = this.placed + more;
    await until(() => this.placed >= enough, { intervalMs: 5, what: `order ${enough} to be acknowledged` });
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#ordering;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.#ended.abort();
    await this.#looking;
  }

  async #repeat(intervalMs: number, look: () => Promise<void>): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      await look();
      await delay(intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #probe(): Promise<void> {
    this.#isReady = await fetch(`${this.#world.system.api.url}/readyz`).then(
      async ({ ok, body }) => {
        await body?.cancel();
        return ok;
      },
      () => false,
    );
  }

  /** What was seen last holds while the database is away. */
  async #count(): Promise<void> {
    const text = "SELECT count(*)::int AS open FROM job WHERE state <> 'closed' AND outcome_type = $1";
    const { placed } = this;
    const counted = this.#world.system.pool.query<{ open: number }>({ text, values: [this.type] });
    await counted.then(
      ({ rows }) => (this.#counted = { open: rows[0]?.open ?? 0, placed }),
      () => undefined,
    );
  }

  async #order(ratePerS: number): Promise<void> {
    const { signal } = this.#stopped;
    const startedAtMs = performance.now();
    for (let n = 0; !signal.aborted; n += 1) {
      const aheadMs = startedAtMs + (n * 1000) / ratePerS - performance.now();
      // Who is late makes up for it at once: a busy machine would else order less than it was told to.
      if (aheadMs > 0) await delay(aheadMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
      if (this.open + this.underWay >= this.#openMax) continue;
      this.made += 1;
      const placing = this.#place(n).finally(() => this.#asking.delete(placing));
      this.#asking.add(placing);
    }
    while (this.#asking.size > 0) await Promise.all(this.#asking);
  }

  async #place(n: number): Promise<void> {
    const kind = KINDS[Math.floor(this.#world.chance("kind", String(n)) * KINDS.length)] ?? "easy";
    const marker = `<${kind}-${this.#tag}-${randomBytes(6).toString("hex")}>`;
    const order = JSON.stringify({ outcome_type: this.type, input: { marker, ...INPUT } });
    for (let pauseMs = PAUSE_FIRST_MS; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS)) {
      while (!this.#isReady) await delay(PROBE_INTERVAL_MS);
      const answered = await this.#ask(marker, order);
      if (answered !== null && (answered.status === 202 || answered.status === 200)) {
        this.#world.client.note(JSON.parse(answered.text));
        this.placed += 1;
        return;
      }
      if (answered !== null && !isTryAgain(answered)) {
        this.refusals.push(`${answered.status} ${answered.text.slice(0, 300)}`);
        return;
      }
      await delay(Math.max(pauseMs, retryAfterMs(answered)));
    }
  }

  /** Null where no answer came. */
  async #ask(marker: string, body: string): Promise<Answered | null> {
    const { url, key } = this.#world.system.api;
    const headers = {
      authorization: `Bearer ${key}`,
      "content-type": "application/json",
      "idempotency-key": `"${marker}"`,
    };
    try {
      return await post(`${url}/v1/jobs`, headers, body);
    } catch (error) {
      // Nobody listened: a load balancer would ask another one. Anything else was begun and is broken.
      if (!(error instanceof Error && "code" in error && error.code === "ECONNREFUSED"))
        this.broken.push(String(error));
      return null;
    }
  }
}

interface Answered {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly text: string;
}

/** What the API says of itself when it cannot just now: always with the time after which to come back. */
function isTryAgain({ status, retryAfter }: Answered): boolean {
  return [409, 429, 503].includes(status) && retryAfter !== undefined;
}

/** How long the API asks for where there is too much to do. What else it answers with while it cannot is over as soon as it can. */
function retryAfterMs(answered: Answered | null): number {
  return answered?.status === 429 ? Number(answered.retryAfter) * 1_000 : 0;
}

/** A connection for each request: one that is kept may be closed by the other end just when it is used again. */
function post(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const options = { method: "POST", headers, agent: false, timeout: REQUEST_TIMEOUT_MS };
    const request = http.request(url, options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers["retry-after"], text });
      });
    });
    request.on("timeout", () => request.destroy(new Error("no answer")));
    request.on("error", reject);
    request.end(body);
  });
}
