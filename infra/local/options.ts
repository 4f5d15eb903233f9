/** The start command's options. */
import path from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "@contingent/embedded/services";

export interface StartOptions {
  readonly once: boolean;
  readonly help: boolean;
  readonly samples: boolean;
  /** Use the simulator even when there is a key for the real API. */
  readonly simulate: boolean;
  /** Null: the usual port, or another one when that is taken. */
  readonly port: number | null;
  readonly postgresPort: number | undefined;
  /** Absolute. */
  readonly dataFolder: string;
  /** Null: BullMQ's Postgres backend, in the same database. */
  readonly queueUrl: string | null;
  /** Null: a Postgres of our own. */
  readonly databaseUrl: string | null;
  /** Tiers that have more than one worker. */
  readonly workers: Readonly<Record<string, number>>;
}

/** The command line cannot be meant like this. One sentence; the process exits with 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const API_PORT_DEFAULT = 4080;
const WORKERS_MAX = 32;
const PORT_MAX = 65_535;

export const HELP = `Starts the whole system on this machine, runs the sample jobs through it, and shows what they cost and earned.

  npm start -- [options]

  --once                        stop after the samples instead of staying up
  --no-samples                  submit no sample jobs
  --workers fast=3,standard=2   more worker processes for a tier (one each unless told otherwise)
  --port <number>               the API's port (${API_PORT_DEFAULT}, or a free one when that is taken)
  --postgres-port <number>      the embedded Postgres' port (a free one)
  --data <folder>               where data, keys and logs are kept (.contingent)
  --queue <url>                 carry messages over Redis: redis://host:6379 (over Postgres)
  --database <url>              use this Postgres instead of the embedded one: postgres://user:password@host/database
  --simulate                    use the model simulator although ANTHROPIC_API_KEY is set
  --help                        this text

With ANTHROPIC_API_KEY in the environment the real API is called, which costs money; without it a simulator answers.
`;

/**
 * Reads the command line.
 * @throws UsageError
 */
export function parseOptions(args: readonly string[]): StartOptions {
  const values = parse(args);
  return {
    once: values.once === true,
    help: values.help === true,
    samples: values["no-samples"] !== true,
    simulate: values.simulate === true,
    port: values.port === undefined ? null : portIn("--port", values.port),
    postgresPort:
      values["postgres-port"] === undefined ? undefined : portIn("--postgres-port", values["postgres-port"]),
    dataFolder: path.resolve(ROOT, values.data ?? ".contingent"),
    queueUrl: values.queue === undefined ? null : urlIn("--queue", values.queue, ["redis", "rediss", "postgres"]),
    databaseUrl:
      values.database === undefined ? null : urlIn("--database", values.database, ["postgres", "postgresql"]),
    workers: values.workers === undefined ? {} : workersIn(values.workers),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        once: { type: "boolean" },
        help: { type: "boolean", short: "h" },
        "no-samples": { type: "boolean" },
        simulate: { type: "boolean" },
        port: { type: "string" },
        "postgres-port": { type: "string" },
        data: { type: "string" },
        queue: { type: "string" },
        database: { type: "string" },
        workers: { type: "string" },
      },
    }).values;
  } catch (error) {
    const said = error instanceof Error ? error.message.split(/[.\n]/, 1)[0] : String(error);
    throw new UsageError(`${said}: npm start -- --help lists what there is.`);
  }
}

function portIn(option: string, text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= PORT_MAX) return port;
  throw new UsageError(`${option} ${text} is not a port: give a number from 1 to ${PORT_MAX}.`);
}

function urlIn(option: string, text: string, schemes: readonly string[]): string {
  if (URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1))) return text;
  throw new UsageError(
    `${option} ${text} is not a URL that starts with ${schemes.map((s) => `${s}://`).join(" or ")}.`,
  );
}

function workersIn(text: string): Readonly<Record<string, number>> {
  const pairs = text.split(",").map((pair): [string, number] => {
    const [, tier, count] = /^\s*([a-z][a-z0-9-]*)=(\d{1,3})\s*$/.exec(pair) ?? [];
    if (tier === undefined || Number(count) < 1 || Number(count) > WORKERS_MAX) {
      throw new UsageError(
        `--workers ${text} cannot be read at "${pair}": write fast=3,standard=2, with 1 to ${WORKERS_MAX} workers for each.`,
      );
    }
    return [tier, Number(count)];
  });
  return Object.fromEntries(pairs);
}
