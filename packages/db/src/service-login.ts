/**
 * What services log in as: a role that owns none of our tables and has no rights by itself, so that every connection has
 * those of the role that it says it acts as (0011_roles.sql, 0022_tenants.sql), and nobody who takes a service over has
 * more. Whoever owns the database makes it; services never know the owner's password.
 */
import pg from "pg";
import { openPool, type Queryable, SERVICE_ROLE, transaction } from "./pool.ts";
import { TENANT_ROLE } from "./tenants.ts";

export interface ServiceLogin {
  /** The database, as services log in to it: names the role and its password. */
  readonly url: string;
  /** Whether the queues are on this database too: they make their tables themselves, in a schema of their own. */
  readonly carriesQueues: boolean;
}

/** Where the queues' tables are, when they are on this database (packages/queue). */
const QUEUE_SCHEMA = "bullmq";
/** Whoever makes the login holds this lock: roles belong to the whole server, and are not changed by two at once. */
const ADVISORY_LOCK = 5_391_002;

export class UnsafeLoginError extends Error {
  override readonly name = "UnsafeLoginError";
}

/**
 * Makes the role, or gives the one that is there this password. Safe to repeat.
 * @param ownerUrl the same database, for whoever migrates it
 * @throws UnsafeLoginError when the role there is may do more than a service should
 */
export async function ensureServiceLogin(ownerUrl: string, { url, carriesQueues }: ServiceLogin): Promise<void> {
  const { username, password, pathname } = new URL(url);
  const name = decodeURIComponent(username);
  const role = pg.escapeIdentifier(name);
  const pool = openPool(ownerUrl, { applicationName: "contingent-migrate", connectionsMax: 1 });
  try {
    await transaction(pool, async (client) => {
      await client.query(`SELECT pg_advisory_xact_lock(${ADVISORY_LOCK})`);
      const does = (await exists(client, name)) ? "ALTER" : "CREATE";
      await client.query(
        `${does} ROLE ${role} LOGIN NOINHERIT PASSWORD ${pg.escapeLiteral(decodeURIComponent(password))}`,
      );
      await client.query(`GRANT ${SERVICE_ROLE}, ${TENANT_ROLE} TO ${role}`);
      if (!carriesQueues) return;
      await client.query(
        `GRANT CREATE ON DATABASE ${pg.escapeIdentifier(decodeURIComponent(pathname.slice(1)))} TO ${role}`,
      );
      await handOverQueues(client, name);
    });
  } finally {
    await pool.end();
  }
}

async function exists(client: Queryable, name: string): Promise<boolean> {
  const { rows } = await client.query<{ may_all: boolean }>({
    text: "SELECT rolsuper OR rolbypassrls AS may_all FROM pg_roles WHERE rolname = $1",
    values: [name],
  });
  if (rows[0]?.may_all === true)
    throw new UnsafeLoginError(`the role ${name} may see and change everything: let services log in as another`);
  return rows.length === 1;
}

/** The queues' tables, where somebody else has made them before. */
const QUEUE_OBJECTS = `
  SELECT format('ALTER SCHEMA %I OWNER TO %I', nspname, $2::text) AS statement FROM pg_namespace WHERE nspname = $1
  UNION ALL
  SELECT format('ALTER %s %s OWNER TO %I', CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, oid::regclass, $2)
    FROM pg_class WHERE relnamespace = to_regnamespace($1) AND relkind IN ('r', 'p', 'S')
  UNION ALL
  SELECT format('ALTER ROUTINE %s OWNER TO %I', oid::regprocedure, $2) FROM pg_proc WHERE pronamespace = to_regnamespace($1)
  UNION ALL
  SELECT format('ALTER TYPE %s OWNER TO %I', oid::regtype, $2) FROM pg_type
   WHERE typnamespace = to_regnamespace($1) AND typtype = 'e'`;

async function handOverQueues(client: Queryable, name: string): Promise<void> {
  const values = [QUEUE_SCHEMA, name];
  const { rows } = await client.query<{ statement: string }>({ text: QUEUE_OBJECTS, values });
  for (const { statement } of rows) await client.query({ text: statement });
}
