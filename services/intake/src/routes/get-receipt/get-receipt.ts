import { getReceipt } from "@contingent/contracts/http/operations";
import type { ReceiptBody } from "@contingent/contracts/http/receipts";
import { route } from "../../http/route.ts";
import { findJob } from "../../jobs/find.ts";
import { payloadOf, receiptOf } from "../../receipts/receipt.ts";

export const getReceiptRoute = route(getReceipt, async (context, { caller, params }) => {
  const view = await findJob(context, caller, params.id);
  const jws = await receiptOf(context, view);
  const body: ReceiptBody = { object: "receipt", job: view.id, jws, payload: payloadOf(jws) };
  return { status: 200, body };
});
