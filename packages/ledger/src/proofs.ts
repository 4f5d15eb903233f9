/**
 * Proofs that a query would find nothing, at a fraction of its cost: so that everything there is can be checked often.
 *
 * Most of what must be true of the books says that amounts of the same name cancel out: the postings of a transaction, what
 * an attempt cost and what is booked for it, jobs and their holds. To match the names with each other is what takes long.
 * A proof reads each table once instead, multiplies each amount by a weight that follows from its name, and adds up all
 * products. Where each name cancels out, so does that sum: it is zero. Where one does not, the sum may be any number: it is
 * zero by chance once in 2^62 times (2^31 where the amount is a multiple of one of two primes), and the weights are drawn anew
 * for each check. Where it is not zero, and only there, the query itself looks for which ones.
 */
import { randomBytes } from "node:crypto";

/** In its place stands a number that nobody knew before. */
const SEED = "$seed";
/** The bits of a name that make a weight, and a prime. Products of two remainders fit a bigint. */
const HALVES = [
  ["", 2_147_483_647],
  // Another one: what is missing could be a multiple of the first, which no weight shows.
  [" >> 32", 2_147_483_629],
] as const;
const WEIGHT_MAX = 0x7fff_ffff;

/** The query, with weights for its proofs. */
export function withWeights(sql: string): string {
  return sql.replaceAll(SEED, `'${randomBytes(8).readBigInt64BE()}'::bigint`);
}

/** An SQL expression of a text, or of another type. */
type Value = string | readonly [type: "int4" | "xid8", expression: string];

/** The name that these values make together: an SQL expression of a bigint. */
export function nameOf(...values: readonly Value[]): string {
  return values.reduceRight<string>((rest, value) => {
    const [type, expression] = typeof value === "string" ? ["text", value] : value;
    return `hash${type}extended(${expression}, ${rest})`;
  }, SEED);
}

/**
 * That the amounts of each name cancel out: an SQL condition.
 * @param rows a query with a column `name`, and a bigint column for each kind of amount
 */
export function cancelOut(rows: string, columns: readonly string[] = ["amount"]): string {
  const isZero = HALVES.map(([half, prime]) => {
    const sums = columns.map((column, n) => {
      const weight = columns.length === 1 ? "name" : `hashint8extended(name, ${n})`;
      return `coalesce(sum((${weight}${half} & ${WEIGHT_MAX}) * (${column} % ${prime})), 0)`;
    });
    return `(${sums.join(" + ")}) % ${prime} = 0`;
  });
  // The offset keeps names from being made once for each use.
  return `(SELECT ${isZero.join(" AND ")} FROM (SELECT * FROM (${rows}) r OFFSET 0) named)`;
}

/** The query, which is not run where a condition proves that it would find nothing. */
export function unless(proof: string, query: string): string {
  return `SELECT what FROM (${query}) found WHERE NOT ${proof}`;
}
