/**
 * The part of the database that belongs to some customers: what a request with a customer's key is served from.
 *
 * Its connections have the rights of `contingent_tenant`, whom row-level security shows what belongs to the customers that
 * the transaction names, and nothing else (migrations/0022_tenants.sql). So a statement that forgets to say whose rows it
 * means finds none of anybody else's. The names go along with BEGIN and end with the transaction: no connection takes them
 * to its next user, and one on which nobody was named sees nothing.
 */
import type { CustomerId } from "@contingent/core/ids";
import pg from "pg";
import { type Client, type OpenPool, type Pool, transaction } from "./pool.ts";

/** What a customer's requests act as. */
export const TENANT_ROLE = "contingent_tenant";

/** The database as customers see it. By itself, with nobody named, it shows nothing. */
export interface Tenants extends Pool {
  /** What belongs to these customers. */
  readonly of: (customers: readonly CustomerId[]) => Pool;
}

/** @param pool its role is `TENANT_ROLE` */
export function tenantsOf(pool: OpenPool): Tenants {
  const connect = (): Promise<pg.PoolClient> => pool.connect();
  return {
    connect,
    query: (statement, values) => pool.query(statement, values),
    of(customers) {
      const part: Pool = {
        connect,
        begin: `BEGIN; SELECT set_config('contingent.customers', ${listOf(customers)}, true)`,
        query: (...statement: Parameters<Client["query"]>) =>
          transaction(part, (client: Client) => client.query(...statement)),
      };
      return part;
    },
  };
}

/** What these customers see of the database, for whoever works for several of them at once; services see all of it. */
export function seenBy(pool: Pool | Tenants, customers: readonly CustomerId[]): Pool {
  return "of" in pool ? pool.of(customers) : pool;
}

/** The database takes the list apart at its commas. */
function listOf(customers: readonly CustomerId[]): string {
  const odd = customers.find((id) => id.includes(","));
  if (odd !== undefined) throw new Error(`${odd} is no id of a customer`);
  return pg.escapeLiteral([...new Set(customers)].join());
}
