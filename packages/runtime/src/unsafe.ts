/**
 * What is good for trying things out and refused where customers are real (`CONTINGENT_ENV=production`): one table, so that
 * it can be read in one go. A service is held to what it reads; all that is wrong is said at once.
 */
import type { DEPLOYMENTS } from "./config.ts";
import { ServiceError } from "./errors.ts";

/** What a service was configured with: variables that it does not read are not there. */
export interface Settings {
  readonly CONTINGENT_ENV: (typeof DEPLOYMENTS)[number];
  readonly DATABASE_URL: string;
  readonly QUEUE_URL: string;
  readonly PUBLIC_URL?: string | undefined;
  readonly ANTHROPIC_API_KEY?: string | undefined;
  readonly ANTHROPIC_BASE_URL?: string | undefined;
  readonly OUTGOING_ALLOW_LOOPBACK?: "true" | "false";
}

/** What the database says of itself, and of whoever logged in. */
export interface Database {
  readonly seesEverything: boolean;
  readonly ownsTables: boolean;
  readonly isolation: string;
  readonly isDurable: boolean;
}

interface Refusal {
  readonly when: (settings: Settings, database: Database) => boolean;
  /** What is wrong, and what to do about it. Repeats no value: it may be a secret. */
  readonly say: string;
}

/** Passwords that stand in examples, ours among them. */
const KNOWN_PASSWORDS = new Set(["contingent", "postgres", "password", "secret", "changeme", "admin", "redis", "test"]);
/** What the simulator is given for a key. */
const SIMULATED = "simulated";

export const REFUSALS: readonly Refusal[] = [
  {
    when: ({ DATABASE_URL: url }) => hasKnownPassword(url),
    say: "DATABASE_URL has a password that everybody knows: give the role another one",
  },
  {
    when: ({ QUEUE_URL: url }) => hasKnownPassword(url),
    say: "QUEUE_URL has a password that everybody knows: set another one",
  },
  {
    when: (_, { seesEverything }) => seesEverything,
    say: "DATABASE_URL logs in as a superuser, or as a role that passes row-level security by: let services log in as a role of their own (SERVICE_DATABASE_URL, docs/operations.md)",
  },
  {
    when: (_, { ownsTables }) => ownsTables,
    say: "DATABASE_URL logs in as the owner of the tables, who could take their guards away: let services log in as a role of their own (SERVICE_DATABASE_URL, docs/operations.md)",
  },
  {
    when: (_, { isolation }) => isolation !== "read committed",
    say: "the database isolates transactions otherwise than statements here are written for: set default_transaction_isolation to read committed",
  },
  {
    when: (_, { isDurable }) => !isDurable,
    say: "the database forgets what it has committed when its machine fails: turn fsync, full_page_writes and synchronous_commit on",
  },
  {
    when: ({ ANTHROPIC_API_KEY: key }) => key === SIMULATED,
    say: "ANTHROPIC_API_KEY is the simulator's, whose answers nobody should pay for: set a key of the Anthropic API",
  },
  {
    when: ({ ANTHROPIC_BASE_URL: url }) => isPlain(url),
    say: "ANTHROPIC_BASE_URL is not https://, so customers' texts would travel in the clear, or to a simulator: leave it out",
  },
  {
    when: ({ PUBLIC_URL: url }) => isPlain(url),
    say: "PUBLIC_URL is not https://, so keys and replies would travel in the clear: set the API's https:// address",
  },
  {
    when: ({ OUTGOING_ALLOW_LOOPBACK: loopback }) => loopback === "true",
    say: "OUTGOING_ALLOW_LOOPBACK is true, so whoever names a URL reaches this machine: leave it out",
  },
];

/**
 * Lets a service go on as it is configured, or says why it must not.
 * @param askDatabase only where it matters
 * @throws ServiceError `config_invalid`, whose text has a line per problem
 */
export async function refuseUnsafe(settings: Settings, askDatabase: () => Promise<Database>): Promise<void> {
  if (settings.CONTINGENT_ENV !== "production") return;
  const problems = problemsOf(settings, await reached(askDatabase));
  if (problems.length > 0) throw new ServiceError("config_invalid", problems.join("\n"));
}

/** All that is wrong, in the table's order. */
export function problemsOf(settings: Settings, database: Database): readonly string[] {
  return REFUSALS.flatMap(({ when, say }) => (when(settings, database) ? [say] : []));
}

async function reached(askDatabase: () => Promise<Database>): Promise<Database> {
  try {
    return await askDatabase();
  } catch (cause) {
    throw new ServiceError("database_unavailable", "The database does not answer: start it, or correct DATABASE_URL.", {
      cause,
    });
  }
}

/** Drivers take a password among the URL's parameters as well. */
function hasKnownPassword(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { password, searchParams } = new URL(url);
  const given = [decodeURIComponent(password), ...searchParams.getAll("password")];
  return given.some((each) => KNOWN_PASSWORDS.has(each.toLowerCase()));
}

function isPlain(url: string | undefined): boolean {
  return url !== undefined && !url.toLowerCase().startsWith("https://");
}
