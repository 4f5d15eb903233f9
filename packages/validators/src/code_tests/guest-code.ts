/** The code of ours that runs beside the guest's, in the interpreter. It keeps what it needs before the guest can touch it. */

/** Under which name the guest's global object has our function. The guest may break it: that breaks only its own result. */
export const CALL = "__call__";

/** Results with more of it are refused. */
const VALUES_MAX = 10_000;
const CHARACTERS_MAX = 1_000_000;
const DEPTH_MAX = 64;
/** The time that it always is: 1 January 2025, 0:00 UTC. */
const NOW_MS = 1_735_689_600_000;

/** Runs before the guest's code: a fixed clock, the same random numbers each time, and the call that is made later. */
export const PRELUDE = `"use strict";
(() => {
  const { parse, stringify } = JSON;
  const { isArray } = Array;
  const { keys } = Object;
  const { isFinite } = Number;
  const { apply } = Reflect;
  const classOf = Object.prototype.toString;
  const slice = String.prototype.slice;
  const settled = Promise.resolve.bind(Promise);
  const then = Promise.prototype.then;
  const RealDate = Date;

  globalThis.Date = class Date extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(${NOW_MS});
      else super(...args);
    }
    static now() {
      return ${NOW_MS};
    }
  };
  let seed = 1;
  Math.random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  // When memory is collected is nobody's business.
  for (const name of ["WeakRef", "FinalizationRegistry", "SharedArrayBuffer", "Atomics"]) delete globalThis[name];
  globalThis.module = { exports: {} };
  globalThis.exports = globalThis.module.exports;

  class NoJson {
    // A property of its own: an assignment alone would call a setter that the guest has put on every object.
    what;
    constructor(what) {
      this.what = what;
    }
  }
  const refuse = (what) => {
    throw new NoJson(what);
  };
  let values = 0;
  let characters = 0;
  const writeText = (text) => {
    characters += text.length;
    return characters > ${CHARACTERS_MAX} ? refuse("more than ${CHARACTERS_MAX} characters") : stringify(text);
  };
  const write = (value, depth) => {
    if (++values > ${VALUES_MAX}) refuse("more than ${VALUES_MAX} values");
    if (depth > ${DEPTH_MAX}) refuse("something that nests without end");
    switch (typeof value) {
      case "string":
        return writeText(value);
      case "boolean":
        return value ? "true" : "false";
      case "number":
        return isFinite(value) ? stringify(value) : refuse("a number that is not finite");
      case "undefined":
        return refuse("undefined");
      case "object":
        break;
      default:
        return refuse("a " + typeof value);
    }
    if (value === null) return "null";
    const name = apply(slice, apply(classOf, value, []), [8, -1]);
    let text = "";
    if (isArray(value)) {
      for (let i = 0; i < value.length; i++) text += (i === 0 ? "" : ",") + write(value[i], depth + 1);
      return "[" + text + "]";
    }
    if (name !== "Object") refuse(NAMED[name] ?? "an object that is not plain");
    for (const key of keys(value)) {
      const item = value[key];
      // As JSON has it: a field that is undefined is not there.
      if (item !== undefined) text += (text === "" ? "" : ",") + writeText(key) + ":" + write(item, depth + 1);
    }
    return "{" + text + "}";
  };
  const NAMED = {
    __proto__: null,
    Date: "a Date",
    Map: "a Map",
    Set: "a Set",
    RegExp: "a RegExp",
    Promise: "a promise in a list or an object",
    Error: "an Error",
    Generator: "a generator",
    Uint8Array: "a typed array",
  };

  let outcome = ["", "", ""];
  const returned = (value) => {
    try {
      outcome = ["returned", write(value, 1), ""];
    } catch (error) {
      if (error instanceof NoJson) outcome = ["no_json", error.what, ""];
      else threw(error);
    }
  };
  const textOf = (value) => (typeof value === "string" ? value : "");
  const threw = (error) => {
    const isObject = typeof error === "object" && error !== null;
    try {
      outcome = isObject ? ["threw", textOf(error.name), textOf(error.message)] : ["threw", "", textOf(error)];
    } catch {
      outcome = ["threw", "", ""];
    }
  };
  let wanted;
  const run = (text) => {
    if (typeof wanted !== "function") {
      outcome = ["function_missing", "", ""];
      return;
    }
    try {
      apply(then, settled(apply(wanted, undefined, parse(text))), [returned, threw]);
    } catch (error) {
      threw(error);
    }
  };
  const value = (order, given) => {
    if (order === "take") wanted ??= given;
    else if (order === "run") run(given);
    // A list of its own: the guest may ask too, and would write into ours what our findings then say.
    else return [outcome[0], outcome[1], outcome[2]];
  };
  Object.defineProperty(globalThis, "${CALL}", { value });
})();
`;

/** Stands behind the guest's module and hands over what it has declared under this name, or exports as CommonJS does. */
export function takingFunction(name: string): string {
  return `
;globalThis.${CALL}("take", typeof ${name} === "function" ? ${name} : undefined);
;globalThis.${CALL}("take", globalThis.module?.exports?.${name});
;globalThis.${CALL}("take", typeof globalThis.module?.exports === "function" ? globalThis.module.exports : undefined);
`;
}
