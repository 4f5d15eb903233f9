/**
 * What a validator is. One folder per validator, of one of two kinds:
 *
 * - a **check** computes its result from the answer alone: pure, bounded, the same at any later time;
 * - an **inquiry** (inquiry.ts) asks somebody else: a model, a service, a person. What they say is recorded, because
 *   it cannot be computed again.
 */
import type { Json, JsonSchema } from "@contingent/core/json";
import type { Finding } from "@contingent/core/verdict";
import type { z } from "zod";

/** What is judged: the answer, together with the request that it answers. */
export interface Subject {
  readonly input: Json;
  /** The model's answer, already read as JSON (`parseOutput`). It is hostile: its keys, sizes and depth are the model's. */
  readonly output: Json;
  /** The outcome type's own output schema. */
  readonly outputSchema: JsonSchema;
}

/** What one validator says of an answer. */
export interface LeafResult {
  /** 0 to 1. */
  readonly score: number;
  /** At least one whenever the score is below 1: each says where, what, and if known what to do about it. */
  readonly findings: readonly Finding[];
}

/**
 * Where a check runs. `inline`: in the process that needs it, because its time is bounded by its input and it cannot
 * crash. `sandbox`: in a disposable process with limits of memory and time, because it runs what others wrote (code,
 * patterns, schemas) or a parser of native code.
 */
export type Place = "inline" | "sandbox";

/**
 * One kind of check. Its options are the outcome type's; they are checked by `options` when the type is published and
 * again before each run. `version` rises whenever the same answer may get another score: it is written into every
 * verdict.
 */
export interface Validator<O> {
  readonly name: string;
  readonly version: number;
  readonly place: Place;
  readonly options: z.ZodType<O>;
  /**
   * About how much there is to do, where that is more than reading the answer and the input once: in steps of 10 ns.
   * A check whose place is `inline` is made in the sandbox when it is too much for others to wait (`INLINE_STEPS_MAX`).
   */
  steps?(subject: Subject, options: O): number;
  /**
   * The same subject and options always give the same result; no I/O, no clock, no randomness. Only a check in the
   * sandbox may take its time to load what it needs, and then answers later.
   */
  validate(subject: Subject, options: O): LeafResult | Promise<LeafResult>;
}

/** A mistake in an outcome type: where (a JSON pointer into the definition) and what to change. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** What every validator has whose options' type has been closed over, so that all fit one table. */
export interface Registered {
  readonly name: string;
  readonly version: number;
  /** The mistakes in these options, each with its JSON pointer below the options; none: the options are good. */
  problemsOf(options: unknown): readonly Problem[];
}

export interface RegisteredCheck extends Registered {
  readonly kind: "check";
  readonly place: Place;
  /** Whether others can wait until it is made in this process. */
  isQuick(subject: Subject, options: unknown): boolean;
  /**
   * Judges an answer, here and now: a check whose place is the sandbox is run by `packages/sandbox`, and by tests.
   * @throws ValidatorError when the options do not fit: the validator broke, which is no verdict on the answer.
   */
  run(subject: Subject, options: unknown): LeafResult | Promise<LeafResult>;
}

/** The check itself could not be made. It says nothing about the answer, and never bills. */
export class ValidatorError extends Error {
  override readonly name = "ValidatorError";
}

/**
 * Runs a check whose place is the sandbox.
 * @throws ValidatorError when it could not be run, or what it is run by is not available
 */
export type RunCheck = (validator: RegisteredCheck, subject: Subject, options: unknown) => Promise<LeafResult>;

/** Runs it in this process all the same: for cases that are known to be harmless. */
export const runHere: RunCheck = async (validator, subject, options) => await validator.run(subject, options);
