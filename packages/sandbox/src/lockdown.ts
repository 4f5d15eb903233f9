/**
 * Takes from a child's JavaScript what no check needs. The checks are ours and use none of it; this is for the day when
 * one of the parsers and compilers that they feed with other people's text can be made to run it. Node's permission model
 * refuses files and processes, but knows nothing of the network, and lets `node:sqlite` open files.
 */
import Module, { syncBuiltinESMExports } from "node:module";

/** Modules with which to reach somebody, to make other realms and processes, or to undo what is done here. */
const REFUSED_MODULES =
  /^(?:node:)?(?:net|tls|http|https|http2|dgram|dns|inspector|child_process|cluster|worker_threads|vm|v8|repl|wasi|sqlite|process|test|trace_events)(?:\/.*)?$/;

/** With which to send, to store, or to look at what others do. */
const REFUSED_GLOBALS = [
  "fetch",
  "Request",
  "Response",
  "Headers",
  "FormData",
  "WebSocket",
  "EventSource",
  "CloseEvent",
  "MessageEvent",
  "BroadcastChannel",
  "MessageChannel",
  "MessagePort",
  "Worker",
  "navigator",
  "localStorage",
  "sessionStorage",
  "Storage",
  "SharedArrayBuffer",
  "Atomics",
];

/** All of `process` that parsers ask for; the rest of it goes. */
const KEPT_OF_PROCESS = new Set([
  "version",
  "versions",
  "arch",
  "platform",
  "release",
  "features",
  "config",
  "argv",
  "execArgv",
  "env",
  "pid",
  "title",
  "nextTick",
  "hrtime",
  "uptime",
  "on",
  "once",
  "off",
  "emit",
  "addListener",
  "removeListener",
  "removeAllListeners",
  "listeners",
  "listenerCount",
  "emitWarning",
  "cwd",
  "exitCode",
  "_exiting",
  "domain",
  "_events",
  "_eventsCount",
  "_maxListeners",
]);

/** Once every check is loaded, and before the first one runs. What a check loads later must come from our own files. */
export function lockDown(): void {
  Module.registerHooks({
    resolve(specifier, context, next) {
      if (REFUSED_MODULES.test(specifier)) throw new Error(`there is no ${specifier} here`);
      return next(specifier, context);
    },
  });
  // Hooks that are registered later would come first.
  for (const name of ["registerHooks", "register"]) Reflect.deleteProperty(Module, name);
  syncBuiltinESMExports();
  for (const name of REFUSED_GLOBALS) Reflect.deleteProperty(globalThis, name);
  for (const name of Object.getOwnPropertyNames(process))
    if (!KEPT_OF_PROCESS.has(name)) Reflect.deleteProperty(process, name);
}
