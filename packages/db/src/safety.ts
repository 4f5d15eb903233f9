/** What of a database decides whether it may be trusted with customers' money: how one is logged in, and what it promises. */
import type { Queryable } from "./pool.ts";

export interface DatabaseSafety {
  /** Whoever logged in is a superuser or passes row-level security by. */
  readonly seesEverything: boolean;
  /** Whoever logged in owns the tables, or may act as their owner, and so could take their guards away. */
  readonly ownsTables: boolean;
  /** As statements are isolated unless they say otherwise. */
  readonly isolation: string;
  /** Whether what was committed survives the machine. */
  readonly isDurable: boolean;
}

const SAFETY = `
  SELECT r.rolsuper OR r.rolbypassrls AS sees_everything,
         -- A superuser has every role.
         NOT r.rolsuper AND EXISTS (
           SELECT FROM pg_class c WHERE c.oid = to_regclass('job') AND pg_has_role(session_user, c.relowner, 'MEMBER')) AS owns_tables,
         current_setting('default_transaction_isolation') AS isolation,
         current_setting('fsync')::bool AND current_setting('full_page_writes')::bool
           AND current_setting('synchronous_commit') <> 'off' AS is_durable
    FROM pg_roles r WHERE r.rolname = session_user`;

interface SafetyRow {
  readonly sees_everything: boolean;
  readonly owns_tables: boolean;
  readonly isolation: string;
  readonly is_durable: boolean;
}

/** Asks the database. Reads catalogs only. */
export async function databaseSafety(db: Queryable): Promise<DatabaseSafety> {
  const { rows } = await db.query<SafetyRow>({ text: SAFETY });
  const [row] = rows;
  if (row === undefined) throw new Error("the database does not know who is logged in");
  const { sees_everything: seesEverything, owns_tables: ownsTables, isolation, is_durable: isDurable } = row;
  return { seesEverything, ownsTables, isolation, isDurable };
}
