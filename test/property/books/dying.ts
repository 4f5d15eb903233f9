/** A process that dies between any two statements: what it had not committed never happened, and nobody knows what it had. */
import type { Pool } from "@contingent/db/pool";

export class Died extends Error {
  override readonly name = "Died";
}

/** Where it dies: just before the n-th of its statements is sent, or just after that has been answered. */
export interface Death {
  readonly statement: number;
  readonly isAfter: boolean;
}

type AnyFunction = (...args: readonly unknown[]) => unknown;

/** The pool as a process has it that is about to die. Connections of the dead go back clean, as the server cleans them. */
export function dyingPool(pool: Pool, { statement, isAfter }: Death): Pool {
  let left = statement;
  let isDead = false;
  const die = (): never => {
    isDead = true;
    throw new Died("the process died");
  };
  const dying = (query: AnyFunction): AnyFunction => {
    return async (...args) => {
      // The server rolls back whatever the dead had open.
      if (isDead) return args[0] === "ROLLBACK" ? await query(...args) : die();
      left -= 1;
      if (left < 0 && !isAfter) die();
      const result = await query(...args);
      if (left < 0) die();
      return result;
    };
  };
  return proxied(pool, {
    query: dying((...args) => call(pool, "query", args)),
    connect: async () => {
      const client = await pool.connect();
      return proxied(client, { query: dying((...args) => call(client, "query", args)) });
    },
  });
}

function call(target: object, method: string, args: readonly unknown[]): unknown {
  return (Reflect.get(target, method) as AnyFunction).apply(target, [...args]);
}

/** The same object but for these methods. */
function proxied<T extends object>(target: T, methods: Readonly<Record<string, AnyFunction>>): T {
  return new Proxy(target, {
    get(_, key) {
      const own = typeof key === "string" ? methods[key] : undefined;
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? (value as AnyFunction).bind(target) : value;
    },
  });
}

/**
 * Does something that takes a pool, and is safe to repeat: a process dies at it, and another one does it again.
 * @param death null: nobody dies
 */
export async function surviving<T>(pool: Pool, death: Death | null, act: (pool: Pool) => Promise<T>): Promise<T> {
  if (death === null) return await act(pool);
  try {
    return await act(dyingPool(pool, death));
  } catch (error) {
    if (!(error instanceof Died)) throw error;
  }
  return await act(pool);
}
