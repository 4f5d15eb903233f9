/** A child whose checks do what a check must never do: what a parser might be made to do that has been taken over. */
import { register } from "@contingent/validators/registry";
import { PASSED } from "@contingent/validators/finding";
import type { LeafResult, RegisteredCheck } from "@contingent/validators/validator";
import { z } from "zod";
import { serve } from "./serve.ts";

type Act = () => LeafResult | Promise<LeafResult>;

/** What was done, as a finding, so that the test sees it. */
function says(message: string): LeafResult {
  return { score: 0, findings: [{ path: "", code: "said", message }] };
}

async function tries(act: () => unknown): Promise<LeafResult> {
  try {
    return says(`did it: ${String(await act())}`);
  } catch (error) {
    return says(error instanceof Error ? error.message : "no");
  }
}

/** Code that was made from text, as a schema compiler makes it. */
function fromText(code: string): unknown {
  const make = Function as unknown as (code: string) => () => unknown;
  return make(code)();
}

const GROW_WITHOUT_END = `
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  for (;;) {
    const at = memory.grow(128) * 65536;
    new Uint8Array(memory.buffer).fill(1, at);
  }`;

const held: unknown[] = [];

export const ACTS: Readonly<Record<string, Act>> = {
  pass: () => PASSED,
  pid: () => says(String(process.pid)),
  loop: () => {
    for (;;);
  },
  "wait for nothing": () => new Promise(() => undefined),
  "fill the heap": () => {
    for (;;) held.push(Array.from({ length: 10_000 }, (_, i) => i / 3));
  },
  "fill buffers": () => {
    for (;;) held.push(Buffer.alloc(8 * 1024 * 1024, 1));
  },
  // As text: the types here know no WebAssembly.
  "grow WebAssembly": () => tries(() => fromText(GROW_WITHOUT_END)),
  crash: () => {
    process.emit("uncaughtException", new Error("on purpose"));
    setTimeout(() => {
      throw new Error("on purpose");
    });
    return new Promise(() => undefined);
  },
  "throw what nobody foresaw": () => {
    throw new RangeError("the stack is full");
  },
  "answer without end": () => says("x".repeat(1_000_000)),
  "answer with nonsense": () => ({ score: 7, findings: [] }),
  "answer with a list too long": () =>
    ({ score: 0, findings: Array.from({ length: 26 }, () => says("x").findings[0]) }) as LeafResult,
  "pollute Object.prototype": () => {
    const { prototype } = Object;
    Reflect.set(prototype, "polluted", 1);
    return PASSED;
  },
  "replace a method": () => {
    Reflect.set(Array.prototype, "map", () => []);
    return PASSED;
  },
  "leave a global": () => {
    Reflect.set(globalThis, "left", 1);
    return PASSED;
  },
  "look for what was left": () =>
    says(`${String(Reflect.get({}, "polluted"))} ${String(Reflect.get(globalThis, "left"))}`),
  environment: () => says(JSON.stringify(process.env)),
  "where am I": () => tries(() => process.cwd()),
  "read a file": () => tries(async () => (await import("node:fs")).readFileSync("/etc/passwd", "utf8").length),
  "read the workspace": () =>
    tries(
      async () =>
        (await import("node:fs")).readFileSync(new URL("../../../package.json", import.meta.url), "utf8").length,
    ),
  "read its parent's environment": () =>
    tries(async () => (await import("node:fs")).readFileSync("/proc/self/environ", "utf8").length),
  "write a file": () => tries(async () => (await import("node:fs")).writeFileSync("/tmp/contingent-written", "x")),
  "look at the network": () => tries(async () => JSON.stringify((await import("node:os")).networkInterfaces())),
  "start a process": () => tries(async () => (await import("node:child_process")).execFileSync("true")),
  "open a socket": () => tries(async () => (await import("node:net")).connect(1)),
  "open a database": () => tries(async () => (await import("node:sqlite")).DatabaseSync),
  "import hooks from text": () =>
    tries(() => fromText("return import('node:module').then((m) => m.registerHooks({}))")),
  "require from text": () =>
    tries(() => fromText("return import('node:module').then((m) => m.createRequire('file:///x')('net'))")),
  "the loader from text": () =>
    tries(() => fromText("return import('node:module').then((m) => m.default._load('net'))")),
  "import a socket from text": () => tries(() => fromText("return import('node:net')")),
  "a module by another way": () => tries(() => fromText("return process.getBuiltinModule('node:net')")),
  "a binding": () => tries(() => fromText("return process.binding('tcp_wrap')")),
  "an addon": () => tries(() => fromText("return process.dlopen({exports: {}}, '/x.node')")),
  "kill somebody": () => tries(() => fromText("return process.kill(process.pid, 0)")),
  fetch: () => tries(() => fromText("return fetch('http://127.0.0.1:1/')")),
};

const acts: ReadonlyMap<string, RegisteredCheck> = new Map(
  Object.entries(ACTS).map(([name, act]) => [
    name,
    register({ name, version: 1, place: "sandbox", options: z.unknown(), validate: act }),
  ]),
);

serve((name) => acts.get(name) ?? null);
