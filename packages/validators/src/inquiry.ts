/**
 * A validator that asks somebody: a model, the operator's own service, a person. What it is told is recorded with the
 * job, once, before anything follows from it: asked again it might say something else.
 *
 * The validator service opens an inquiry (a row, with the most it may cost held against the job's cap), asks, and
 * records the reply. A process that dies in between leaves an inquiry that is overdue: its cost counts as spent.
 */
import type { Rate, Usage } from "@contingent/core/cost";
import type { Json, JsonSchema } from "@contingent/core/json";
import type { Nanos } from "@contingent/core/money";
import type { z } from "zod";
import type { LeafResult, Registered, Subject } from "./validator.ts";

/** Who answers. Models and services are called and answer in seconds; people take their time. */
export type Asked = "model" | "service" | "person";

/** What is asked about. */
export interface Question extends Subject {
  /** Identity of the inquiry: a repeated request to a service carries it. */
  readonly inquiryId: `inq_${string}`;
  readonly jobId: string;
  /** What the outcome type says that a judge should know. */
  readonly outcomeType: {
    readonly name: string;
    readonly version: number;
    readonly description: string;
    /** The lowest score with which an answer is delivered, and so billed. */
    readonly deliversFrom: number;
  };
  /** Which model wrote the answer: a judge must be another one. */
  readonly producer: { readonly provider: string; readonly model: string; readonly tier: string };
  /** What an inquiry draws its randomness from, so that it can be told afterwards what was asked. */
  readonly seed: string;
}

/** What will be asked, decided before anything is held or sent. */
export interface Plan {
  /** The most it can cost; nothing for people and services that are not paid per answer. */
  readonly reserve: Nanos;
  /** Whom that is owed to, and for what of theirs: `anthropic`, `claude-sonnet-5-5`. Null: it costs nothing. */
  readonly payee: { readonly provider: string; readonly name: string } | null;
  /** Who is called: so many may call the same one at once. Null: nobody is. */
  readonly target: string | null;
}

/** What came of asking. */
export type Reply =
  /** `detail` is kept with the inquiry, for people: votes, reasons, the response's id. Never the key, never the prompt. */
  | { readonly kind: "answered"; readonly result: LeafResult; readonly cost: Nanos; readonly detail: Json }
  /** Nothing yet: the answer comes by itself (a callback, a person's decision), or the time is over. */
  | { readonly kind: "pending" }
  /** No answer, which says nothing about the outcome. `cost` null: unknown, so the reserve counts as spent. */
  | { readonly kind: "broke"; readonly error: string; readonly cost: Nanos | null };

/** One call to a model, as whoever makes it takes it. */
export interface ModelCall {
  readonly model: string;
  readonly system: string;
  readonly user: string;
  readonly outputSchema: JsonSchema;
  readonly outputTokensMax: number;
}

/** What came of a call: an answer with its usage, or a failure that may have been billed all the same. */
export type ModelAnswer =
  | {
      readonly kind: "answered";
      readonly text: string;
      readonly stop: "end" | "truncated" | "refused";
      readonly usage: Usage;
      readonly responseId: string;
    }
  | {
      readonly kind: "unavailable" | "timeout" | "rate_limited" | "rejected";
      readonly mayHaveBeenBilled: boolean;
      /** How long the provider asks us to wait; null: it does not say. */
      readonly retryAfterMs: number | null;
      readonly message: string;
    };

/** A model that can be asked now: where it stands, what it costs, and how. */
export interface AskableModel {
  readonly provider: string;
  readonly rate: Rate;
  /** An upper bound of the prompt's tokens. */
  inputTokensAtMost(call: ModelCall): number;
  /** Makes one call. Never rejects. */
  call(call: ModelCall, signal: AbortSignal): Promise<ModelAnswer>;
}

/** What a service answered to a request. */
export type ServiceAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly body: string }
  | { readonly kind: "failed"; readonly message: string };

/** Services of the operator's that know one of the operator's secrets. */
export interface AskableService {
  /**
   * Sends JSON, signed, once, to a public address. Never rejects.
   * @param request a repeated one has the same id
   */
  post(request: {
    readonly url: string;
    readonly id: string;
    readonly body: string;
    readonly signal: AbortSignal;
  }): Promise<ServiceAnswer>;
}

/** What an inquiry may use to ask. Whoever runs it provides them; tests provide real ones against local servers. */
export interface Means {
  /** Aborted when the time is over. */
  readonly signal: AbortSignal;
  /** Resolves after so long, and at once when the time is over. */
  wait(ms: number): Promise<void>;
  /** The model of exactly this id; null: it is not in the catalog, has no price today, or its provider is not there. */
  model(id: string): AskableModel | null;
  /** Services whose requests are signed with the secret of this name; null: there is no such secret. */
  service(secret: string): AskableService | null;
  /** The tier that the catalog has the model in; null: in none. */
  tierOf(model: string): string | null;
  /** Whether this model was found to let bad answers through as a judge (`name@version`) of this outcome type. */
  isSuspended(judge: {
    readonly model: string;
    readonly validator: string;
    readonly outcomeType: string;
  }): Promise<boolean>;
}

/** One kind of inquiry. */
export interface Inquiry<O> {
  readonly name: string;
  /** Rises whenever the same question may be put in other words, or the same reply be read in another way. */
  readonly version: number;
  readonly asked: Asked;
  readonly options: z.ZodType<O>;
  /** The most that one answer may cost under these options: room that every attempt leaves free under the cost cap. */
  costMax(options: O): Nanos;
  /** How long an answer may take. A call is given up then; a person's silence means what the options say. */
  durationMs(options: O): number;
  /** @throws ValidatorError when it cannot be asked at all */
  plan(question: Question, options: O, means: Means): Promise<Plan> | Plan;
  /** Asks. Never rejects for a reason that lies with whom it asks. */
  ask(question: Question, options: O, means: Means): Promise<Reply>;
  /** A recorded reply, as JSON, as a result: what the cases beside each inquiry are about. */
  read(reply: Json, options: O): LeafResult;
  /** What it means that nobody answered in time; null: that there is no verdict. */
  silence(options: O): LeafResult | null;
}

/** An inquiry whose options' type has been closed over. Each throws `ValidatorError` when the options do not fit. */
export interface RegisteredInquiry extends Registered {
  readonly kind: "inquiry";
  readonly asked: Asked;
  costMax(options: unknown): Nanos;
  durationMs(options: unknown): number;
  plan(question: Question, options: unknown, means: Means): Promise<Plan> | Plan;
  ask(question: Question, options: unknown, means: Means): Promise<Reply>;
  read(reply: Json, options: unknown): LeafResult;
  silence(options: unknown): LeafResult | null;
}
