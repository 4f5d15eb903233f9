/**
 * Configuration comes from environment variables, is read once at the start, and is refused as a whole: every problem is
 * printed at once, one line each, with the variable's name and what to set.
 */
import { z } from "zod";
import { ServiceError } from "./errors.ts";
import { LOG_LEVELS } from "./log.ts";

const PORT_MAX = 65_535;
const CONCURRENCY_MAX = 10_000;

function urlOf(...schemes: [string, ...string[]]): z.ZodString {
  const named = schemes.map((scheme) => `${scheme}://`).join(", ");
  return z.string().refine((text) => URL.canParse(text) && schemes.includes(new URL(text).protocol.slice(0, -1)), {
    error: `must be a URL that starts with ${named}`,
  });
}

/** A whole number in a variable. */
export function integerSetting(min: number, max: number): z.ZodPipe<z.ZodString, z.ZodTransform<number, string>> {
  return z.string().transform((text, context) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    context.addIssue({ code: "custom", message: `must be a whole number from ${min} to ${max}` });
    return z.NEVER;
  });
}

/** What the system is run for. Conveniences that would be dangerous with real customers exist in development only. */
export const DEPLOYMENTS = ["production", "development"] as const;

/** The variables that every service reads; a service adds its own: `z.object({ ...serviceSettings, TIER: … })`. */
export const serviceSettings = {
  /** The truth: jobs and books. Each service connects as the role that its own rights need. */
  DATABASE_URL: urlOf("postgres", "postgresql").describe("postgres://user:password@host:5432/database"),
  /** The transport of messages: BullMQ's Postgres backend, or Redis. */
  QUEUE_URL: urlOf("postgres", "postgresql", "redis", "rediss").describe("redis://host:6379 or postgres://…"),
  /** Where HTTP is served: the API for intake, health for the others. 0 takes a free port, which the "listening" line names. */
  PORT: integerSetting(0, PORT_MAX).default(0).describe("0 to take a free port"),
  /** The address to listen on. Only this machine unless told otherwise. */
  HOST: z.string().default("127.0.0.1").describe("127.0.0.1, or 0.0.0.0 in a container"),
  /** Whether real customers depend on it: then what development makes up for itself, such as signing keys, must be given. */
  CONTINGENT_ENV: z.enum(DEPLOYMENTS).default("development").describe(DEPLOYMENTS.join(" | ")),
  /** How much is logged. The "listening" line is written at every level. */
  LOG_LEVEL: z.enum(LOG_LEVELS).default("info").describe(LOG_LEVELS.join(" | ")),
  /** Where traces and metrics go (OTLP over HTTP). Unset: no telemetry, at no cost. */
  OTEL_EXPORTER_OTLP_ENDPOINT: urlOf("http", "https").optional().describe("http://host:4318"),
};

/** How many messages one process works on at the same time; each queue has its own default (contracts/messages). */
export const concurrencySetting = integerSetting(1, CONCURRENCY_MAX).optional().describe("1 to 10000");

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the variables that the schema names; an empty one counts as unset.
 * @throws ServiceError `config_invalid`, whose text has a line per problem. `runService` prints it and exits with 78.
 */
export function readConfig<S extends z.ZodObject>(schema: S, env: Environment = process.env): z.output<S> {
  const names = Object.keys(schema.shape);
  const given = Object.fromEntries(names.map((name) => [name, env[name] === "" ? undefined : env[name]]));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0] ?? "environment");
    const problem = given[name] === undefined ? "is not set" : issue.message;
    return `${name} ${problem}${hintOf(schema, name)}`;
  });
  throw new ServiceError("config_invalid", [...new Set(lines)].join("\n"));
}

/** What a good value looks like. The value that was given is not repeated: it may be a secret. */
function hintOf(schema: z.ZodObject, name: string): string {
  const field: unknown = schema.shape[name];
  const hint = field instanceof z.ZodType ? field.description : undefined;
  return hint === undefined ? "" : `: set it to ${hint}`;
}
