/** A schema as text, to be compared: everything in it that has a meaning, and nothing that has none, such as oids. */
import type { Queryable } from "@contingent/db/pool";

const OWN = "current_schema()::regnamespace";

const PARTS: readonly string[] = [
  `SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attgenerated, a.attidentity,
          pg_get_expr(d.adbin, d.adrelid)
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relkind IN ('r', 'v') AND c.relnamespace = ${OWN}`,
  `SELECT 'relation', relname, relkind, reloptions, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) = current_user,
          (SELECT array_agg(acl::text ORDER BY acl::text) FROM unnest(relacl) AS acl),
          CASE WHEN relkind = 'v' THEN pg_get_viewdef(oid) END
     FROM pg_class WHERE relkind IN ('r', 'v', 'S') AND relnamespace = ${OWN}`,
  `SELECT 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated
     FROM pg_constraint WHERE connamespace = ${OWN}`,
  `SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = current_schema()`,
  `SELECT 'trigger', tgrelid::regclass, tgname, tgenabled, pg_get_triggerdef(t.oid)
     FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT tgisinternal AND c.relnamespace = ${OWN}`,
  `SELECT 'function', proname, pg_get_userbyid(proowner), (SELECT array_agg(acl::text ORDER BY acl::text) FROM unnest(proacl) AS acl),
          pg_get_functiondef(oid)
     FROM pg_proc WHERE pronamespace = ${OWN} AND prokind = 'f'`,
  `SELECT 'policy', to_jsonb(p)::text FROM pg_policies p WHERE schemaname = current_schema()`,
  `SELECT 'default rights', defaclobjtype, defaclacl::text FROM pg_default_acl WHERE defaclnamespace = ${OWN}`,
];

/** One line for each column, constraint, index, trigger, function, policy and right. */
export async function schemaOf(db: Queryable): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const part of PARTS) {
    const { rows } = await db.query<{ line: string }>({
      text: `SELECT row_to_json(part)::text AS line FROM (${part}) part`,
    });
    lines.push(...rows.map(({ line }) => line));
  }
  return lines.toSorted();
}
