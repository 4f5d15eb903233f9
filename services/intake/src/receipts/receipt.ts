/** The receipt of a charge: found, or issued when it is asked for the first time. */
import { RECEIPT_TYPE, type ReceiptPayload } from "@contingent/contracts/http/receipts";
import { canonicalJson } from "@contingent/core/json";
import type { JobView } from "@contingent/db/job-views";
import { issuedReceipt, issueReceipt, receiptFacts } from "@contingent/db/receipts";
import type { IntakeContext } from "../context.ts";
import { ApiError } from "../http/api-error.ts";
import { noCharge } from "../jobs/no-charge.ts";
import { receiptPayload } from "./payload.ts";

/** Who issues receipts when the API has no address of its own. */
const ISSUER_DEFAULT = "contingent";

/**
 * The JWS. The one that is issued first counts, whichever process and key that was.
 * @throws ApiError no_charge, payload_erased
 */
export async function receiptOf(context: IntakeContext, view: JobView): Promise<string> {
  const { pool, payloads, receiptKeys, publicUrl } = context;
  const issued = await issuedReceipt(pool, view.id);
  if (issued !== null) return issued;
  const facts = await receiptFacts(pool, view.id, payloads);
  // Loaded as for a settlement, because that brings the terms as they were pinned.
  const loaded = facts === null ? null : await context.loader.forSettlement(view.id);
  if (facts === null || loaded === null) throw noCharge(view, "no receipt");
  const { inputHash, outputHash } = facts;
  if (inputHash === null || outputHash === null) {
    const message = `The texts of ${view.id} were erased before a receipt was asked for: there is nothing left to attest.`;
    throw new ApiError("payload_erased", message, { param: "id" });
  }
  const payload = receiptPayload(
    { ...facts, inputHash, outputHash },
    loaded.version.terms.price,
    publicUrl ?? ISSUER_DEFAULT,
  );
  const jws = await receiptKeys.sign(new TextEncoder().encode(canonicalJson(payload)), RECEIPT_TYPE);
  return await issueReceipt(pool, { jobId: view.id, key: receiptKeys.signer, jws });
}

/** What a receipt of ours says. Not a verification: the text comes from our own database. */
export function payloadOf(jws: string): ReceiptPayload {
  const [, payload = ""] = jws.split(".");
  return JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as ReceiptPayload;
}
