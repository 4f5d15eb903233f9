/** What the simulator's process reads from its environment. */
import { z } from "zod";
import { DEFAULT_SEED, type SimulatorOptions } from "./server.ts";

const LATENCY_MS = 80;

const environment = z.object({
  /** Port to listen on; 0 takes any. */
  PORT: z.coerce.number().int().min(0).max(65_535).default(0),
  HOST: z.string().default("127.0.0.1"),
  /** Other seed, other mistakes. */
  SEED: z.string().min(1).default(DEFAULT_SEED),
  /** Time of a typical answer of the middle model, milliseconds; 0 for benchmarks. */
  LATENCY_MS: z.coerce.number().min(0).max(600_000).default(LATENCY_MS),
  /** When set, only this key is accepted. */
  SIMULATOR_API_KEY: z.string().min(1).optional(),
});

/** The options that the environment asks for. Throws with every mistake at once. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): SimulatorOptions {
  const parsed = environment.safeParse(env);
  if (!parsed.success) throw new Error(`The simulator's environment is wrong:\n${z.prettifyError(parsed.error)}`);
  const { PORT, HOST, SEED, LATENCY_MS: latencyMs, SIMULATOR_API_KEY: apiKey } = parsed.data;
  return { port: PORT, host: HOST, seed: SEED, latencyMs, ...(apiKey === undefined ? {} : { apiKey }) };
}
