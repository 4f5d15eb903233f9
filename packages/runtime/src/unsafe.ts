/**
 * What is good for trying things out and refused where customers are real (`CONTINGENT_ENV=production`): one table, so that
 * it can be read in one go. A service is held to what it reads; all that is wrong is said at once.
 */
import { isIP } from "node:net";
import type { DEPLOYMENTS } from "./config.ts";
import { ServiceError } from "./errors.ts";
import { bare, mayReach } from "./outgoing/addresses.ts";

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
    when: ({ QUEUE_URL: url }) => isRedis(url) && passwordsOf(url).length === 0,
    say: "QUEUE_URL names a Redis without a password, whose messages anybody who reaches it takes and forges: set requirepass there, and write redis://:password@host:6379",
  },
  {
    when: ({ DATABASE_URL: url }) => travelsInTheClear(url),
    say: "DATABASE_URL reaches a host outside of private networks unencrypted, so passwords and customers' texts would travel in the clear: add sslmode=verify-full",
  },
  {
    when: ({ QUEUE_URL: url }) => travelsInTheClear(url),
    say: "QUEUE_URL reaches a host outside of private networks unencrypted, so its password would travel in the clear: write rediss://, or add sslmode=verify-full for Postgres",
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

function hasKnownPassword(url: string): boolean {
  return passwordsOf(url).some((each) => KNOWN_PASSWORDS.has(each.toLowerCase()));
}

/** Drivers take a password among the URL's parameters as well. */
function passwordsOf(url: string): readonly string[] {
  if (!URL.canParse(url)) return [];
  const { password, searchParams } = new URL(url);
  return [decodeURIComponent(password), ...searchParams.getAll("password")].filter((each) => each !== "");
}

function isRedis(url: string): boolean {
  return /^rediss?:/i.test(url);
}

/** As far as the URL tells: a name with dots may mean an address of a private network, but nothing here can know. */
function travelsInTheClear(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, searchParams } = new URL(url);
  const isEncrypted =
    protocol === "rediss:" || ENCRYPTED.has(searchParams.get("sslmode") ?? "") || searchParams.get("ssl") === "true";
  // Postgres' driver takes the host, or the folder of a socket, from the parameters first.
  return !isEncrypted && !isPrivate(bare(searchParams.get("host") ?? hostname));
}

/** With `prefer` a server may refuse to encrypt, and with `no-verify` it may be anybody's. */
const ENCRYPTED: ReadonlySet<string> = new Set(["require", "verify-ca", "verify-full"]);
/** Names that no public name server knows: of containers and machines beside us, and of zones that are kept for it. */
const PRIVATE_NAME = /^[^.]*$|\.(?:internal|local|localhost|svc|home\.arpa)$|^\//i;

function isPrivate(host: string): boolean {
  return isIP(host) === 0 ? PRIVATE_NAME.test(host) : !mayReach(host, { allowsLoopback: false });
}

function isPlain(url: string | undefined): boolean {
  return url !== undefined && !url.toLowerCase().startsWith("https://");
}
