/** What a receipt says, made of what is stored about a charge: the same facts always make the same receipt. */
import type { ReceiptPayload } from "@contingent/contracts/http/receipts";
import type { Json, JsonObject } from "@contingent/core/json";
import { formatMoney, nanos } from "@contingent/core/money";
import type { PriceTerms } from "@contingent/core/pricing/price";
import type { ReceiptFacts } from "@contingent/db/receipts";
import { isoTime, named } from "../jobs/render.ts";

/** The facts of a charge whose texts, or at least their hashes, are still there. */
export type AttestableFacts = ReceiptFacts & { readonly inputHash: string; readonly outputHash: string };

export function receiptPayload(facts: AttestableFacts, price: PriceTerms, issuer: string): ReceiptPayload {
  const { jobId, outcomeType, verdict, chargedAtMs } = facts;
  if (verdict.decision === "fail") throw new Error(`${jobId} is charged for a failed verdict`);
  const { shape, ...terms } = price;
  return {
    iss: issuer,
    sub: jobId,
    jti: jobId.replace(/^job/, "rcp"),
    iat: Math.floor(chargedAtMs / 1000),
    customer: facts.customerId,
    outcome_type: { ...outcomeType, hash: named(outcomeType.hash) },
    outcome_key: facts.outcomeKey,
    input_sha256: named(facts.inputHash),
    output_sha256: named(facts.outputHash),
    verdict: {
      id: verdict.id,
      decision: verdict.decision,
      score: verdict.score,
      value: verdict.value === null ? null : formatMoney(verdict.value),
      evidence_hash: named(verdict.evidenceHash),
      validators: [...verdict.validators],
    },
    price: { shape, terms: shown(terms) as JsonObject, customer_terms: facts.customerTermsId },
    amount: formatMoney(facts.amount),
    currency: facts.currency,
    charged_at: isoTime(chargedAtMs),
    ledger_transaction: facts.transactionId,
  };
}

/** Terms of whichever shape, as the API writes such things: amounts as decimal strings, names with underscores. */
function shown(terms: unknown): Json {
  if (typeof terms === "bigint") return formatMoney(nanos(terms));
  if (Array.isArray(terms)) return terms.map(shown);
  if (typeof terms !== "object" || terms === null) return terms as Json;
  const members = Object.entries(terms).map(([name, member]): [string, Json] => [
    name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
    shown(member),
  ]);
  return Object.fromEntries(members);
}
