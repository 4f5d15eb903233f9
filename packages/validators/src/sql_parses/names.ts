/** Names of tables and functions in options, and which of the names in a query they mean. */
import { z } from "zod";
import type { QualifiedName } from "./statements.ts";

const NAMES_MAX = 200;
/** Two names of 63 bytes each, a dot and a star. */
const NAME_CHARACTERS_MAX = 128;

/** `orders`, `sales.orders`, `pg_*` or `audit.*`, in the spelling of the database: lower case unless it was quoted. */
const name = z
  .string()
  .max(NAME_CHARACTERS_MAX)
  .regex(
    /^(?:[^.*\s"]+\.)?(?:[^.*\s"]+\*?|\*)$/,
    'must be a name such as "orders", "sales.orders", "pg_*" or "audit.*"',
  );

export const nameRules = z.strictObject({
  allow: z.array(name).max(NAMES_MAX).optional(),
  deny: z.array(name).max(NAMES_MAX).optional(),
});

export interface NameRules {
  /** Only these. One without a schema means only names that are written without one. */
  readonly allow?: readonly string[] | undefined;
  /** None of these. One without a schema means the name in every schema. */
  readonly deny?: readonly string[] | undefined;
}

/** Whether a name may be used. */
export function mayUse(used: QualifiedName, { allow, deny = [] }: NameRules): boolean {
  return (allow === undefined || allow.some((each) => isAllowedBy(each, used))) && !isDenied(used, deny);
}

function isDenied(used: QualifiedName, deny: readonly string[]): boolean {
  return deny.some((each) => {
    const { schema, name: pattern } = split(each);
    if (!fits(pattern, used.name)) return false;
    // Written without a schema, it may well be found in the one that is meant; "audit.*" would then mean everything.
    return schema === null || used.schema === schema || (used.schema === null && pattern !== "*");
  });
}

function isAllowedBy(rule: string, used: QualifiedName): boolean {
  const { schema, name: pattern } = split(rule);
  if (!fits(pattern, used.name)) return false;
  // The parser writes `extract(… FROM …)` and its like with the schema that they are in.
  return schema === used.schema || (schema === null && used.schema === "pg_catalog");
}

function fits(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function split(rule: string): QualifiedName {
  const [first = "", second] = rule.split(".");
  return second === undefined ? { schema: null, name: first } : { schema: first, name: second };
}

export function textOfName({ schema, name: own }: QualifiedName): string {
  return schema === null ? own : `${schema}.${own}`;
}
