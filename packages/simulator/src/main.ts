/** Starts the simulator as a process of its own: `PORT=8090 node packages/simulator/src/main.ts`. */
import { readConfig } from "./config.ts";
import { startSimulator, type Simulator } from "./server.ts";

try {
  const simulator = await startSimulator(readConfig(process.env));
  // One line of JSON, for whoever started the process and waits for its port.
  process.stdout.write(`${JSON.stringify({ listening: simulator.port, url: simulator.url, simulator: true })}\n`);
  stopOnSignal(simulator);
} catch (error) {
  process.stderr.write(`The simulator did not start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

function stopOnSignal(simulator: Simulator): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      void simulator.close().then(() => process.exit(0));
    });
  }
}
