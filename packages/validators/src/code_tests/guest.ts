/**
 * Runs calls of somebody else's code in QuickJS: an interpreter in WebAssembly, with no I/O, no clock and no randomness.
 * Every call has a runtime of its own. What it may compute is counted in the interpreter's steps and not by a clock, so
 * that the same code has the same result on every machine.
 */
import type { Json } from "@contingent/core/json";
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  type QuickJSWASMModule,
} from "quickjs-emscripten-core";
import { CALL, PRELUDE, takingFunction } from "./guest-code.ts";

/** As the interpreter counts: of small objects it sees a quarter. */
const MEMORY_BYTES_MAX = 32 * 1024 * 1024;
/** Some 10,000 calls deep, as elsewhere. The sandbox gives its processes the stack that this takes. */
const STACK_BYTES_MAX = 2 * 1024 * 1024;
/** Reactions of promises that take as long as one step. */
const JOBS_PER_STEP = 400;

/** What became of a call. */
export type Ran =
  | { readonly kind: "returned"; readonly value: Json }
  /** What is returned instead of JSON, in words of ours. */
  | { readonly kind: "no_json"; readonly what: string }
  /** `error` is one of the language's kinds; `message` is the guest's own text. */
  | { readonly kind: "threw"; readonly error: string; readonly message: string }
  | { readonly kind: "too_long" | "too_much_memory" | "never_settles" | "function_missing" };

export interface Call {
  readonly ran: Ran;
  /** The code's own top level failed: every other call would fail alike. */
  readonly atLoading: boolean;
  /** Ten thousand loops and calls each. */
  readonly steps: number;
}

export class Guest {
  readonly #code: string;
  /** An identifier. */
  readonly #name: string;
  #module: QuickJSWASMModule | null = null;

  constructor(code: string, name: string) {
    this.#code = code;
    this.#name = name;
  }

  /** Loads the code and calls its function, which may compute for so many steps. */
  async call(args: readonly Json[], stepsMax: number): Promise<Call> {
    this.#module ??= await newQuickJSWASMModuleFromVariant(import("@jitl/quickjs-wasmfile-release-sync"));
    const runtime = this.#module.newRuntime({
      memoryLimitBytes: MEMORY_BYTES_MAX,
      maxStackSizeBytes: STACK_BYTES_MAX,
    });
    const run: Run = { runtime, context: runtime.newContext(), stepsMax, steps: 0 };
    runtime.setInterruptHandler(() => ++run.steps > stepsMax);
    const { ran, atLoading } = loadAndCall(run, this.#code, this.#name, args);
    // Broken off in the middle, the interpreter may hold what it cannot let go of: leave it as it is, and take another one.
    if (BROKEN_OFF.has(ran)) this.#module = null;
    else {
      run.context.dispose();
      runtime.dispose();
    }
    return { ran, atLoading: atLoading || ran.kind === "function_missing", steps: run.steps };
  }
}

const TOO_LONG: Ran = { kind: "too_long" };
const TOO_MUCH_MEMORY: Ran = { kind: "too_much_memory" };
const TOO_DEEP: Ran = { kind: "threw", error: "RangeError", message: "too much recursion" };
const BROKEN_OFF: ReadonlySet<Ran> = new Set([TOO_LONG, TOO_MUCH_MEMORY, TOO_DEEP]);

function loadAndCall(run: Run, code: string, name: string, args: readonly Json[]): { ran: Ran; atLoading: boolean } {
  let atLoading = true;
  try {
    const loaded = load(run, code, name);
    if (loaded !== null) return { ran: loaded, atLoading };
    atLoading = false;
    return { ran: callLoaded(run, args), atLoading };
  } catch (error) {
    // The interpreter's own stack overflowed before it noticed.
    if (error instanceof RangeError) return { ran: TOO_DEEP, atLoading };
    throw error;
  }
}

interface Run {
  readonly runtime: QuickJSRuntime;
  readonly context: QuickJSContext;
  readonly stepsMax: number;
  steps: number;
}

/** Null: the code is loaded, and the function taken. */
function load(run: Run, code: string, name: string): Ran | null {
  const { context } = run;
  context.unwrapResult(context.evalCode(PRELUDE, "prelude.js")).dispose();
  const result = context.evalCode(code + takingFunction(name), "code.js", { type: "module" });
  if (result.error !== undefined) return result.error.consume((error) => thrown(run, error));
  return result.value.consume((exported) => settle(run) ?? takeExported(run, exported, name));
}

/** Exports under another name than the declaration's: `export { inner as outer }`, `export default function …`. */
function takeExported(run: Run, exported: QuickJSHandle, name: string): Ran | null {
  const { context } = run;
  // With `await` at its top level a module is a promise of its exports.
  const state = context.getPromiseState(exported);
  if (state.type === "pending") return { kind: "never_settles" };
  if (state.type === "rejected") return state.error.consume((error) => thrown(run, error));
  for (const each of [name, "default"]) {
    const found = context.getProp(state.value, each);
    if (context.typeof(found) === "function") ask(run, "take", found);
    found.dispose();
  }
  if (state.notAPromise !== true) state.value.dispose();
  return null;
}

function callLoaded(run: Run, args: readonly Json[]): Ran {
  const started = run.context.newString(JSON.stringify(args)).consume((text) => ask(run, "run", text));
  return started ?? settle(run) ?? outcome(run);
}

/** Calls the prelude; null when that went well. */
function ask(run: Run, order: "take" | "run", given: QuickJSHandle): Ran | null {
  const { context } = run;
  return context.getProp(context.global, CALL).consume((prelude) =>
    context.newString(order).consume((name) => {
      const result = context.callFunction(prelude, context.undefined, name, given);
      if (result.error !== undefined) return result.error.consume((error) => thrown(run, error));
      result.value.dispose();
      return null;
    }),
  );
}

/** Runs the reactions of promises until there are none left; null when that went well. */
function settle(run: Run): Ran | null {
  while (run.runtime.hasPendingJob()) {
    const result = run.runtime.executePendingJobs(JOBS_PER_STEP);
    if (result.error !== undefined) return result.error.consume((error) => thrown(run, error));
    result.dispose();
    if (++run.steps > run.stepsMax) return TOO_LONG;
  }
  return null;
}

/** What the prelude has written down about the call. */
function outcome(run: Run): Ran {
  const { context } = run;
  const result = context.evalCode(`${CALL}("outcome")`, "prelude.js");
  if (result.error !== undefined) return result.error.consume((error) => thrown(run, error));
  const [kind = "", text = "", message = ""] = result.value.consume((list) =>
    [0, 1, 2].map((at) => context.getProp(list, at).consume((item) => context.getString(item))),
  );
  if (kind === "returned") return { kind, value: JSON.parse(text) as Json };
  if (kind === "no_json") return { kind, what: text };
  if (kind === "threw") return threw(text, message);
  return { kind: kind === "function_missing" ? kind : "never_settles" };
}

/** The kinds that the language has. */
const ERRORS = ["Error", "TypeError", "RangeError", "ReferenceError", "SyntaxError", "EvalError", "URIError"];

function thrown({ context, steps, stepsMax }: Run, error: QuickJSHandle): Ran {
  if (steps > stepsMax) return TOO_LONG;
  const [name = "", message = ""] = ["name", "message"].map((property) => {
    if (context.typeof(error) !== "object") return "";
    return context
      .getProp(error, property)
      .consume((value) => (context.typeof(value) === "string" ? context.getString(value) : ""));
  });
  return threw(name, message);
}

/** A name that is not the language's is the guest's own text, which could tell what it was called with. */
function threw(name: string, message: string): Ran {
  if (name === "InternalError") return message === "out of memory" ? TOO_MUCH_MEMORY : TOO_DEEP;
  return { kind: "threw", error: ERRORS.includes(name) ? name : "Error", message };
}
