/**
 * A client that goes on ordering, whatever happens around it. A request without a clear answer is made again with the same
 * idempotency key until there is one, as the API's documentation says: then every order is one job, and the client knows which.
 */
import { randomBytes } from "node:crypto";
import http from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { publish } from "../../e2e/support/cases.ts";
import { HAIKU, INPUT, RIGHT, step, WRONG } from "../../e2e/support/sums.ts";
import type { World } from "./world.ts";

export interface LoadOptions {
  readonly ratePerS: number;
  /** How long a model takes. */
  readonly answersAfterMs?: number;
  /** Orders pass a load balancer, which sends none to an API that says it is not ready. */
  readonly balanced?: boolean;
  /** Asked before each order; orders that were not made are not made up for. */
  readonly mayOrder?: () => boolean;
}

export interface Load extends AsyncDisposable {
  /** The outcome type that is ordered. */
  readonly type: string;
  /** Orders that were acknowledged so far. */
  readonly placed: number;
  /** Orders that are still being asked for. */
  readonly underWay: number;
  /** Answers that were neither an acceptance nor one that says when to ask again: there should be none, ever. */
  readonly refusals: readonly string[];
  /** What requests that were begun broke off with. */
  readonly broken: readonly string[];
  /** Orders no more, and waits until every order is acknowledged. */
  stop(): Promise<void>;
}

const ANSWERS_AFTER_MS = 50;
/** A lost lease ends 5 s after this. */
const CALL_TIMEOUT_MS = 3_000;
const UNDER_WAY_MAX = 500;
const REQUEST_TIMEOUT_MS = 20_000;
const PAUSE_MS = 100;
const PROBE_INTERVAL_MS = 50;
/** Of ten orders: two need a stronger model, one is beyond them all. */
const KINDS = ["easy", "easy", "easy", "easy", "easy", "easy", "easy", "hard", "hard", "beyond"] as const;

/** Begins to order. Every order is recorded with the world's client when it is acknowledged. */
export async function startLoad(world: World, options: LoadOptions): Promise<Load> {
  const quick = { attempts_max: 1, timeout_ms: CALL_TIMEOUT_MS };
  const type = await publish(world.system, {
    cascade: [step("fast", quick), step("standard", quick)],
    deadline_ms: 600_000,
  });
  scriptAnswers(world, options.answersAfterMs ?? ANSWERS_AFTER_MS);
  return new OrderingLoad(world, type, options);
}

function scriptAnswers({ system: { simulator } }: World, ms: number): void {
  const slow = (json: typeof RIGHT) => [{ step: "slow" as const, ms, do: { step: "answer_json" as const, json } }];
  simulator.script({ match: "<beyond-", steps: slow(WRONG), afterwards: "last" });
  simulator.script({ match: "<hard-", model: HAIKU, steps: slow(WRONG), afterwards: "last" });
  for (const kind of ["<hard-", "<easy-"]) simulator.script({ match: kind, steps: slow(RIGHT), afterwards: "last" });
}

class OrderingLoad implements Load {
  readonly #world: World;
  readonly #stopped = new AbortController();
  readonly #underWay = new Set<Promise<void>>();
  readonly #ordering: Promise<void>;
  readonly type: string;
  readonly refusals: string[] = [];
  placed = 0;
  readonly broken: string[] = [];

  /** What the balancer knows: looked at now and then, so that it is always a little late. */
  #isReady = true;
  readonly #probing: Promise<void>;

  constructor(world: World, type: string, { ratePerS, balanced = false, mayOrder = () => true }: LoadOptions) {
    this.#world = world;
    this.type = type;
    this.#probing = balanced ? this.#probe() : Promise.resolve();
    this.#ordering = this.#order(ratePerS, mayOrder);
  }

  get underWay(): number {
    return this.#underWay.size;
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#ordering;
    await Promise.all(this.#underWay);
    await this.#probing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #probe(): Promise<void> {
    const probe = (): Promise<boolean> =>
      fetch(`${this.#world.system.api.url}/readyz`).then(
        async ({ ok, body }) => {
          await body?.cancel();
          return ok;
        },
        () => false,
      );
    while (!this.#stopped.signal.aborted || this.#underWay.size > 0) {
      this.#isReady = await probe();
      await delay(PROBE_INTERVAL_MS);
    }
  }

  async #order(ratePerS: number, mayOrder: () => boolean): Promise<void> {
    const { signal } = this.#stopped;
    const startedAtMs = performance.now();
    for (let n = 0; !signal.aborted; n += 1) {
      const dueAtMs = startedAtMs + (n * 1000) / ratePerS;
      await delay(Math.max(0, dueAtMs - performance.now()), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      if (!mayOrder()) continue;
      if (this.#underWay.size >= UNDER_WAY_MAX) await Promise.race(this.#underWay);
      const placing = this.#place(n).finally(() => this.#underWay.delete(placing));
      this.#underWay.add(placing);
    }
  }

  async #place(n: number): Promise<void> {
    const kind = KINDS[Math.floor(this.#world.chance("kind", String(n)) * KINDS.length)] ?? "easy";
    const marker = `<${kind}-${randomBytes(6).toString("hex")}>`;
    const order = { outcome_type: this.type, input: { marker, ...INPUT } };
    for (;;) {
      while (!this.#isReady) await delay(PROBE_INTERVAL_MS);
      const answered = await this.#ask(marker, JSON.stringify(order));
      if (answered !== null && (answered.status === 202 || answered.status === 200)) {
        this.#world.client.note(JSON.parse(answered.text));
        this.placed += 1;
        return;
      }
      if (answered !== null && !isTryAgain(answered)) {
        this.refusals.push(`${answered.status} ${answered.text.slice(0, 300)}`);
        return;
      }
      await delay(PAUSE_MS);
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
