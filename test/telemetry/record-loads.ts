/** Preloaded with `--import`: writes at the end which OpenTelemetry packages the process has loaded. */
import { registerHooks } from "node:module";

const loaded = new Set<string>();
registerHooks({
  load(url, context, nextLoad) {
    const name = /node_modules\/(@opentelemetry\/[a-z-]+)\/(?!.*node_modules)/.exec(url)?.[1];
    if (name !== undefined) loaded.add(name);
    return nextLoad(url, context);
  },
});
process.on("exit", () => {
  process.stdout.write(`telemetry modules: ${[...loaded].toSorted().join(" ")}\n`);
});
