/**
 * Receipts: what a charge's receipt is made of, its text once it is issued, and the keys that ever signed one. All reads
 * are by primary or unique key and take no lock; the one write leaves what is there as it is.
 */
import type { CustomerId, CustomerTermsId, Id, JobId, VerdictId } from "@contingent/core/ids";
import type { Json } from "@contingent/core/json";
import { type Currency, type Nanos, nanos } from "@contingent/core/money";
import type { Decision } from "@contingent/core/verdict";
import { msOf } from "./job-row.ts";
import { hashOfPayload } from "./payloads/marker.ts";
import type { Payloads, Place } from "./payloads/payloads.ts";
import type { Queryable } from "./pool.ts";

/** Everything that a receipt speaks of. None of it ever changes once the job is charged. */
export interface ReceiptFacts {
  readonly jobId: JobId;
  readonly customerId: CustomerId;
  readonly outcomeType: { readonly name: string; readonly version: number; readonly hash: string };
  readonly outcomeKey: string | null;
  /** Of their canonical JSON, in hexadecimal. Null: the text was erased before anybody asked for a receipt. */
  readonly inputHash: string | null;
  readonly outputHash: string | null;
  readonly verdict: {
    readonly id: VerdictId;
    readonly decision: Decision;
    readonly score: number;
    /** The number that the price depends on, where it does on any. */
    readonly value: Nanos | null;
    readonly evidenceHash: string;
    readonly validators: readonly string[];
  };
  /** The customer's own terms that were pinned on acceptance; null: the outcome type's list price. */
  readonly customerTermsId: CustomerTermsId | null;
  readonly amount: Nanos;
  readonly currency: Currency;
  readonly chargedAtMs: number;
  readonly transactionId: Id<"txn">;
}

interface FactsRow {
  readonly id: JobId;
  readonly customer_id: CustomerId;
  readonly outcome_type: string;
  readonly version: number;
  readonly hash: string;
  readonly outcome_key: string | null;
  readonly input: Json;
  readonly output: Json;
  readonly verdict_id: VerdictId;
  readonly decision: Decision;
  readonly score: number;
  readonly value_nanos: bigint | null;
  readonly evidence_hash: string;
  readonly validators: readonly string[];
  readonly customer_terms_id: CustomerTermsId | null;
  readonly amount_nanos: bigint;
  readonly currency: Currency;
  readonly charged_ms: number;
  readonly transaction_id: Id<"txn">;
}

const FACTS = `
  SELECT j.id, j.customer_id, j.outcome_type, t.version, t.hash, j.outcome_key, i.input, v.output,
         v.id AS verdict_id, v.decision, v.score, v.value_nanos, v.evidence_hash, v.validators,
         j.customer_terms_id, c.amount_nanos, c.currency, ${msOf("c.at")} AS charged_ms, x.id AS transaction_id
    FROM charge c
    JOIN job j ON j.id = c.job_id
    JOIN outcome_type_version t ON t.id = j.outcome_type_version_id
    JOIN job_input i ON i.job_id = j.id
    JOIN verdict v ON v.id = c.verdict_id
    JOIN ledger_transaction x ON x.job_id = c.job_id AND x.kind = 'capture'
   WHERE c.job_id = $1`;

/** What the receipt of a job's charge says; null when the job has not been charged. */
export async function receiptFacts(db: Queryable, jobId: JobId, payloads: Payloads): Promise<ReceiptFacts | null> {
  const { rows } = await db.query<FactsRow>({ name: "receipt-facts", text: FACTS, values: [jobId] });
  const [row] = rows;
  if (row === undefined) return null;
  return {
    jobId: row.id,
    customerId: row.customer_id,
    outcomeType: { name: row.outcome_type, version: row.version, hash: row.hash },
    outcomeKey: row.outcome_key,
    inputHash: await hashOf(payloads, `input ${jobId}`, row.input),
    outputHash: await hashOf(payloads, `output ${row.verdict_id}`, row.output),
    verdict: {
      id: row.verdict_id,
      decision: row.decision,
      score: row.score,
      value: row.value_nanos === null ? null : nanos(row.value_nanos),
      evidenceHash: row.evidence_hash,
      validators: row.validators,
    },
    customerTermsId: row.customer_terms_id,
    amount: nanos(row.amount_nanos),
    currency: row.currency,
    chargedAtMs: row.charged_ms,
    transactionId: row.transaction_id,
  };
}

async function hashOf(payloads: Payloads, place: Place, stored: Json): Promise<string | null> {
  const found = await payloads.look(place, stored);
  return found.kind === "kept" ? hashOfPayload(found.value) : found.sha256;
}

/** The text of a receipt that has been issued; null before. */
export async function issuedReceipt(db: Queryable, jobId: JobId): Promise<string | null> {
  const { rows } = await db.query<{ jws: string }>({
    name: "issued-receipt",
    text: "SELECT jws FROM receipt WHERE job_id = $1",
    values: [jobId],
  });
  return rows[0]?.jws ?? null;
}

/** The public half of a key, as a JWK with its `kid`. */
export interface PublicKey {
  readonly kid: string;
  readonly [member: string]: string;
}

// The key first, so that no receipt stands without one; both are left as they are when somebody else was quicker.
const ISSUE = `
WITH used AS (
  INSERT INTO receipt_key (kid, public_jwk) VALUES ($2, $3) ON CONFLICT DO NOTHING
)
INSERT INTO receipt (job_id, kid, jws) VALUES ($1, $2, $4) ON CONFLICT (job_id) DO NOTHING RETURNING jws`;

/**
 * Issues a receipt, unless the job has one already.
 * @returns the text that counts from now on: this one, or the one that was first
 */
export async function issueReceipt(
  db: Queryable,
  receipt: { readonly jobId: JobId; readonly key: PublicKey; readonly jws: string },
): Promise<string> {
  const { jobId, key, jws } = receipt;
  const { rows } = await db.query<{ jws: string }>({
    name: "issue-receipt",
    text: ISSUE,
    values: [jobId, key.kid, JSON.stringify(key), jws],
  });
  const counts = rows[0]?.jws ?? (await issuedReceipt(db, jobId));
  if (counts === null) throw new Error(`the receipt of ${jobId} was neither written nor found`);
  return counts;
}

/** Every key that has signed a receipt, the newest first. */
export async function usedReceiptKeys(db: Queryable): Promise<readonly PublicKey[]> {
  const { rows } = await db.query<{ public_jwk: PublicKey }>({
    name: "used-receipt-keys",
    text: "SELECT public_jwk FROM receipt_key ORDER BY first_used_at DESC, kid",
  });
  return rows.map((row) => row.public_jwk);
}
