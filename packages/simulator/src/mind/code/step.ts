/** What a described step compiles to: the TypeScript of it and, so that test cases can be computed, the doing of it. */
import { isJsonObject, type Json } from "@contingent/core/json";
import { isList } from "../../json.ts";

/** The arguments of one call by parameter name. */
export type Env = Readonly<Record<string, Json>>;

/** A step that turns the value so far into the next one. */
export interface Op {
  /** What the value may be called afterwards. */
  readonly name: string;
  /** TypeScript of the next value, given an expression for the one so far. */
  emit(value: string): string;
  run(value: Json, env: Env): Json;
}

/** A step that ends early: `if (condition) return result`. */
export interface Guard {
  readonly condition: Condition;
  /** Of which the condition speaks: a parameter, or null for the value so far. */
  readonly of: string | null;
  readonly result: Operand;
}

export interface Operand {
  /** TypeScript of it. */
  readonly code: string;
  run(env: Env): Json;
}

export interface Condition {
  emit(value: string): string;
  run(value: Json, env: Env): boolean;
}

/** How a sentence is recognised and what it means. The first rule that fits and makes sense counts. */
export interface Rule {
  readonly pattern: RegExp;
  op(match: RegExpExecArray, operand: (text: string | undefined) => Operand | null): Op | null;
}

/** Text, list or number: a step was applied to something that it has no meaning for. */
export class Misapplied extends Error {}

export function asText(value: Json | undefined): string {
  if (typeof value !== "string") throw new Misapplied("not a text");
  return value;
}

export function asNumber(value: Json | undefined): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Misapplied("not a number");
  return value;
}

export function asList(value: Json | undefined): readonly Json[] {
  if (!isList(value)) throw new Misapplied("not a list");
  return value;
}

export function fieldOf(value: Json | undefined, name: string): Json {
  if (!isJsonObject(value)) throw new Misapplied("not an object");
  return value[name] ?? null;
}
